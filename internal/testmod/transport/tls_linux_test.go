package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// certs are what the tests of TLS need: an authority, a server at the loopback
// address and a client.
type certs struct {
	ca             *rig.Authority
	server, client rig.Pair
}

func newCerts(t *testing.T) certs {
	ca := rig.NewAuthority(t, "the authority of the tests")
	return certs{ca, ca.Issue(t, false, "127.0.0.1", "localhost"), ca.Issue(t, false)}
}

// dir has them as DOCKER_CERT_PATH wants them.
func (c certs) dir(t *testing.T) string { return rig.CertDir(t, "", c.ca.PEM, c.client) }

// config has them for WithTLS.
func (c certs) config(t *testing.T) *tls.Config {
	return &tls.Config{RootCAs: c.ca.Pool(), Certificates: []tls.Certificate{c.client.TLS(t)}}
}

// tlsWays are the ways to say that an engine at an address is reached by TLS.
func tlsWays(c certs) map[string]func(t *testing.T, addr string) []berth.Option {
	return map[string]func(t *testing.T, addr string) []berth.Option{
		"WithTLS": func(t *testing.T, addr string) []berth.Option {
			return []berth.Option{berth.WithHost("tcp://" + addr), berth.WithTLS(c.config(t))}
		},
		"WithTLSFiles": func(t *testing.T, addr string) []berth.Option {
			d := c.dir(t)
			return []berth.Option{berth.WithHost("tcp://" + addr), berth.WithTLSFiles(d+"/ca.pem", d+"/cert.pem", d+"/key.pem")}
		},
		"https": func(t *testing.T, addr string) []berth.Option {
			return []berth.Option{berth.WithHost("https://" + addr), berth.WithTLS(c.config(t))}
		},
		"dialer": func(t *testing.T, addr string) []berth.Option {
			dial := func(ctx context.Context, network, address string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, address)
			}
			return []berth.Option{berth.WithHost("tcp://" + addr), berth.WithTLS(c.config(t)), berth.WithDialer(dial)}
		},
		"DOCKER_CERT_PATH": func(t *testing.T, addr string) []berth.Option {
			t.Setenv("DOCKER_HOST", "tcp://"+addr)
			t.Setenv("DOCKER_TLS_VERIFY", "1")
			t.Setenv("DOCKER_CERT_PATH", c.dir(t))
			return nil
		},
		"DOCKER_CONFIG": func(t *testing.T, addr string) []berth.Option {
			t.Setenv("DOCKER_HOST", "tcp://"+addr)
			t.Setenv("DOCKER_TLS_VERIFY", "1")
			t.Setenv("DOCKER_CONFIG", c.dir(t))
			return nil
		},
		"docker context": func(t *testing.T, addr string) []berth.Option {
			home := t.TempDir()
			t.Setenv("DOCKER_CONFIG", home)
			rig.CertDir(t, writeContext(t, home, "far", "tcp://"+addr), c.ca.PEM, c.client)
			return []berth.Option{berth.WithContext("far")}
		},
		"podman connection": func(t *testing.T, addr string) []berth.Option {
			d := c.dir(t)
			conf := t.TempDir() + "/podman-connections.json"
			rig.WriteFile(t, conf, []byte(`{"Connection":{"Default":"far","Connections":{"far":{"URI":"tcp://`+addr+
				`","TLSCA":"`+d+`/ca.pem","TLSCert":"`+d+`/cert.pem","TLSKey":"`+d+`/key.pem"}}}}`), 0o600)
			t.Setenv("PODMAN_CONNECTIONS_CONF", conf)
			return nil
		},
	}
}

// TestTLSWays: every way to ask for mutual TLS reaches an engine that demands it.
func TestTLSWays(t *testing.T) {
	c := newCerts(t)
	for name, way := range tlsWays(c) {
		t.Run(name, func(t *testing.T) {
			leaktest.Check(t)
			rig.NoEnvironment(t)
			f := rig.StartFake(t, "docker")
			p := rig.NewTLSProxy(t, f.Path, c.ca.ServerTLS(t, c.server))
			cli := rig.Connect(t, way(t, p.Addr())...)
			if err := cli.Ping(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTLS: everything works over TLS with half-closes, which are close_notify:
// cat ends. What ends TLS is a proxy of the test in front of the engine's socket;
// TestTLSDaemon has an engine do it.
func TestTLS(t *testing.T) {
	e := rig.NeedEngine(t)
	leaktest.Check(t)
	rig.NoEnvironment(t)
	c := newCerts(t)
	p := rig.NewTLSProxy(t, e.Socket, c.ca.ServerTLS(t, c.server))
	rig.Exercise(t, rig.Connect(t, tlsWays(c)["WithTLSFiles"](t, p.Addr())...))
}

// TestTLSErrors: what is wrong with a certificate is said.
func TestTLSErrors(t *testing.T) {
	c := newCerts(t)
	other := rig.NewAuthority(t, "another authority")
	expired := c.ca.Issue(t, true)
	f := rig.StartFake(t, "docker")
	mutual := c.ca.ServerTLS(t, c.server)
	plain := rig.NewTCPProxy(t, f.Path)
	for _, tt := range []struct {
		name   string
		server *tls.Config // nil: no TLS
		ca     []byte
		client rig.Pair
		host   string // before the port
		says   []string
	}{
		{"wrong authority", mutual, other.PEM, c.client, "127.0.0.1", []string{"certificate signed by unknown authority"}},
		{"no client certificate", mutual, c.ca.PEM, rig.Pair{}, "127.0.0.1", []string{"certificate required"}},
		{"client certificate of another authority", mutual, c.ca.PEM, other.Issue(t, false), "127.0.0.1", []string{"remote error: tls:", "certificate"}},
		{"expired client certificate", mutual, c.ca.PEM, expired, "127.0.0.1", []string{"expired certificate"}},
		{"expired server certificate", c.ca.ServerTLS(t, c.ca.Issue(t, true, "127.0.0.1")), c.ca.PEM, c.client, "127.0.0.1", []string{"certificate has expired"}},
		{"certificate of another server", c.ca.ServerTLS(t, c.ca.Issue(t, false, "elsewhere.test")), c.ca.PEM, c.client, "localhost", []string{"certificate is valid for elsewhere.test, not localhost"}},
		{"right by name", mutual, c.ca.PEM, c.client, "localhost", nil},
		{"no TLS there", nil, c.ca.PEM, c.client, "127.0.0.1", []string{"does not look like a TLS handshake"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			leaktest.Check(t)
			rig.NoEnvironment(t)
			p := plain
			if tt.server != nil {
				p = rig.NewTLSProxy(t, f.Path, tt.server)
			}
			_, port, _ := net.SplitHostPort(p.Addr())
			host := "tcp://" + tt.host + ":" + port
			d := rig.CertDir(t, "", tt.ca, tt.client)
			cert, key := d+"/cert.pem", d+"/key.pem"
			if tt.client.Cert == nil {
				cert, key = "", ""
			}
			cli, err := berth.New(t.Context(), berth.WithHost(host), berth.WithTLSFiles(d+"/ca.pem", cert, key))
			if tt.says == nil {
				if err != nil {
					t.Fatal(err)
				}
				cli.Close()
				return
			}
			if err == nil {
				cli.Close()
			}
			rig.Says(t, err, append(tt.says, host)...)
			if !errors.Is(err, berth.ErrUnavailable) {
				t.Errorf("%v is not ErrUnavailable", err)
			}
		})
	}
}

// TestTLSForgotten: an engine that wants TLS, addressed without it, leads to an
// error that speaks of TLS: servers answer so in HTTP, or with an alert of TLS.
func TestTLSForgotten(t *testing.T) {
	leaktest.Check(t)
	rig.NoEnvironment(t)
	c := newCerts(t)
	srv := httptest.NewUnstartedServer(rig.NewFake("docker"))
	srv.TLS = c.ca.ServerTLS(t, c.server)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	_, err := berth.New(t.Context(), berth.WithHost("tcp://"+srv.Listener.Addr().String()))
	rig.Says(t, err, "HTTPS")
	_, err = berth.New(t.Context(), berth.WithHost(answerRaw(t, "\x15\x03\x01\x00\x02\x02\x46")))
	rig.Says(t, err, "TLS")
}

// TestTLSFilesMissing: files that cannot be read are named, and nothing is sent
// without them.
func TestTLSFilesMissing(t *testing.T) {
	leaktest.Check(t)
	c := newCerts(t)
	f := rig.StartFake(t, "docker")
	p := rig.NewTCPProxy(t, f.Path)
	for name, tt := range map[string]struct {
		env  map[string]string
		opts []berth.Option
		says string
	}{
		"WithTLSFiles":     {nil, []berth.Option{berth.WithHost(p.Host()), berth.WithTLSFiles("/nonexistent/ca.pem", "", "")}, "/nonexistent/ca.pem"},
		"DOCKER_CERT_PATH": {map[string]string{"DOCKER_HOST": p.Host(), "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/nonexistent"}, nil, "/nonexistent/ca.pem"},
		"no key": {map[string]string{"DOCKER_HOST": p.Host(), "DOCKER_TLS_VERIFY": "1",
			"DOCKER_CERT_PATH": rig.CertDir(t, "", c.ca.PEM, rig.Pair{Cert: c.client.Cert})}, nil, "key.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			rig.NoEnvironment(t)
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			_, err := berth.New(t.Context(), tt.opts...)
			rig.Says(t, err, tt.says)
		})
	}
	if n := p.Count(); n != 0 {
		t.Errorf("%d connections were made all the same", n)
	}
}

// TestTLSOptionElsewhere: an option that cannot take effect is refused.
func TestTLSOptionElsewhere(t *testing.T) {
	leaktest.Check(t)
	rig.NoEnvironment(t)
	f := rig.StartFake(t, "docker")
	for _, host := range []string{f.Host, "ssh://127.0.0.1/x", "http" + strings.TrimPrefix(rig.NewTCPProxy(t, f.Path).Host(), "tcp")} {
		_, err := berth.New(t.Context(), berth.WithHost(host), berth.WithTLS(new(tls.Config)))
		if u, ok := errors.AsType[*berth.UnsupportedError](err); !ok || u.Option != "WithTLS" {
			t.Errorf("%s with TLS = %v", host, err)
		}
	}
}
