package podman

import (
	"errors"

	"github.com/berthdev/berth/engine"
)

// refusals collects what this engine cannot do of what it is asked, all of it before the request that would do the rest.
type refusals struct {
	e    *Engine
	errs []error
}

// unsupported refuses an option; value is "" when any value of it would be refused.
func (r *refusals) unsupported(option, value, reason string) {
	r.errs = append(r.errs, r.e.unsupported(option, value, reason))
}

// when refuses an option, where bad.
func (r *refusals) when(bad bool, option, value, reason string) {
	if bad {
		r.unsupported(option, value, reason)
	}
}

// needs refuses an option, where it is set, of an engine that is older than need.
func (r *refusals) needs(set bool, need version, option string) {
	if set {
		r.add(r.e.need(need, option))
	}
}

// invalid refuses an option that contradicts another one, which the engine would not notice.
func (r *refusals) invalid(option, value, reason string) {
	r.errs = append(r.errs, &engine.InvalidError{Option: option, Value: value, Reason: reason})
}

func (r *refusals) add(err error) {
	if err != nil {
		r.errs = append(r.errs, err)
	}
}

// err is nil, the one refusal, or all of them joined.
func (r *refusals) err() error {
	if len(r.errs) == 1 {
		return r.errs[0]
	}
	return errors.Join(r.errs...)
}
