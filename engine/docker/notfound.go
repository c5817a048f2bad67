package docker

import (
	"errors"

	"github.com/berthdev/berth/engine"
)

func isNotFound(err error) bool { return errors.Is(err, engine.ErrNotFound) }

// exists turns the outcome of asking for an object into whether it is there.
func exists(err error) (bool, error) {
	switch {
	case err == nil:
		return true, nil
	case isNotFound(err):
		return false, nil
	}
	return false, err
}
