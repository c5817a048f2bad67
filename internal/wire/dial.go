package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
)

// DialFunc opens a fresh connection to an engine. The end of ctx ends the attempt, not the connection.
type DialFunc = func(ctx context.Context) (net.Conn, error)

// DialUnix returns a dialer of the unix socket at path.
func DialUnix(path string) DialFunc {
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
}

// DialTCP returns a dialer of addr, host:port.
func DialTCP(addr string) DialFunc {
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", addr)
	}
}

// DialTLS returns a dialer of addr, host:port, whose connections have done their TLS handshake; their CloseWrite sends close_notify. cfg is not changed; the server's name is addr's host unless cfg has one.
func DialTLS(addr string, cfg *tls.Config) DialFunc {
	if cfg = cfg.Clone(); cfg == nil {
		cfg = new(tls.Config)
	}
	if host, _, err := net.SplitHostPort(addr); err == nil && cfg.ServerName == "" {
		cfg.ServerName = host
	}
	dial := DialTCP(addr)
	return func(ctx context.Context) (net.Conn, error) {
		raw, err := dial(ctx)
		if err != nil {
			return nil, err
		}
		conn := tls.Client(raw, cfg)
		if err := conn.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, fmt.Errorf("tls handshake with %s: %w", addr, err)
		}
		return conn, nil
	}
}
