//go:build linux

package monitor

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// TestRuntime: the same container with runc: output, code, terminal, exec, init, kill, a missing command.
func TestRuntime(t *testing.T) {
	r := newRig(t)
	with := func(more func(*state.Config, *specs.Spec)) func(*state.Config, *specs.Spec) {
		return func(cfg *state.Config, oci *specs.Spec) {
			cfg.Runtime = "runc"
			if more != nil {
				more(cfg, oci)
			}
		}
	}
	id := r.sh("cat; echo err >&2; exit 7", with(stdinOnce))
	s := r.attach(id, all)
	w := r.waiter(id, engine.WaitNextExit)
	r.start(id)
	io.WriteString(s, "in\n")
	s.CloseWrite()
	out, errw := r.read(s)
	if code := r.code(w); code != 7 || out != "in\n" || errw != "err\n" {
		t.Errorf("code %d, stdout %q, stderr %q", code, out, errw)
	}
	id = r.sh("stty size; tty; exit 3", with(terminal))
	if err := r.Resize(t.Context(), id, engine.Size{Rows: 22, Cols: 66}); err != nil && !errors.Is(err, engine.ErrNotRunning) {
		t.Fatal(err)
	}
	code, out, _ := r.run(id)
	if code != 3 || !strings.Contains(out, "/dev/pts/0\r\n") {
		t.Errorf("code %d, output %q", code, out)
	}
	id = r.create(with(nil), "/nosuch")
	if err := r.Start(t.Context(), id, engine.StartOptions{}); !errors.Is(err, engine.ErrCommandNotFound) {
		t.Errorf("a missing command: %v", err)
	}
	id = r.create(with(func(cfg *state.Config, _ *specs.Spec) { cfg.Runtime = "berth-nosuch" }), "/bin/true")
	if err := r.Start(t.Context(), id, engine.StartOptions{}); !errors.Is(err, engine.ErrUnsupported) {
		t.Errorf("a missing runtime: %v", err)
	}
	id = r.create(with(func(cfg *state.Config, _ *specs.Spec) { cfg.Init = true }), "sleep", "1000")
	r.start(id)
	if code, out, _ := r.exec(id, "/bin/readlink", "/proc/1/exe"); code != 0 || out != "/dev/init\n" {
		t.Errorf("exec: code %d, output %q", code, out)
	}
	if err := r.Pause(t.Context(), id); err != nil {
		t.Error(err)
	}
	if err := r.Kill(t.Context(), id, ""); err != nil {
		t.Error(err)
	}
	if e, _ := r.Store.ReadExit(id); e == nil || e.Code != 137 {
		t.Errorf("exit.json is %+v", e)
	}
}
