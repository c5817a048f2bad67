package execkill

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

var podman = engine.Identity{Name: "podman"}

// column makes Podman's answer of process IDs.
func column(rows ...[]string) *engine.Top {
	return &engine.Top{Titles: []string{"PID", "HPID"}, Rows: rows}
}

func TestKillByTop(t *testing.T) {
	f := &fakeEngine{identity: podman, state: always(500), top: column([]string{"1", "499"}, []string{"7", "500"})}
	f.run = func(engine.ExecSpec) (string, int, error) { return sent + "\n", 0, nil }
	if err := kill(t, f, "TERM", ""); err != nil {
		t.Fatal(err)
	}
	want := []engine.ExecSpec{{Cmd: []string{"sh", "-c", `kill -"$1" "$2" && echo ` + sent, "sh", "15", "7"}, User: "u", AttachStdout: true, AttachStderr: true}}
	if diff := cmp.Diff(want, f.ran); diff != "" {
		t.Error(diff)
	}
}

// An image without a shell may have kill.
func TestKillByTopWithoutShell(t *testing.T) {
	f := &fakeEngine{identity: podman, state: always(500), top: column([]string{"7", "500"})}
	f.run = func(spec engine.ExecSpec) (string, int, error) {
		if spec.Cmd[0] == "sh" {
			return "not found", 127, nil
		}
		return "", 0, nil
	}
	if err := kill(t, f, "", ""); err != nil {
		t.Fatal(err)
	}
	if got := f.ran[len(f.ran)-1].Cmd; !slices.Equal(got, []string{"kill", "-9", "7"}) {
		t.Errorf("it ran %q", got)
	}
}

func TestKillByTopFails(t *testing.T) {
	none := func(engine.ExecSpec) (string, int, error) { return "no", 127, nil }
	for name, c := range map[string]struct {
		f    fakeEngine
		want string
	}{
		"top fails":              {fakeEngine{topErr: errors.New("no top")}, "no top"},
		"no such process":        {fakeEngine{top: column([]string{"7", "501"})}, "not among"},
		"never the first":        {fakeEngine{top: column([]string{"1", "500"})}, "not among"},
		"other titles":           {fakeEngine{top: &engine.Top{Titles: []string{"PID", "USER"}, Rows: [][]string{{"7", "500"}}}}, "not among"},
		"short rows":             {fakeEngine{top: column([]string{"7"}, nil)}, "not among"},
		"no numbers":             {fakeEngine{top: column([]string{"x", "500"}, []string{"7", "x"})}, "not among"},
		"neither shell nor kill": {fakeEngine{top: column([]string{"7", "500"}), run: none}, `exit code 127: "no"`},
		"exec fails":             {fakeEngine{top: column([]string{"7", "500"})}, "unexpected exec"},
		"exit code is lost":      {fakeEngine{top: column([]string{"7", "500"}), run: none, loseCode: true}, "lost the exit code"},
		// A shell that says nothing has not sent the signal.
		"silent shell": {fakeEngine{top: column([]string{"7", "500"}), run: func(s engine.ExecSpec) (string, int, error) {
			if s.Cmd[0] == "sh" {
				return "", 0, nil
			}
			return "", 1, nil
		}}, "exit code 0"},
	} {
		t.Run(name, func(t *testing.T) {
			c.f.identity, c.f.state = podman, always(500)
			wantAlive(t, kill(t, &c.f, "", ""), c.want)
		})
	}
}

// The signal must not go to a process that has taken over the number.
func TestKillByTopChecksTheProcessAgain(t *testing.T) {
	calls := 0
	f := &fakeEngine{identity: podman, top: column([]string{"7", "500"})}
	f.state = func() (*engine.ExecState, error) {
		st, _ := always(500)()
		if calls++; calls > 1 {
			st.Running = false
		}
		return st, nil
	}
	if err := kill(t, f, "", ""); err != nil || len(f.ran) != 0 {
		t.Errorf("%v; it ran %v", err, f.ran)
	}
	calls = 0
	f.state = func() (*engine.ExecState, error) {
		st, _ := always(500)()
		if calls++; calls > 1 {
			st.PID = 600
		}
		return st, nil
	}
	wantAlive(t, kill(t, f, "", ""), "another process ID")
	if len(f.ran) != 0 {
		t.Errorf("it ran %v", f.ran)
	}
}

func TestKillIsFoundInLongOutput(t *testing.T) {
	f := &fakeEngine{state: always(5)}
	f.run = func(engine.ExecSpec) (string, int, error) { return strings.Repeat("x", 1<<20), 1, nil }
	wantAlive(t, kill(t, f, "", "X=1"), "exit code 1")
}
