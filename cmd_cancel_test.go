package berth

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// until waits for a process to be killed.
func until(p *proc) int { <-p.kill; return 137 }

func TestCmdCancelKills(t *testing.T) {
	for name, prepare := range map[string]func(*testing.T, *Cmd){
		"no streams": func(*testing.T, *Cmd) {},
		"terminal":   func(t *testing.T, c *Cmd) { c.TTY = true; c.Stdin = neverReader(t) },
		"stdin":      func(t *testing.T, c *Cmd) { c.Stdin = neverReader(t) },
		"unread stdin": func(t *testing.T, c *Cmd) {
			c.Stdin = readerFunc(func(p []byte) (int, error) { return len(p), nil }) // the process does not read it
		},
		"unread pipe": func(t *testing.T, c *Cmd) { c.StdoutPipe() },
	} {
		t.Run(name, func(t *testing.T) {
			e := &execEngine{canKill: true, run: func(p *proc) int { go write(p.out, "x"); return until(p) }}
			c := execCommand(t, e)
			prepare(t, c)
			ctx, cancel := context.WithCancel(t.Context())
			if err := c.Start(ctx); err != nil {
				t.Fatal(err)
			}
			cancel()
			if err := c.Wait(); !errors.Is(err, context.Canceled) {
				t.Errorf("error is %v, want context.Canceled", err)
			}
			if !slices.Equal(e.killed, []string{""}) {
				t.Errorf("kills %q, want one", e.killed)
			}
		})
	}
}

// neverReader is a reader that blocks until the test's end.
func neverReader(t *testing.T) io.Reader {
	r, w := io.Pipe()
	t.Cleanup(func() { w.Close() })
	return r
}

func TestCmdCancelTriesGently(t *testing.T) {
	for name, tt := range map[string]struct {
		tty  bool
		want string
	}{"end of file": {false, ""}, "terminal": {true, "\x03"}} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 1)
			e := &execEngine{run: func(p *proc) int {
				b := make([]byte, 1)
				n, _ := io.ReadFull(p.in, b)
				got <- string(b[:n])
				return 130
			}}
			c := execCommand(t, e)
			c.TTY, c.Stdin = tt.tty, neverReader(t)
			ctx, cancel := context.WithCancel(t.Context())
			if err := c.Start(ctx); err != nil {
				t.Fatal(err)
			}
			cancel()
			if err := c.Wait(); !errors.Is(err, context.Canceled) {
				t.Errorf("error is %v, want context.Canceled", err)
			}
			if g := <-got; g != tt.want || len(e.killed) > 0 {
				t.Errorf("the process read %q, kills %q; want %q and none", g, e.killed, tt.want)
			}
		})
	}
}

func TestCmdCancelTellsThatItLivesOn(t *testing.T) {
	over := make(chan struct{})
	e := &execEngine{run: func(*proc) int { <-over; return 0 }}
	c := execCommand(t, e)
	defer close(over)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Millisecond, errors.New("too slow"))
	defer cancel()
	err := c.Run(ctx)
	alive, ok := errors.AsType[*ExecAliveError](err)
	if !ok || alive.ExecID != "exec1" || alive.Container != "c0ffee" || alive.PID != 42 {
		t.Fatalf("error is %#v, want an ExecAliveError", err)
	}
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "too slow") {
		t.Errorf("error is %v, want the context's", err)
	}
}

func TestCmdCancelOfDetachedLeavesTheProcess(t *testing.T) {
	over := make(chan struct{})
	e := &execEngine{canKill: true, run: func(*proc) int { <-over; return 0 }}
	c := execCommand(t, e)
	defer close(over)
	c.Detach = true
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := c.Run(ctx); !errors.Is(err, context.DeadlineExceeded) || len(e.killed) > 0 {
		t.Errorf("error is %v, kills %q", err, e.killed)
	}
}

func TestCmdCancelOfConn(t *testing.T) {
	e := &execEngine{canKill: true, run: until}
	c := execCommand(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	conn, err := c.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(conn); !errors.Is(err, context.Canceled) && err != nil {
		t.Errorf("read: %v", err)
	}
	if err := c.Wait(); !errors.Is(err, context.Canceled) {
		t.Errorf("wait: %v, want context.Canceled", err)
	}
	conn.Close()
}

func TestCmdCancelBeforeStart(t *testing.T) {
	e := &execEngine{canKill: true, run: until}
	c := execCommand(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want context.Canceled", err)
	}
}

// A process that has ended by itself is told of, although ctx ends at the same time.
func TestCmdEndBeatsCancel(t *testing.T) {
	e := &execEngine{canKill: true}
	c := execCommand(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	var got []byte
	over := make(chan struct{})
	e.run = func(p *proc) int {
		write(p.out, "all of it")
		p.mu.Lock()
		p.code = new(3)
		p.mu.Unlock()
		close(over)
		return 3
	}
	c.Stdout = writerFunc(func(p []byte) (int, error) {
		<-over
		cancel()
		<-release
		got = append(got, p...)
		return len(p), nil
	})
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			e.mu.Lock()
			n := e.inspects
			e.mu.Unlock()
			if n > 0 { // the interruption has asked
				close(release)
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	if err := c.Wait(); exitCode(err) != 3 || string(got) != "all of it" {
		t.Errorf("error is %v, output %q, want exit code 3 and all of it", err, got)
	}
}

func TestCmdCancelWithBlockedWriter(t *testing.T) {
	e := &execEngine{canKill: true, run: func(p *proc) int { go write(p.out, "x"); return until(p) }}
	c := execCommand(t, e)
	release := make(chan struct{})
	defer close(release)
	entered := make(chan struct{})
	c.Stdout = writerFunc(func(p []byte) (int, error) { close(entered); <-release; return len(p), nil })
	c.WaitDelay = 10 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	<-entered
	cancel()
	if err := c.Wait(); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want context.Canceled", err)
	}
}

func TestCmdKill(t *testing.T) {
	e := &execEngine{canKill: true, run: until}
	c := execCommand(t, e)
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Kill(t.Context(), "SIGTERM"); err != nil {
		t.Error(err)
	}
	if err := c.Wait(); exitCode(err) != 137 || !slices.Equal(e.killed, []string{"SIGTERM"}) {
		t.Errorf("error is %v, kills %q", err, e.killed)
	}
}
