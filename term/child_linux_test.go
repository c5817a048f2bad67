package term

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// childMark makes the test binary the program whose terminal it is.
const childMark = "BERTH_TERM_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childMark) != "" {
		os.Exit(child())
	}
	os.Exit(m.Run())
}

// child tells each size it sees in raw mode, until it is ended.
func child() int {
	t, err := Open(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	err = t.Raw(context.Background(), func(ctx context.Context) error {
		for s := range t.Resizes(ctx) {
			fmt.Printf("%dx%d\r\n", s.Rows, s.Cols)
			if s.Rows == 99 {
				panic("ninety-nine rows")
			}
		}
		return ctx.Err()
	})
	if e, ok := errors.AsType[*SignalError](err); ok {
		return 128 + int(e.Signal.(syscall.Signal))
	}
	return 0
}

// A program on a terminal of its own is told of changes by the kernel, and
// leaves the terminal as it was however it ends.
func TestProgramOnItsTerminal(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(*os.Process, *os.File)
		code int
	}{
		"interrupt":  {func(p *os.Process, _ *os.File) { p.Signal(syscall.SIGINT) }, 130},
		"terminated": {func(p *os.Process, _ *os.File) { p.Signal(syscall.SIGTERM) }, 143},
		"panic":      {func(_ *os.Process, m *os.File) { resize(t, m, Size{99, 1}) }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			master, tty := openPTY(t)
			before := modeOf(t, tty)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childMark+"=1")
			cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(master)
			expect := func(want string) {
				t.Helper()
				if !lines.Scan() || strings.TrimSpace(lines.Text()) != want {
					t.Errorf("the program says %q, want %q (%v)", lines.Text(), want, lines.Err())
				}
			}
			expect("24x80")
			if !isRaw(modeOf(t, tty)) {
				t.Error("the terminal is not raw")
			}
			resize(t, master, Size{50, 132})
			expect("50x132")
			tt.end(cmd.Process, master)
			err := cmd.Wait()
			if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.ExitCode() != tt.code {
				t.Errorf("the program ends with %v, want %d", err, tt.code)
			}
			if got := modeOf(t, tty); got != before {
				t.Errorf("mode afterwards = %+v, before %+v", got, before)
			}
		})
	}
}
