package berth

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/clientconfig"
	"github.com/berthdev/berth/internal/connect"
	"github.com/berthdev/berth/internal/wire"
)

// transport is how a candidate is reached.
type transport struct {
	wire   wire.Config
	closer io.Closer // what the dialer runs; may be nil
}

// transport makes the way to a candidate, without connecting.
func (o *options) transport(c connect.Candidate) (transport, error) {
	header, err := o.header()
	if err != nil {
		return transport{}, err
	}
	t := transport{wire: wire.Config{
		Header: header, RoundTripper: o.roundTripper, Logger: o.logger,
	}}
	if o.tracer != nil {
		t.wire.Trace = o.tracer.Start
	}
	switch c.Addr.Scheme {
	case connect.SchemeTCP, connect.SchemeHTTP, connect.SchemeHTTPS:
		t.wire.Host = c.Addr.HostPort()
		t.wire.Prefix = c.Addr.Path
		if c.Addr.Path != "" {
			return transport{}, &engine.UnsupportedError{Option: "engine address", Value: c.Host, Reason: "a path below the address"}
		}
	}
	t.wire.Dial, t.closer, err = o.dialer(c)
	return t, err
}

// header is what the user's configuration adds to every request.
func (o *options) header() (http.Header, error) {
	fields, err := clientconfig.Load(o.env).HTTPHeaders()
	if err != nil {
		return nil, err
	}
	header := http.Header{"User-Agent": {"berth"}}
	for k, v := range fields {
		header.Set(k, v)
	}
	return header, nil
}

// dialer is how connections to a candidate are opened, and what is to be closed
// in the end.
func (o *options) dialer(c connect.Candidate) (wire.DialFunc, io.Closer, error) {
	cfg, err := o.tlsConfig(c)
	if err != nil {
		return nil, nil, err
	}
	switch c.Addr.Scheme {
	case connect.SchemeUnix:
		if o.dial != nil {
			return func(ctx context.Context) (net.Conn, error) { return o.dial(ctx, "unix", c.Addr.Path) }, nil, nil
		}
		return wire.DialUnix(c.Addr.Path), nil, nil
	case connect.SchemeTCP, connect.SchemeHTTP, connect.SchemeHTTPS:
		addr := c.Addr.HostPort()
		switch {
		case o.dial != nil:
			return overTLS(func(ctx context.Context) (net.Conn, error) { return o.dial(ctx, "tcp", addr) }, cfg, c.Addr.Host), nil, nil
		case cfg != nil:
			return wire.DialTLS(addr, cfg), nil, nil
		}
		return wire.DialTCP(addr), nil, nil
	}
	if o.dial != nil {
		return nil, nil, &engine.UnsupportedError{Option: "WithDialer", Reason: "it is for unix:// and tcp:// addresses, not " + c.Addr.Scheme + "://"}
	}
	switch c.Addr.Scheme {
	case connect.SchemeNpipe:
		return wire.DialNpipe(c.Addr.Path), nil, nil
	case connect.SchemeSSH:
		ssh, err := wire.NewSSH(sshConfig(c))
		if err != nil {
			return nil, nil, err
		}
		return ssh.Dial, ssh, nil
	}
	return nil, nil, fmt.Errorf("address %q: unknown scheme", c.Host)
}

// tlsConfig is the TLS configuration for a candidate, nil for none.
func (o *options) tlsConfig(c connect.Candidate) (*tls.Config, error) {
	files := c.TLS
	if o.tlsFiles != nil {
		files = o.tlsFiles
	}
	given := o.tls != nil || o.tlsFiles != nil
	switch c.Addr.Scheme {
	case connect.SchemeTCP, connect.SchemeHTTPS:
		switch {
		case o.tls != nil:
			return o.tls, nil
		case files != nil:
			return files.Config()
		case c.Addr.Scheme == connect.SchemeHTTPS:
			return &tls.Config{MinVersion: tls.VersionTLS12}, nil
		}
		return nil, nil
	}
	if given {
		return nil, &engine.UnsupportedError{Option: "WithTLS", Reason: "it is for tcp:// and https:// addresses, not " + c.Addr.Scheme + "://"}
	}
	return nil, nil
}

// overTLS puts TLS on the connections of dial, unless cfg is nil.
func overTLS(dial wire.DialFunc, cfg *tls.Config, host string) wire.DialFunc {
	if cfg == nil {
		return dial
	}
	cfg = cfg.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName = host
	}
	return func(ctx context.Context) (net.Conn, error) {
		raw, err := dial(ctx)
		if err != nil {
			return nil, err
		}
		conn := tls.Client(raw, cfg)
		if err := conn.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, fmt.Errorf("tls handshake with %s: %w", host, err)
		}
		return conn, nil
	}
}

// sshConfig is the ssh of a candidate. The host keys of Podman's virtual machines
// on this host are recorded nowhere: podman does not check them either.
func sshConfig(c connect.Candidate) wire.SSHConfig {
	cfg := wire.SSHConfig{
		User: c.Addr.User, Host: c.Addr.Host, Port: c.Addr.Port,
		SocketPath: c.Addr.Path, IdentityFile: c.Identity,
	}
	if c.Machine && loopback(c.Addr.Host) {
		cfg.ExtraArgs = []string{"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"}
	}
	return cfg
}

// loopback tells whether host is this machine by its loopback interface.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}
