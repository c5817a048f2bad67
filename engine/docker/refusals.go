package docker

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
	r.errs = append(r.errs, &engine.UnsupportedError{Option: option, Value: value, Engine: Name, Reason: reason})
}

// unless refuses an option unless ok.
func (r *refusals) unless(ok bool, option, value, reason string) {
	if !ok {
		r.unsupported(option, value, reason)
	}
}

// needs refuses an option, where it is set, of an engine that is older than need.
func (r *refusals) needs(set bool, need apiVersion, option, value string) {
	if set && r.e.api < need {
		r.errs = append(r.errs, &engine.UnsupportedError{
			Option: option, Value: value, Engine: Name, Have: "API " + r.e.api.String(), Need: "API " + need.String(),
		})
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
