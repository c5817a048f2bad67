package rig

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/berthdev/berth"
)

// Exercise does over cli all that streams, with bytes that no text protocol
// survives and with half-closes, and many calls at once: a transport under which
// it passes carries everything.
func Exercise(t *testing.T, cli *berth.Client) {
	c := Start(t, cli, "echo first; sleep 1000")
	blob := make([]byte, 300_000)
	rand.Read(blob)
	t.Run("run", func(t *testing.T) { exerciseRun(t, cli, blob) })
	t.Run("exec", func(t *testing.T) { exerciseExec(t, c, blob) })
	t.Run("attach", func(t *testing.T) { exerciseAttach(t, cli, blob) })
	t.Run("logs", func(t *testing.T) { exerciseLogs(t, c) })
	t.Run("archive", func(t *testing.T) { exerciseArchive(t, c, blob) })
	t.Run("events", func(t *testing.T) { exerciseEvents(t, cli, c) })
	t.Run("at once", func(t *testing.T) { exerciseMany(t, cli, c) })
}

// exerciseRun: cat ends when its input does.
func exerciseRun(t *testing.T, cli *berth.Client, blob []byte) {
	res, err := cli.Containers.Run(t.Context(), Spec("cat"),
		berth.RunOptions{Stdin: bytes.NewReader(blob)})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(res.Stdout, blob) {
		t.Errorf("cat gave %d bytes back of %d, or others", len(res.Stdout), len(blob))
	}
}

func exerciseExec(t *testing.T, c *berth.Container, blob []byte) {
	cmd := c.Command("sh", "-c", "cat; echo done >&2; exit 7")
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(blob), &stdout, &stderr
	err := cmd.Run(t.Context())
	exit, ok := errors.AsType[*berth.ExitError](err)
	if !ok || exit.Code != 7 {
		t.Fatalf("exec = %v, want exit code 7", err)
	}
	if !bytes.Equal(stdout.Bytes(), blob) || stderr.String() != "done\n" {
		t.Errorf("exec gave %d bytes of %d and %q", stdout.Len(), len(blob), &stderr)
	}
}

func exerciseAttach(t *testing.T, cli *berth.Client, blob []byte) {
	spec := Spec("cat")
	spec.OpenStdin, spec.StdinOnce = true, true
	c, err := cli.Containers.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer Remove(t, cli, c.ID())
	s, err := c.AttachConn(t.Context(), berth.AttachConnOptions{Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := s.Write(blob); err != nil {
			t.Errorf("write: %v", err)
		}
		if err := s.CloseWrite(); err != nil {
			t.Errorf("half-close: %v", err)
		}
	})
	var stdout bytes.Buffer
	err = berth.Demux(&stdout, io.Discard, s)
	wg.Wait()
	if err != nil || !bytes.Equal(stdout.Bytes(), blob) {
		t.Errorf("attach gave %d bytes of %d, %v", stdout.Len(), len(blob), err)
	}
}

// exerciseLogs: a log that is followed brings what is written meanwhile.
func exerciseLogs(t *testing.T, c *berth.Container) {
	var got []string
	for line, err := range c.Logs(t.Context(), berth.LogOptions{Follow: true}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, line.Text)
		switch line.Text {
		case "first":
			cmd := c.Command("sh", "-c", "echo second >/proc/1/fd/1")
			if err := cmd.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			continue
		}
		break
	}
	if strings.Join(got, " ") != "first second" {
		t.Errorf("the log is %q", got)
	}
}

func exerciseArchive(t *testing.T, c *berth.Container, blob []byte) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	if err := w.WriteHeader(&tar.Header{Name: "blob", Mode: 0o600, Size: int64(len(blob)), Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	w.Write(blob)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.PutArchive(t.Context(), "/home", &packed); err != nil {
		t.Fatal(err)
	}
	r, stat, err := c.GetArchive(t.Context(), "/home/blob")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	tr := tar.NewReader(r)
	head, err := tr.Next()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(tr)
	if err != nil || head.Name != "blob" || stat.Size != int64(len(blob)) || !bytes.Equal(got, blob) {
		t.Errorf("archive has %q with %d bytes of %d, stat says %d, %v", head.Name, len(got), len(blob), stat.Size, err)
	}
}

// exerciseEvents: renames are made until one is seen, since the subscription is
// made some time after the loop begins.
func exerciseEvents(t *testing.T, cli *berth.Client, c *berth.Container) {
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := c.Pause(t.Context()); err != nil {
				t.Errorf("pause %d: %v", i, err)
				return
			}
			if err := c.Unpause(t.Context()); err != nil {
				t.Errorf("unpause %d: %v", i, err)
				return
			}
		}
	})
	defer wg.Wait()
	defer close(stop)
	for ev, err := range cli.Events(t.Context(), berth.EventOptions{Filters: berth.Filters{"container": {c.ID()}}}) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(ev.Action), "pause") {
			return
		}
	}
	t.Error("the events ended")
}

// exerciseMany makes 16 calls at once, a quarter of them with streams of their own.
func exerciseMany(t *testing.T, cli *berth.Client, c *berth.Container) {
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if i%4 != 0 {
				if _, err := cli.Containers.Get(t.Context(), c.ID()); err != nil {
					t.Errorf("get %d: %v", i, err)
				}
				return
			}
			want := fmt.Sprintf("answer %d\n", i)
			out, err := c.Command("echo", "answer", fmt.Sprint(i)).Output(t.Context())
			if err != nil || string(out) != want {
				t.Errorf("exec %d = %q, %v", i, out, err)
			}
		})
	}
	wg.Wait()
}
