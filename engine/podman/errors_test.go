package podman

import (
	"errors"
	"net/http"
	"testing"

	"github.com/berthdev/berth/engine"
)

// TestErrorKinds are answers of real engines, which say the same with another status in another version.
func TestErrorKinds(t *testing.T) {
	tests := []struct {
		status         int
		cause, message string
		kind           error
	}{
		{404, "no such container", `no container with name or ID "x" found: no such container`, engine.ErrNotFound},
		{500, "layer not known", "x not found: layer not known", engine.ErrNotFound},
		{404, "no such exec session", "no exec session with ID x found: no such exec session", engine.ErrNotFound},
		{404, "network not found", "unable to find network with name or ID x: network not found", engine.ErrNotFound},
		{404, "no such secret", `no secret with name or id "x": no such secret`, engine.ErrNotFound},
		{500, "image not known", "nosuch: image not known", engine.ErrImageNotFound},
		{404, "image not known", "no such image: nosuch: image not known", engine.ErrImageNotFound},
		{0, "", "nosuch: image not known", engine.ErrImageNotFound},
		{0, "", "initializing source docker://h:5000/x:latest: reading manifest latest in h:5000/x: manifest unknown", engine.ErrImageNotFound},
		{0, "", "reading manifest latest in h:5000/x: unauthorized: authentication required", engine.ErrUnauthorized},
		{500, "that name is already in use", `creating container storage: the container name "x" is already in use by y. You have to remove that container to be able to reuse that name: that name is already in use`, engine.ErrConflict},
		{409, "container already exists", "renaming container a: name x already in use, cannot rename container a: container already exists", engine.ErrConflict},
		{500, "UNIQUE constraint failed: ContainerConfig.Name", "renaming container a: updating container config table: UNIQUE constraint failed: ContainerConfig.Name", engine.ErrConflict},
		{500, "container state improper", "cannot remove container x as it is running - running or paused containers cannot be removed without force: container state improper", engine.ErrConflict},
		{500, "container state improper", `"x" is not paused, can't unpause: container state improper`, engine.ErrConflict},
		{500, "container state improper", "container x is running or paused, refusing to clean up: container state improper", engine.ErrConflict},
		{500, "container state improper", "can only attach to created or running containers - currently in state paused: container state improper", engine.ErrConflict},
		{500, "container state improper", "can only kill running containers. x is in state created: container state improper", engine.ErrNotRunning},
		{409, "container state improper", "can only kill running containers. x is in state exited: container state improper", engine.ErrNotRunning},
		{500, "container state improper", `"created" is not running, can't pause: container state improper`, engine.ErrNotRunning},
		{409, "container state improper", "can only resize created or running containers: container state improper", engine.ErrNotRunning},
		{500, "container state improper", "can only create exec sessions on running containers: container state improper", engine.ErrNotRunning},
		{409, "cannot create exec session as container x is paused", "cannot create exec session as container x is paused", engine.ErrConflict},
		{409, "container x is not running", "container x is not running", engine.ErrNotRunning},
		{500, "top can only be used on running containers", "top can only be used on running containers", engine.ErrNotRunning},
		{500, "exec session state improper", `can only start created exec sessions, while container a session b state is "stopped": exec session state improper`, engine.ErrConflict},
		{500, "OCI runtime attempted to invoke a command that was not found", `runc: runc create failed: unable to start container process: exec: "/nosuch": stat /nosuch: no such file or directory: OCI runtime attempted to invoke a command that was not found`, engine.ErrCommandNotFound},
		{500, "OCI runtime attempted to invoke a command that was not found", "crun: executable file `nosuch` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found", engine.ErrCommandNotFound},
		{500, "OCI runtime attempted to invoke a command that was not found", `runc: exec failed: unable to start container process: chdir to cwd ("/nosuch") set in config.json failed: no such file or directory: OCI runtime attempted to invoke a command that was not found`, engine.ErrInvalid},
		{500, "OCI permission denied", `runc: runc create failed: unable to start container process: exec: "/etc": permission denied: OCI permission denied`, engine.ErrCommandNotExecutable},
		{500, "OCI runtime error", `runc: runc create failed: unable to start container process: error during container init: exec: "/etc": is a directory: OCI runtime error`, engine.ErrCommandNotExecutable},
		{500, "no matching entries in passwd file", "unable to find user nosuch: no matching entries in passwd file", engine.ErrInvalid},
		{500, "invalid argument", "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument", engine.ErrInvalid},
		{500, "invalid signal: NOSUCH", "invalid signal: NOSUCH", engine.ErrInvalid},
		{500, "zz is an invalid filter", "zz is an invalid filter", engine.ErrInvalid},
		{500, "network is already connected", `container x is already connected to network "y": network is already connected`, engine.ErrConflict},
		{500, "network is being used", `"x" has associated containers with it. Use -f to forcibly delete containers and pods: network is being used`, engine.ErrConflict},
		{500, "volume already exists", "volume with name x already exists: volume already exists", engine.ErrConflict},
		{500, "secret name in use", "x: secret name in use", engine.ErrConflict},
		{409, "image is in use by a container", "image used by x: image is in use by a container: consider listing external containers and force-removing image", engine.ErrConflict},
		{500, "this container is not logging output", "this container is not logging output", engine.ErrUnsupported},
		{404, "", "Not Found", engine.ErrNotFound},
		{400, "", "bad", engine.ErrInvalid},
		{403, "", "no", engine.ErrUnauthorized},
		{500, "", "who knows", nil},
	}
	for _, tt := range tests {
		err := answerError(op{"do", "it"}, tt.status, tt.cause, tt.message)
		if tt.kind == nil {
			if api, ok := errors.AsType[*engine.APIError](err); !ok || api.Kind != nil {
				t.Errorf("%q is %v", tt.message, err)
			}
			continue
		}
		wantKind(t, tt.message, err, tt.kind)
		if tt.kind == engine.ErrConflict && errors.Is(err, engine.ErrNotRunning) {
			t.Errorf("%q is taken for a container that does not run", tt.message)
		}
	}
}

// TestErrorParts holds that the engine's words are kept.
func TestErrorParts(t *testing.T) {
	f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		fail(w, 500, "the cause", "the message: the cause")
		w.Write([]byte(`{"cause":"second","message":"second","response":500}`)) // some handlers go on after an error
	}}
	e := openFake(t, f)
	err := e.ContainerStart(t.Context(), "x", engine.StartOptions{})
	api, ok := errors.AsType[*engine.APIError](err)
	if !ok || *api != (engine.APIError{Engine: Name, Op: "start container", Object: "x", Status: 500, Message: "the message: the cause", Cause: "the cause"}) {
		t.Errorf("error is %#v", err)
	}
}

func FuzzBodyError(f *testing.F) {
	f.Add([]byte(`{"cause":"container is stopped","message":"container is stopped","response":500}`))
	f.Add([]byte(`{"error":{},"message":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err, ok := bodyError(op{"do", "it"}, b); ok && (err == nil || err.Error() == "") {
			t.Errorf("%q: %v", b, err)
		}
	})
}
