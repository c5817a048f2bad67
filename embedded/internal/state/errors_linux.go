package state

import (
	"fmt"

	"github.com/berthdev/berth/engine"
)

const engineName = "embedded"

func notFound(op, ref string) error {
	return &engine.APIError{Engine: engineName, Op: op, Object: ref, Message: "No such container: " + ref, Kind: engine.ErrNotFound}
}

func nameTaken(op, name, id string) error {
	return &engine.APIError{
		Engine: engineName, Op: op, Object: name, Kind: engine.ErrConflict,
		Message: fmt.Sprintf("the container name %q is already in use by container %s: remove or rename that one to use the name again", name, id),
	}
}
