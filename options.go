package berth

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/connect"
)

const (
	defaultProbeTimeout   = 3 * time.Second
	defaultCleanupTimeout = 10 * time.Second
)

// Option is an option of [New]. The last of several of the same kind wins.
type Option func(*options)

// options are what New was given.
type options struct {
	env           connect.Env
	host          string
	context       string
	engine        engine.Engine
	apiVersion    string
	tls           *tls.Config
	tlsFiles      *connect.TLSFiles
	logger        *slog.Logger
	dial          DialFunc
	roundTripper  func(http.RoundTripper) http.RoundTripper
	tracer        Tracer
	probeTimeout  time.Duration
	cleanup       time.Duration
	noRefresh     bool
	discard       bool
	noLocal       bool
	publishedHost string

	// The engines that are linked into the program; tests have their own.
	registered func() []string
	opener     func(name string) (engine.OpenFunc, bool)
}

// DialFunc opens connections, as (*net.Dialer).DialContext does. network is
// "unix" with a path as address, or "tcp" with host:port.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Tracer observes every request to the engine. It must be safe for concurrent use.
type Tracer interface {
	// Start is called before a request; path has no query. The request is made
	// with the context it returns, which must derive from ctx. end, which may be
	// nil, is called once: when the head of the answer is there, with its HTTP
	// status, or when there will be none, with 0 and the reason.
	Start(ctx context.Context, method, path string) (_ context.Context, end func(status int, err error))
}

// WithHost chooses the engine: an address (unix:///path, tcp://host:port,
// http://…, https://…, ssh://[user@]host[:port][/path], npipe:////./pipe/name)
// or the name of an engine: docker, podman, or a registered one such as
// embedded. An address is then the only candidate; the names docker and podman
// narrow the search to that engine.
func WithHost(host string) Option { return func(o *options) { o.host = host } }

// WithContext chooses a Docker context by its name. An unknown one is an error.
func WithContext(name string) Option { return func(o *options) { o.context = name } }

// WithEngine uses an engine that is open already, such as the embedded one with
// options of its own. [Client.Close] closes it.
func WithEngine(e engine.Engine) Option { return func(o *options) { o.engine = e } }

// WithTLS encrypts the connection to a tcp:// or https:// address with this
// configuration, which is not modified.
func WithTLS(cfg *tls.Config) Option {
	return func(o *options) { o.tls, o.tlsFiles = cfg, nil }
}

// WithTLSFiles is WithTLS with PEM files, which are read by [New]: the
// authorities that sign the engine's certificate, our certificate and its key.
// An empty ca means the system's authorities; empty cert and key show none.
func WithTLSFiles(ca, cert, key string) Option {
	return func(o *options) { o.tls, o.tlsFiles = nil, &connect.TLSFiles{CA: ca, Cert: cert, Key: key} }
}

// WithLogger logs what cannot be returned as an error: how the engine was found,
// requests that were sent again, credentials that were not there. Default:
// nothing is logged.
func WithLogger(log *slog.Logger) Option { return func(o *options) { o.logger = log } }

// WithDialer opens the connections to unix:// and tcp:// addresses. TLS, where
// it is used, is Berth's, above the dialer's connection. Other addresses are
// then an [UnsupportedError].
func WithDialer(dial DialFunc) Option { return func(o *options) { o.dial = dial } }

// WithRoundTripper wraps the transport of ordinary HTTP requests, for headers or
// instrumentation. Connections that are taken over (attach, exec) do not pass
// through it. wrap is called once for every address that is tried.
func WithRoundTripper(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return func(o *options) { o.roundTripper = wrap }
}

// WithTracer observes requests, those of taken over connections too.
func WithTracer(t Tracer) Option { return func(o *options) { o.tracer = t } }

// WithAPIVersion speaks this version of the engine's API (Docker: "1.41", Podman:
// "5.0.0") instead of the newest that both sides know. Without it
// DOCKER_API_VERSION holds for Docker.
func WithAPIVersion(version string) Option { return func(o *options) { o.apiVersion = version } }

// WithProbeTimeout is how long each address that nobody chose (a well-known
// socket) has to answer all that [New] asks. Default 3 s. An address that was
// chosen has as long as ctx.
func WithProbeTimeout(d time.Duration) Option { return func(o *options) { o.probeTimeout = d } }

// WithCleanupTimeout is how long a call that failed or was cancelled may take to
// remove the container it owns, after which it returns an [OrphanError]. Default
// 10 s.
func WithCleanupTimeout(d time.Duration) Option { return func(o *options) { o.cleanup = d } }

// NoRefresh keeps mutating methods from inspecting the container afterwards,
// which saves a request: their snapshots are then stale until Reload.
func NoRefresh() Option { return func(o *options) { o.noRefresh = true } }

// AllowDiscarded accepts that an engine or its kernel discards options of a
// [Spec]: what it says of them is in [Container.Warnings]. Without it a discarded
// option is an [UnsupportedError], and the container is removed.
func AllowDiscarded() Option { return func(o *options) { o.discard = true } }

// WithoutLocalAccess treats a local engine as a remote one: nothing is read from
// /proc, no process is signalled directly.
func WithoutLocalAccess() Option { return func(o *options) { o.noLocal = true } }

// WithPublishedHost is the host name or address where published ports of the
// engine are reached, for [Container.Addr] and [Listening]. Default: the host of
// a remote engine's address, the loopback address for a local one.
func WithPublishedHost(host string) Option {
	return func(o *options) {
		if addr, err := netip.ParseAddr(host); err == nil && addr.IsValid() {
			host = addr.String()
		}
		o.publishedHost = host
	}
}

// withEnv replaces the process's environment and files, for tests.
func withEnv(env connect.Env) Option { return func(o *options) { o.env = env } }

// newOptions applies opts to the defaults.
func newOptions(opts []Option) (*options, error) {
	o := &options{
		env:          connect.OSEnv(),
		probeTimeout: defaultProbeTimeout,
		cleanup:      defaultCleanupTimeout,
		registered:   engine.Registered,
		opener:       engine.Opener,
	}
	for _, opt := range opts {
		if opt != nil {
			opt(o)
		}
	}
	if o.logger == nil {
		o.logger = slog.New(slog.DiscardHandler)
	}
	if o.probeTimeout <= 0 {
		return nil, &engine.InvalidError{Option: "WithProbeTimeout", Value: o.probeTimeout.String(), Reason: "not positive"}
	}
	if o.cleanup <= 0 {
		return nil, &engine.InvalidError{Option: "WithCleanupTimeout", Value: o.cleanup.String(), Reason: "not positive"}
	}
	return o, nil
}
