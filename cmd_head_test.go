package berth

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// What engines write in place of a process's output, as they were seen to.
const (
	docker20Missing = "OCI runtime exec failed: exec failed: unable to start container process: exec: \"nosuch\": executable file not found in $PATH: unknown\r\n"
	docker28Missing = "OCI runtime exec failed: exec failed: unable to start container process: exec: \"nosuch\": executable file not found in $PATH\r\n"
	docker28Denied  = "OCI runtime exec failed: exec failed: unable to start container process: exec: \"/etc/passwd\": permission denied\r\n"
	docker20User    = "unable to find user nosuch: no matching entries in passwd file\r\n"
	podmanMissing   = "Error: runc: exec failed: unable to start container process: exec: \"nosuch\": executable file not found in $PATH: OCI runtime attempted to invoke a command that was not found\n"
	podmanDenied    = "Error: runc: exec failed: unable to start container process: exec: \"/etc/passwd\": permission denied: OCI permission denied\n"
	podmanReset     = "Error: read unixpacket @->/proc/self/fd/14/attach: read: connection reset by peer\n"
)

func TestCmdEnginesWordsAreNoOutput(t *testing.T) {
	for name, tt := range map[string]struct {
		stderr  bool
		text    string
		code    int
		started bool
		want    int
		kind    error
	}{
		"Docker 20.10 missing":        {false, docker20Missing, 126, false, 127, ErrCommandNotFound},
		"Docker 28 missing":           {false, docker28Missing, 127, false, 127, ErrCommandNotFound},
		"Docker 28 not executable":    {false, docker28Denied, 126, false, 126, ErrCommandNotExecutable},
		"Docker 20.10 no such user":   {false, docker20User, 126, false, -1, nil},
		"Podman missing":              {true, podmanMissing, 127, true, 127, ErrCommandNotFound},
		"Podman missing, reset":       {true, podmanMissing + podmanReset, 127, true, 127, ErrCommandNotFound},
		"Podman not executable":       {true, podmanDenied + podmanReset, 126, true, 126, ErrCommandNotExecutable},
		"Podman missing, not started": {true, podmanMissing, 127, false, 127, ErrCommandNotFound},
	} {
		for _, tty := range []bool{false, true} {
			if tty {
				name += " terminal"
			}
			t.Run(name, func(t *testing.T) {
				c := execCommand(t, &execEngine{started: &tt.started, run: func(p *proc) int {
					w := p.out
					if tt.stderr {
						w = p.err
					}
					for line := range strings.Lines(tt.text) {
						write(w, line)
					}
					return tt.code
				}})
				c.TTY = tty
				if tt.want < 0 {
					c.User = "nosuch"
				}
				out, err := c.CombinedOutput(t.Context())
				if tt.want < 0 {
					if e, ok := errors.AsType[*InvalidError](err); !ok || e.Option != "Cmd.User" || c.ExitCode() != -1 || len(out) > 0 {
						t.Errorf("output %q, error %v, want an InvalidError of Cmd.User", out, err)
					}
					return
				}
				e, ok := errors.AsType[*ExitError](err)
				if !ok || e.Code != tt.want || c.ExitCode() != tt.want {
					t.Fatalf("error is %v, want exit code %d", err, tt.want)
				}
				if tt.kind != nil && !errors.Is(err, tt.kind) {
					t.Errorf("error is %v, want %v", err, tt.kind)
				}
				if len(out) > 0 || len(e.Stdout)+len(e.Stderr) > 0 || e.Message != strings.TrimRight(tt.text, "\r\n") {
					t.Errorf("output %q, message %q", out, e.Message)
				}
			})
		}
	}
}

func TestCmdProcessesWordsAreOutput(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		code int
	}{
		"docker exec in a container":  {docker28Missing, 127},
		"other code":                  {podmanMissing, 1},
		"success":                     {docker28Missing, 0},
		"goes on":                     {podmanMissing + "more\n", 127},
		"no line end":                 {strings.TrimSpace(docker28Missing), 127},
		"unix line end":               {"OCI runtime exec failed: foo\n", 127},
		"error of a program":          {"Error: file not found\n", 127},
		"half a line":                 {"Error: ", 127},
		"beginning":                   {"O", 127},
		"shell":                       {"sh: nosuch: not found\n", 127},
		"longer than what is held":    {"Error: " + strings.Repeat("x", 2*maxHead), 127},
		"engine's words not at first": {"x\n" + podmanMissing, 127},
	} {
		t.Run(name, func(t *testing.T) {
			c := execCommand(t, &execEngine{run: func(p *proc) int {
				for i := range len(tt.text) { // the worst way to write
					if _, err := p.out.Write([]byte{tt.text[i]}); err != nil {
						return 1
					}
				}
				return tt.code
			}})
			out, err := c.Output(t.Context())
			if string(out) != tt.text {
				t.Errorf("output %q, want %q", out, tt.text)
			}
			if e, ok := errors.AsType[*ExitError](err); tt.code != 0 && (!ok || e.Code != tt.code || e.Message != "") {
				t.Errorf("error is %v, want exit code %d", err, tt.code)
			}
		})
	}
}

// Output must pass at once when it cannot be an engine's.
func TestCmdOutputIsNotHeldBack(t *testing.T) {
	for _, text := range []string{"Enter: ", "prompt", "Error: no such file\n", "\n"} {
		c := execCommand(t, &execEngine{run: func(p *proc) int {
			write(p.out, text)
			io.Copy(io.Discard, p.in) // goes on until the text was read
			return 0
		}})
		in, err1 := c.StdinPipe()
		out, err2 := c.StdoutPipe()
		if err := errors.Join(err1, err2, c.Start(t.Context())); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, len(text))
		if _, err := io.ReadFull(out, b); err != nil || string(b) != text {
			t.Errorf("read %q, %v, want %q", b, err, text)
		}
		in.Close()
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	}
}

func FuzzCmdHead(f *testing.F) {
	for _, s := range []string{docker20Missing, docker20User, podmanMissing + podmanReset, "Error: x\n", "out", ""} {
		f.Add(s, 3, 0)
	}
	f.Fuzz(func(t *testing.T, text string, chunk, code int) {
		var out strings.Builder
		h := head{stdout: &out, stderr: io.Discard}
		w := h.writer(1)
		for s := text; s != ""; {
			n := min(len(s), max(1, chunk))
			w.Write([]byte(s[:n]))
			s = s[n:]
		}
		if h.holds() {
			h.decide(nil)
		}
		if out.String() != text { // nothing is known of the process: all of it is output
			t.Errorf("%q became %q", text, out.String())
		}
	})
}
