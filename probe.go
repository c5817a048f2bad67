package berth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/engine/docker"
	"github.com/berthdev/berth/engine/podman"
	"github.com/berthdev/berth/internal/clientconfig"
	"github.com/berthdev/berth/internal/connect"
	"github.com/berthdev/berth/internal/wire"
)

// libpodHeader is in every answer of a Podman service, and in none of Docker's.
const libpodHeader = "Libpod-Api-Version"

// tlsAlert is in net/http's error for what a TLS server answers to plain HTTP.
const tlsAlert = `malformed HTTP response "\x15\x03`

// openAt asks what is at the other end of t, and opens that engine. A candidate
// that nobody chose has the probe's timeout to answer all of it.
func (o *options) openAt(ctx context.Context, c connect.Candidate, t transport) (engine.Engine, error) {
	if !c.Explicit {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.probeTimeout, probeTimeout{o.probeTimeout})
		defer cancel()
	}
	ping, err := o.ping(ctx, t)
	if err != nil {
		return nil, err
	}
	name := docker.Name
	if ping.Get(libpodHeader) != "" {
		name = podman.Name
	}
	if c.Engine != "" && c.Engine != name {
		return nil, fmt.Errorf("%s was asked for, %s answers", c.Engine, name)
	}
	detachKeys, err := clientconfig.Load(o.env).DetachKeys()
	if err != nil {
		o.logger.Warn("detach keys of the client's configuration left out", "error", err)
	}
	local := !o.noLocal && c.Addr.Scheme == connect.SchemeUnix && o.dial == nil && isLocal(ctx, c.Addr.Path)
	version := strings.TrimPrefix(o.apiVersion, "v")
	if name == podman.Name {
		e, err := podman.Open(ctx, podman.Config{
			Wire: t.wire, Host: c.Host, Source: c.Source, APIVersion: version, Ping: ping,
			Local: local, Closer: t.closer, DetachKeys: detachKeys,
		})
		if err != nil {
			return nil, err
		}
		return e, nil
	}
	if version == "" {
		version = c.APIVersion // DOCKER_API_VERSION, which is none of Podman's
	}
	e, err := docker.Open(ctx, docker.Config{
		Wire: t.wire, Host: c.Host, Source: c.Source, APIVersion: version, Ping: ping,
		Local: local, Closer: t.closer, DetachKeys: detachKeys,
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// ping asks for /_ping and returns the answer's header.
func (o *options) ping(ctx context.Context, t transport) (http.Header, error) {
	client := wire.New(t.wire)
	defer client.Close()
	resp, err := client.Stream(ctx, wire.Request{Method: http.MethodGet, Path: "/_ping", NoPrefix: true})
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w (%w)", err, engine.ErrUnauthorized)
	}
	if err != nil && strings.Contains(err.Error(), tlsAlert) {
		return nil, fmt.Errorf("%w (this is TLS: it wants WithTLS, DOCKER_TLS_VERIFY or https://)", err)
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.Header.Get(libpodHeader) == "" && resp.Header.Get("Api-Version") == "" {
		return nil, fmt.Errorf("what answers is no container engine: its answer to /_ping has no API version (Server: %q)", resp.Header.Get("Server"))
	}
	return resp.Header, nil
}

// probeTimeout is the end of a probe.
type probeTimeout struct{ after time.Duration }

func (e probeTimeout) Error() string { return fmt.Sprintf("no answer within %v", e.after) }
