package docker

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// TestAnswers holds the kinds of answers that Docker 20.10 and 28.5 were seen to give.
func TestAnswers(t *testing.T) {
	const runc = "failed to create shim task: OCI runtime create failed: runc create failed: "
	tests := []struct {
		status  int
		message string
		kind    error // nil: none
	}{
		{404, "No such image: nosuchimage:latest", engine.ErrImageNotFound},
		{404, "pull access denied for nosuch, repository does not exist or may require 'docker login': denied: requested access to the resource is denied", engine.ErrImageNotFound},
		{404, "manifest for busybox:nosuch not found: manifest unknown: manifest unknown", engine.ErrImageNotFound},
		{500, `unknown: {"errors":[{"code":"NAME_UNKNOWN","message":"Unknown name"}]}`, engine.ErrImageNotFound},
		{404, "repository h:5000/a not found: name unknown: Unknown name", engine.ErrImageNotFound},
		{404, "image with reference busybox:latest was found but does not match the specified platform: wanted linux/arm64, actual: linux/amd64", engine.ErrImageNotFound},
		{500, "Head \"http://h/v2/a/manifests/1\": unauthorized: authentication required", engine.ErrUnauthorized},
		{500, "Get \"http://h/v2/a/manifests/1\": no basic auth credentials", engine.ErrUnauthorized},
		{401, "", engine.ErrUnauthorized},
		{403, "authorization denied by plugin x", engine.ErrUnauthorized},
		{400, "container rootfs is marked read-only", engine.ErrConflict},
		{500, `cannot overwrite directory "d" with non-directory "/tmp"`, engine.ErrInvalid},
		{500, `cannot overwrite non-directory "f" with directory "/tmp"`, engine.ErrInvalid},
		{500, "archive/tar: invalid tar header", engine.ErrInvalid},
		{500, `invalid entry name "../up"`, engine.ErrInvalid},
		{404, "No such container: x", engine.ErrNotFound},
		{404, "network nosuch not found", engine.ErrNotFound},
		{404, "Could not find the file /x in container y", engine.ErrNotFound},
		{404, "No such exec instance: x", engine.ErrNotFound},
		{409, `Conflict. The container name "/x" is already in use by container "y". You have to remove (or rename) that container to be able to reuse that name.`, engine.ErrConflict},
		{403, "error while removing network: network x id y has active endpoints", engine.ErrConflict},
		{403, "invalid pool request: Pool overlaps with other one on this address space", engine.ErrConflict},
		{403, "bridge is a pre-defined network and cannot be removed", engine.ErrInvalid},
		{404, `create ab: error looking up volume plugin nosuch: plugin "nosuch" not found`, engine.ErrInvalid},
		{500, "Invalid subnet 10.0.0.0/33 : invalid CIDR address: 10.0.0.0/33", engine.ErrInvalid},
		{409, "You cannot remove a running container x. Stop the container before attempting removal or force remove", engine.ErrConflict},
		{409, "cannot kill container: x: container x is not running", engine.ErrNotRunning},
		{409, "Container x is not running", engine.ErrNotRunning},
		{500, "Container x is not paused", engine.ErrConflict},
		{409, "Container x is paused, unpause the container before exec", engine.ErrConflict},
		{400, "invalid signal: X", engine.ErrInvalid},
		{500, "unable to find user nosuch: no matching entries in passwd file", engine.ErrInvalid},
		{400, runc + `unable to start container process: exec: "/nosuch": stat /nosuch: no such file or directory: unknown`, engine.ErrCommandNotFound},
		{400, runc + `unable to start container process: exec: "nosuch": executable file not found in $PATH: unknown`, engine.ErrCommandNotFound},
		{400, runc + `unable to start container process: error during container init: exec: "/etc": is a directory: permission denied`, engine.ErrCommandNotExecutable},
		{400, runc + `unable to start container process: exec: "/etc/passwd": permission denied: unknown`, engine.ErrCommandNotExecutable},
		{400, runc + "unable to start container process: error during container init: open /proc/sys/net/nosuch: no such file or directory: unknown", engine.ErrInvalid},
		{500, runc + `sysctl "vm.swappiness" is not in a separate kernel namespace: unknown`, engine.ErrInvalid},
		{500, runc + "wrong rlimit value: RLIMIT_NOSUCH: unknown", engine.ErrInvalid},
		{500, "path /a is mounted on / but it is not a shared mount", engine.ErrInvalid},
		{500, "driver failed programming external connectivity on endpoint x: Bind for 0.0.0.0:80 failed: port is already allocated", engine.ErrConflict},
		{501, "configured logging driver does not support reading", engine.ErrUnsupported},
		{500, `could not select device driver "" with capabilities: [[gpu]]`, engine.ErrUnsupported},
		{500, "something else", nil},
		{0, "toomanyrequests: slow down", nil},
	}
	for _, tt := range tests {
		err := answerError(op{"do", "it"}, tt.status, tt.message)
		if tt.kind != nil && !errors.Is(err, tt.kind) {
			t.Errorf("%d %s: %v is no %v", tt.status, tt.message, err, tt.kind)
		}
		a, ok := errors.AsType[*engine.APIError](err)
		if !ok {
			u, ok := errors.AsType[*engine.UnsupportedError](err)
			if !ok || u.Option == "" || tt.kind != engine.ErrUnsupported {
				t.Errorf("%d %s: %#v", tt.status, tt.message, err)
			}
			continue
		}
		if a.Kind != tt.kind || a.Status != tt.status || a.Message != tt.message || a.Engine != Name || a.Op != "do" || a.Object != "it" {
			t.Errorf("%d %s: %+v", tt.status, tt.message, a)
		}
	}
}

func TestFail(t *testing.T) {
	e := &Engine{}
	o := op{"inspect container", "x"}
	if e.fail(o, nil) != nil {
		t.Error("an error of none")
	}
	denied := e.fail(o, &wire.DialError{Err: &net.OpError{Op: "dial", Net: "unix", Err: syscall.EACCES}})
	if !errors.Is(denied, engine.ErrUnavailable) || !errors.Is(denied, engine.ErrUnauthorized) {
		t.Errorf("got %v", denied)
	}
	for _, err := range []error{
		&wire.DialError{Err: syscall.ECONNREFUSED}, &wire.DialError{Err: syscall.ENOENT}, &wire.NoResponseError{Err: io.EOF}, fmt.Errorf("decode: %w", io.ErrUnexpectedEOF),
	} {
		got := e.fail(o, err)
		if !errors.Is(got, engine.ErrUnavailable) || !errors.Is(got, err) || errors.Is(got, engine.ErrUnauthorized) || !strings.Contains(got.Error(), "inspect container x") {
			t.Errorf("got %v", got)
		}
	}
	if got := e.fail(o, syscall.EIO); errors.Is(got, engine.ErrUnavailable) || !errors.Is(got, syscall.EIO) {
		t.Errorf("got %v", got)
	}
}

// TestNames holds every call that takes a name to what is none: nothing is sent.
func TestNames(t *testing.T) {
	f := &fake{}
	e := openFake(t, f)
	ctx := t.Context()
	for _, id := range []string{"", "/", "a/b", "../images/json?x=", "..", ".", "//a", "a\x00b", "a\nb", "/a/"} {
		calls := map[string]error{
			"inspect":    drain2(e.ContainerInspect(ctx, id, engine.InspectOptions{})),
			"exists":     drain2(e.ContainerExists(ctx, id)),
			"start":      e.ContainerStart(ctx, id, engine.StartOptions{}),
			"stop":       e.ContainerStop(ctx, id, engine.StopOptions{}),
			"kill":       e.ContainerKill(ctx, id, ""),
			"remove":     e.ContainerRemove(ctx, id, engine.RemoveOptions{}),
			"wait":       drain2(e.ContainerWait(ctx, id, "")),
			"attach":     drain2(e.ContainerAttach(ctx, id, engine.AttachOptions{})),
			"logs":       drain2(e.ContainerLogs(ctx, id, engine.LogOptions{})),
			"top":        drain2(e.ContainerTop(ctx, id, engine.TopOptions{})),
			"commit":     drain2(e.ContainerCommit(ctx, id, engine.CommitOptions{})),
			"export":     drain2(e.ContainerExport(ctx, id)),
			"stat":       drain2(e.ContainerStatPath(ctx, id, "/")),
			"put":        e.ContainerPutArchive(ctx, id, "/", nil, engine.PutArchiveOptions{}),
			"exec":       drain2(e.ExecCreate(ctx, id, engine.ExecSpec{Cmd: []string{"x"}})),
			"exec start": drain2(e.ExecStart(ctx, id, engine.ExecStartOptions{})),
			"exec kill":  e.ExecKill(ctx, id, ""),
			"volume":     drain2(e.VolumeInspect(ctx, id)),
			"network":    drain2(e.NetworkInspect(ctx, id)),
			"connect":    e.NetworkConnect(ctx, "n", id, engine.Endpoint{}),
			"disconnect": e.NetworkDisconnect(ctx, "n", id, false),
		}
		for name, err := range calls {
			if !errors.Is(err, engine.ErrInvalid) {
				t.Errorf("%s %q: got %v", name, id, err)
			}
		}
	}
	for _, ref := range []string{"", "../json", "a//b", "a/../b", "a\x01"} {
		if _, err := e.ImageInspect(ctx, ref); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("image %q: got %v", ref, err)
		}
	}
	if got := f.requests(); len(got) != 0 {
		t.Errorf("sent %v", got)
	}
	e.ContainerExists(ctx, "/a?b#c%")
	e.ImageExists(ctx, "h:5000/a/b:t@sha256:1")
	if got := fmt.Sprint(f.requests()); got != "[GET /v1.51/containers/a%3Fb%23c%25/json GET /v1.51/images/h:5000/a/b:t@sha256:1/json]" {
		t.Errorf("sent %v", got)
	}
}

func drain2[T any](_ T, err error) error { return err }
