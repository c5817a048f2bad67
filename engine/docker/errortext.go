package docker

import (
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// textKinds give a kind to answers by their text, where the status does not tell or tells wrongly: the same failure is a 400, a 404, a 409 and a 500 in different versions, and starting a
// container reports most of what is wrong with its options as 500. The first match counts.
var textKinds = []struct {
	text string // a pattern of [normal.Says]
	kind error
}{
	// Images.
	{`no such image|manifest unknown|manifest for * not found|repository does not exist|was found but does not match the specified platform|no matching manifest for|image with reference * was found but|name unknown|NAME_UNKNOWN|MANIFEST_UNKNOWN|repository * not found|reference does not exist|no such manifest`, engine.ErrImageNotFound},
	{`unauthorized|no basic auth credentials|incorrect username or password|authentication required|authorization denied|requested access to the resource is denied`, engine.ErrUnauthorized},

	// States.
	{`is not running|is restarting, wait until|cannot exec in a (stopped|deleted) (state|container)|process not running`, engine.ErrNotRunning},
	{`is not paused|is already paused|has active endpoints|marked read-only|is already in use by container|pool overlaps|port is already allocated|address already in use|network with name * already exists|conflict: unable to`, engine.ErrConflict},
	{`no such exec instance|no such container|no such volume|no such network|could not find the file`, engine.ErrNotFound},

	// Options whose value the engine finds wrong with a status of its own fault.
	{`unable to find (user|group)|no matching entries in (passwd|group) file`, engine.ErrInvalid},
	{`error gathering device information|invalid device cgroup rule|unresolvable CDI devices`, engine.ErrInvalid},
	{`wrong rlimit value|error setting rlimit`, engine.ErrInvalid},
	{`is not in a separate kernel namespace|error during container init: open (/proc/sys|sysctl)|error during container init: write sysctl`, engine.ErrInvalid},
	{`invalid --security-opt|seccomp profile failed|invalid (IPC|PID|UTS) mode|invalid isolation`, engine.ErrInvalid},
	{`cannot mkdir: * is not a directory|chdir to cwd|trying to mount a directory onto a file|is not a shared (or slave |)mount|extraction point is not a directory|cannot overwrite (directory|non-directory) *|invalid tar header|invalid entry name`, engine.ErrInvalid},
	{`unable to apply cgroup configuration: failed to write`, engine.ErrInvalid},
	{`plugin "*" not found|invalid subnet|not permitted on predefined|is a pre-defined network`, engine.ErrInvalid},
}

func kindOfText(message string) error {
	if kind := normal.ExitKind(0, message); kind != nil {
		return kind // a command that is missing or cannot be executed
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
	{`client version * is too (new|old)`, "APIVersion"},
	{`logging driver does not support reading`, "Container.Logs"},
	{`could not select device driver "cdi"`, "Spec.CDIDevices"},
	{`could not select device driver`, "Spec.DeviceRequests"},
	{`storage-opt is (not |)supported`, "Spec.StorageOpt"},
	{`journald is not enabled on this host`, "Spec.LogConfig"},
	{`seccomp is not enabled in your kernel`, "Spec.SecurityOpt"},
	{`apparmor is not (enabled|supported)`, "Spec.SecurityOpt"},
	{`kernel does not support CPU real-time`, "Spec.Resources.CPURealtimeRuntime"},
	{`NanoCPUs can not be set, as your kernel`, "Spec.Resources.CPUs"},
	{`userland proxy: *protocol not supported`, "Spec.Ports"},
	{`does not support maximum (IO |)(bandwidth|IO)`, "Spec.Windows"},
}

func unsupportedText(message string) (option string, ok bool) {
	for _, t := range unsupportedTexts {
		if normal.Says(message, t.text) {
			return t.option, true
		}
	}
	return "", false
}
