package lifetime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

// TestTerminalRestarts: clients come to, resize, write to and leave a container's terminal while its policy restarts it. Each
// has whole runs, a stream that ends, and no error but that the container does not run at that moment. Nothing is left of them.
func TestTerminalRestarts(t *testing.T) {
	w := newWorld(t)
	before := w.settled(t)
	cli := w.client(t)
	spec := sleeper("terminal")
	spec.TTY, spec.OpenStdin = true, true
	spec.Command = berth.Shell("echo begin; stty size; read -t 1 x; echo end-$x; exit 3")
	spec.RestartPolicy = berth.RestartPolicy{Name: "on-failure", MaximumRetryCount: 4}
	c, err := cli.Containers.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	first, err := c.AttachConn(t.Context(), berth.AttachConnOptions{Stdin: true, Stdout: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	wait := make(chan error, 1)
	go func() { // the end of the last run
		for {
			a, err := c.Inspect(ctx)
			if err != nil || a.State.Status == berth.StatusExited {
				wait <- err
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	fine := func(what string, err error) {
		t.Helper()
		if k := kind(err); k != "ok" && k != "not running" && k != "conflict" && k != "cut" {
			t.Errorf("%s: %v", what, err)
		}
	}
	var mu sync.Mutex
	seen := 0 // whole runs
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for n := range 3 {
		clients.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				s, err := c.AttachConn(ctx, berth.AttachConnOptions{Stdin: true, Stdout: true})
				if err != nil {
					fine("attach", err)
					time.Sleep(5 * time.Millisecond)
					continue
				}
				fine("resize", c.Resize(ctx, berth.Size{Rows: uint16(10 + n), Cols: uint16(40 + i%20)}))
				_, werr := io.WriteString(s, fmt.Sprintf("%d\n", n))
				if werr != nil && strings.Contains(werr.Error(), "context") {
					t.Errorf("write: %v", werr)
				}
				if n == 0 { // one leaves in the middle
					s.Read(make([]byte, 4))
				} else {
					text, err := io.ReadAll(s)
					fine("read", err)
					mu.Lock()
					seen += bytes.Count(text, []byte("end-"))
					mu.Unlock()
				}
				s.Close()
			}
		})
	}
	text, err := io.ReadAll(first)
	fine("the first client's read", err)
	// What others have typed meanwhile may come before the command's first word: the terminal echoes it.
	echo, run, begun := bytes.Cut(text, []byte("begin\r\n"))
	if len(bytes.Trim(echo, "012\r\n")) > 0 || !begun || !bytes.Contains(run, []byte("end-")) {
		t.Errorf("the first client has %q", text)
	}
	first.Close()
	if err := <-wait; err != nil {
		t.Errorf("wait: %v", err)
	}
	close(stop)
	clients.Wait()
	if seen == 0 {
		t.Error("no other client saw the end of a run")
	}
	a, err := c.Inspect(t.Context())
	if err != nil || a.State.ExitCode != 3 || a.RestartCount != 4 {
		t.Errorf("it is %+v, restarted %d times, %v", a.State, a.RestartCount, err)
	}
	out, err := c.CombinedLogs(t.Context())
	if n := bytes.Count(out, []byte("begin\r\n")); err != nil || n != 5 {
		t.Errorf("its log has %d runs: %q, %v", n, out, err)
	}
	if _, err := c.AttachConn(t.Context(), berth.AttachConnOptions{Stdout: true}); !errors.Is(err, berth.ErrNotRunning) {
		t.Errorf("attach to what has ended: %v", err)
	}
	remove(t, cli, "terminal")
	w.nothingNew(t, before)
}
