package berth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth/internal/leaktest"
)

// startAttached attaches to a created container, starts it, and returns Attach's
// error.
func startAttached(t *testing.T, c *Container, o AttachOptions) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- c.Attach(soon(t), o) }()
	for !attached(c) {
		time.Sleep(time.Millisecond)
	}
	if err := c.Start(soon(t)); err != nil {
		t.Fatal(err)
	}
	return <-done
}

// attached tells whether the fake engine has seen an attach.
func attached(c *Container) bool {
	return slices.Contains(c.cli.e.(interface{ Calls() []string }).Calls(), "ContainerAttach")
}

func TestAttach(t *testing.T) {
	leaktest.Check(t)
	cli, _ := newFake(t)
	s := spec("cat")
	s.OpenStdin, s.StdinOnce = true, true
	c, err := cli.Containers.Create(soon(t), s)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	data := randomBytes(4)
	if err := startAttached(t, c, AttachOptions{Stdin: bytes.NewReader(data), Stdout: &out}); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(out.Bytes(), data) {
		t.Errorf("%d bytes of %d", out.Len(), len(data))
	}
	// It has ended: attaching neither hangs nor disturbs it.
	if err := c.Attach(soon(t), AttachOptions{Stdout: io.Discard}); !errors.Is(err, ErrNotRunning) {
		t.Errorf("attach to an ended container: %v", err)
	}
}

func TestAttachCancelled(t *testing.T) {
	leaktest.Check(t)
	cli, _ := newFake(t)
	c, err := cli.Containers.Start(soon(t), spec("yes"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	in, _ := pipe(t)
	n := 0
	err = c.Attach(ctx, AttachOptions{Stdin: in, Stdout: writeFunc(func(p []byte) (int, error) {
		if n += len(p); n > 1000 {
			cancel()
		}
		return len(p), nil
	})})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if s, err := c.Status(soon(t)); s != StatusRunning || err != nil {
		t.Errorf("the container is %s, %v", s, err)
	}
	boom := errors.New("boom")
	if err = c.Attach(soon(t), AttachOptions{Stdout: writeFunc(func([]byte) (int, error) { return 0, boom })}); !errors.Is(err, boom) {
		t.Errorf("failing writer: %v", err)
	}
}

func TestAttachLostConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cli, e := newFake(t)
		c, err := cli.Containers.Start(t.Context(), spec("sleep"))
		if err != nil {
			t.Fatal(err)
		}
		go func() { time.Sleep(time.Second); e.Drop(c.ID()) }()
		if err := c.Attach(t.Context(), AttachOptions{Stdout: io.Discard}); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("error %v", err)
		}
		if err := c.Remove(t.Context(), RemoveOptions{Force: true}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
	})
}

func TestAttachDetach(t *testing.T) {
	cli, _ := newFake(t)
	s := spec("detach")
	s.TTY, s.OpenStdin = true, true
	c, err := cli.Containers.Create(soon(t), s)
	if err != nil {
		t.Fatal(err)
	}
	in, w := pipe(t)
	w.WriteString("x\x10\x11")
	if err := startAttached(t, c, AttachOptions{Stdin: in}); !errors.Is(err, ErrDetached) {
		t.Errorf("error %v", err)
	}
	if s, _ := c.Status(soon(t)); s != StatusRunning {
		t.Errorf("the container is %s", s)
	}
}

func TestAttachRefuses(t *testing.T) {
	cli, _ := newFake(t)
	s := spec("sleep")
	s.TTY = true
	c, err := cli.Containers.Start(soon(t), s)
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]AttachOptions{
		"nothing": {}, "stderr of a terminal": {Stderr: io.Discard}, "keys": {Stdout: io.Discard, DetachKeys: "ctrl-1"},
	} {
		if err := c.Attach(soon(t), o); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAttachConn(t *testing.T) {
	leaktest.Check(t)
	cli, _ := newFake(t)
	s := spec("cat")
	s.OpenStdin = true
	c, err := cli.Containers.Create(soon(t), s)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := c.AttachConn(soon(t), AttachConnOptions{Stdin: true, Stdout: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := c.Start(soon(t)); err != nil {
		t.Fatal(err)
	}
	go func() {
		io.WriteString(conn, "raw")
		conn.CloseWrite()
	}()
	var out strings.Builder
	if err := Demux(&out, nil, conn); err != nil || out.String() != "raw" {
		t.Errorf("%q, %v", out.String(), err)
	}
}
