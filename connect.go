package berth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/connect"
)

// New finds a container engine and connects to it. The first of these that is
// there decides:
//
//  1. [WithEngine], [WithHost], [WithContext]
//  2. DOCKER_HOST, CONTAINER_HOST
//  3. DOCKER_CONTEXT, CONTAINER_CONNECTION
//  4. the current Docker context, Podman's default connection
//  5. the well-known sockets of Docker and Podman, one after another
//  6. an engine that is linked into the program (import _ ".../embedded")
//
// Up to 4, the choice is the only candidate: if it fails, New fails. The
// well-known sockets have [WithProbeTimeout] each to answer; one that refuses
// permission ends the search, unless an engine is linked in. An engine is known
// by its answer, not by its socket's name.
//
// When no engine is found the error is a [ConnectError], which lists what was
// tried and why each failed. The caller closes the Client.
func New(ctx context.Context, opts ...Option) (*Client, error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	e, err := o.find(ctx)
	if err != nil {
		return nil, err
	}
	return newClient(e, o), nil
}

// find opens the engine of the first candidate that answers.
func (o *options) find(ctx context.Context) (engine.Engine, error) {
	if o.engine != nil {
		if other := o.connecting(); other != "" {
			return nil, &engine.InvalidError{Option: other, Reason: "given together with WithEngine, which is connected already"}
		}
		return o.engine, nil
	}
	candidates, notes, err := connect.Candidates(o.env, connect.Options{
		Host: o.host, Context: o.context, Engines: o.registered(),
	})
	for _, n := range notes {
		o.logger.Warn("find engine", "note", n.String())
	}
	if err != nil {
		if _, ok := errors.AsType[*connect.AddressError](err); ok {
			return nil, &engine.InvalidError{Option: "engine address", Err: err}
		}
		return nil, fmt.Errorf("find engine: %w", err)
	}
	return o.try(ctx, candidates)
}

// connecting names an option about connecting that was given, "" if none was.
func (o *options) connecting() string {
	switch {
	case o.host != "":
		return "WithHost"
	case o.context != "":
		return "WithContext"
	case o.apiVersion != "":
		return "WithAPIVersion"
	case o.tls != nil, o.tlsFiles != nil:
		return "WithTLS"
	case o.dial != nil:
		return "WithDialer"
	case o.roundTripper != nil:
		return "WithRoundTripper"
	case o.tracer != nil:
		return "WithTracer"
	}
	return ""
}

// try opens one candidate after another, then what is linked in.
func (o *options) try(ctx context.Context, candidates []connect.Candidate) (engine.Engine, error) {
	var failed engine.ConnectError
	linked := o.linked()
	for _, c := range candidates {
		e, err := o.open(ctx, c)
		if err == nil {
			o.logger.Debug("connected to engine", "engine", e.Identity().Name, "host", c.Host, "source", c.Source)
			return e, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("connect to container engine at %s: %w", c.Host, contextError(ctx))
		}
		failed.Tried = append(failed.Tried, engine.Attempt{Host: c.Host, Source: c.Source, Err: err})
		if c.Explicit {
			return nil, &failed
		}
		if errors.Is(err, fs.ErrPermission) && len(linked) == 0 {
			return nil, &failed
		}
	}
	for _, name := range linked {
		e, err := openLinked(ctx, name, o)
		if err == nil {
			o.logger.Info("no engine answered: using the one linked into the program", "engine", name, "tried", len(failed.Tried))
			return e, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("open engine %s: %w", name, contextError(ctx))
		}
		failed.Tried = append(failed.Tried, engine.Attempt{Host: name, Source: "linked into the program", Err: err})
	}
	return nil, &failed
}

// linked names the registered engines that the search may fall back to: none
// when an engine was asked for by name.
func (o *options) linked() []string {
	if o.host != "" || o.context != "" {
		return nil
	}
	return o.registered()
}

// openLinked opens a registered engine.
func openLinked(ctx context.Context, name string, o *options) (engine.Engine, error) {
	open, ok := o.opener(name)
	if !ok {
		return nil, fmt.Errorf(`engine %q is not linked into this program: import _ "github.com/berthdev/berth/%s"`, name, name)
	}
	return open(ctx, o.logger)
}

// open opens the engine of a candidate.
func (o *options) open(ctx context.Context, c connect.Candidate) (engine.Engine, error) {
	if c.Host == "" && !slices.Contains([]string{"docker", "podman", ""}, c.Engine) {
		return openLinked(ctx, c.Engine, o)
	}
	t, err := o.transport(c)
	if err != nil {
		return nil, err
	}
	e, err := o.openAt(ctx, c, t)
	if err != nil {
		if t.closer != nil {
			err = errors.Join(err, t.closer.Close())
		}
		return nil, err
	}
	return e, nil
}
