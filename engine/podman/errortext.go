package podman

import (
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// kindOfCause is the kind of Podman's innermost cause. The same cause comes with a 404, a 409 or a 500, depending on the endpoint and the version.
func kindOfCause(cause, message string) error {
	switch cause {
	case "no such container", "no such exec session", "no such volume", "no such secret", "no such pod", "no such network", "network not found",
		"layer not known", "container not known", "no such container or image", "no such artifact":
		return engine.ErrNotFound
	case "image not known", "no such image":
		return engine.ErrImageNotFound
	case "that name is already in use", "container already exists", "volume already exists", "network already exists", "pod already exists",
		"secret name in use", "image is in use by a container", "volume is being used", "network is being used", "network is already connected",
		"UNIQUE constraint failed: ContainerConfig.Name", "exec session already exists", "object already exists", "conflict":
		return engine.ErrConflict
	case "OCI runtime attempted to invoke a command that was not found", "OCI permission denied", "OCI runtime attempted to invoke a command that requires permission", "OCI runtime error":
		return normal.ExitKind(0, message) // nil where it is about something else, such as the working directory
	case "container state improper", "exec session state improper":
		return kindOfState(message)
	case "invalid argument":
		return engine.ErrInvalid
	case "container is stopped", "top can only be used on running containers":
		return engine.ErrNotRunning
	case "image contains manifest list, not a runnable image":
		return engine.ErrInvalid
	}
	return nil
}

// kindOfState tells a container that does not run, which most calls mean by an improper state, from one whose state is wrong in another way.
func kindOfState(message string) error {
	switch {
	case strings.Contains(message, "cannot be removed without force"),
		strings.Contains(message, "not paused"),
		strings.Contains(message, "already paused"),
		strings.Contains(message, "in state paused"),
		strings.Contains(message, "state paused:"),
		strings.Contains(message, "refusing to clean up"),
		strings.Contains(message, "must be in Created or Stopped state"),
		strings.Contains(message, "paused or unknown state"),
		strings.Contains(message, "has dependent containers"):
		return engine.ErrConflict
	case strings.Contains(message, "running container"),
		strings.Contains(message, "running containers"),
		strings.Contains(message, "not running"):
		return engine.ErrNotRunning
	}
	return engine.ErrConflict
}

// textKinds give a kind to what has no cause of its own. The first match counts.
var textKinds = []struct {
	text string // a pattern of [normal.Says]
	kind error
}{
	// Names and images.
	{`is already in use|is in use by a container|already in use, cannot rename|UNIQUE constraint failed|already (exists|used)|volume * is being used|has dependent containers|network is being used|image is in use by`, engine.ErrConflict},
	{`image not known|no such image|manifest unknown|name unknown|repository does not exist|repository name not known|no image found in (manifest list|image index) for architecture|does not match the specified platform`, engine.ErrImageNotFound},
	{`unauthorized|authentication required|invalid username/password|incorrect username or password|access to the resource is denied|authorization status: 40(1|3)`, engine.ErrUnauthorized},

	// States.
	{`container * is not running|is not running, can't|can only be used on running|container is stopped|container is not running`, engine.ErrNotRunning},
	{`cannot create exec session as container * is paused|is running or paused`, engine.ErrConflict},
	{`no such (container|volume|network|secret|exec session|pod)|network not found|no container with (name or ID|ID or name)|could not be found in container|unable to find network`, engine.ErrNotFound},

	// Options whose value is wrong, with the status of a fault of the engine's own.
	{`invalid signal|decode\(\)|failed to decode|cannot unmarshal|is an invalid (filter|state)|invalid restart policy|invalid argument|must be unique`, engine.ErrInvalid},
	{`unable to find (user|group)|no matching entries in (passwd|group) file|unknown (mount|capability)|unknown capability|invalid (mount|log driver|port|hostname|value|IP|subnet|configuration)|unrecognized`, engine.ErrInvalid},
	{`statfs *: no such file or directory|stat *: no such file or directory|no such file or directory`, engine.ErrInvalid},
	{`is not in a separate kernel namespace|open sysctl|write sysctl|open /proc/sys|sysctl * (not allowed|is not)`, engine.ErrInvalid},
	{`failed to write *: (invalid argument|numerical result out of range|permission denied|device or resource busy)`, engine.ErrInvalid},
	{`chdir to cwd|is not a directory|not a directory|unresolvable CDI devices|error setting rlimit|wrong rlimit`, engine.ErrInvalid},
}

func kindOfText(message string) error {
	if kind := normal.ExitKind(0, message); kind != nil {
		return kind
	}
	for _, t := range textKinds {
		if normal.Says(message, t.text) {
			return t.kind
		}
	}
	return nil
}

// unsupportedTexts name the option in answers that say that the engine or its host lacks something.
var unsupportedTexts = []struct {
	text   string // a pattern of [normal.Says]
	option string
}{
	{`this container is not logging output`, "Container.Logs"},
	{`this container is using the * log driver, cannot`, "Container.Logs"},
}

func unsupportedText(message string) (option string, ok bool) {
	for _, t := range unsupportedTexts {
		if normal.Says(message, t.text) {
			return t.option, true
		}
	}
	return "", false
}
