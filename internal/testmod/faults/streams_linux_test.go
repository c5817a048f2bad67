package faults

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// source is a container with something to stream: a line every 20 ms, and files
// that no buffer on the way holds.
type source struct {
	e  rig.Engine
	id string
}

// bigSize is the size of a file that no buffer on the way holds.
const bigSize = 16 << 20

func newSource(t *testing.T, e rig.Engine) *source {
	t.Helper()
	s := &source{e: e}
	c := rig.Start(t, e.Connect(t), "i=0; while :; do echo line $i; i=$((i+1)); usleep 20000; done")
	s.id = c.ID()
	if err := c.Command("dd", "if=/dev/zero", "of=/big", "bs=1048576", "count=16").Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// with calls f with a client that is not by way of what is cut, and closes it: an
// idle connection of it would look like a leak.
func (s *source) with(f func(cli *berth.Client) error) error {
	cli, err := berth.New(context.Background(), berth.WithHost(s.e.Host))
	if err != nil {
		return err
	}
	return errors.Join(f(cli), cli.Close())
}

// stream is a call that goes on until something ends it.
type stream struct {
	name string
	// run makes the call and calls ready once data flows; after that it does not read
	// on before resume is closed, where there is more to read than buffers hold.
	run func(ctx context.Context, s *source, cli *berth.Client, ready func(), resume <-chan struct{}) error
	// silent streams do not show that they were cut: their end is all there is.
	silent bool
	// polls are the engines with which it is no stream, but asks again and again.
	polls []string
	// locks says that engines let nobody else at the container meanwhile.
	locks bool
	// registry says that it needs a registry of ours.
	registry bool
	// head is the end of a path, whose request's answer begins when the call has come
	// to wait: run does not call ready then.
	head string
}

// streams are all calls that stream or wait.
var streams = []stream{
	{name: "Containers.Run", run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), _ <-chan struct{}) error {
		return err2(cli.Containers.Run(ctx, rig.Spec("sh", "-c", "echo go; sleep 1000"), berth.RunOptions{Stdout: &firstWrite{f: ready}}))
	}},
	{name: "Containers.Run, silent", run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), _ <-chan struct{}) error {
		return err2(cli.Containers.Run(ctx, rig.Spec("sleep", "1000"), berth.RunOptions{
			DiscardStdout: true, DiscardStderr: true, Started: func(*berth.Container) { ready() },
		}))
	}},
	{name: "Cmd.Run", run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), _ <-chan struct{}) error {
		cmd := handle(ctx, cli, s.id).Command("sh", "-c", "echo go; sleep 1000")
		cmd.Stdout = &firstWrite{f: ready}
		return cmd.Run(ctx)
	}},
	{name: "Cmd.Run, terminal", run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), _ <-chan struct{}) error {
		cmd := handle(ctx, cli, s.id).Command("sh", "-c", "echo go; sleep 1000")
		cmd.Stdout, cmd.TTY = &firstWrite{f: ready}, true
		return cmd.Run(ctx)
	}},
	{name: "Cmd.Run, stdin", run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), resume <-chan struct{}) error {
		cmd := handle(ctx, cli, s.id).Command("sh", "-c", "cat; sleep 1000")
		cmd.Stdout, cmd.Stdin = &firstWrite{f: ready}, &slowReader{resume: resume, done: ctx.Done()}
		return cmd.Run(ctx)
	}},
	{name: "Cmd.Conn", silent: true, run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), _ <-chan struct{}) error {
		cmd := handle(ctx, cli, s.id).Command("sh", "-c", "echo go; exec sleep 1000")
		conn, err := cmd.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = io.Copy(&firstWrite{f: ready}, conn)
		return err
	}},
	{name: "Container.Attach", run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), _ <-chan struct{}) error {
		return handle(ctx, cli, s.id).Attach(ctx, berth.AttachOptions{Stdout: &firstWrite{f: ready}})
	}},
	{name: "Container.AttachConn", silent: true, run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), _ <-chan struct{}) error {
		conn, err := handle(ctx, cli, s.id).AttachConn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = io.Copy(&firstWrite{f: ready}, conn)
		return err
	}},
	{name: "Container.Logs", run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), _ <-chan struct{}) error {
		return each(handle(ctx, cli, s.id).Logs(ctx, berth.LogOptions{Follow: true}), ready)
	}},
	{name: "Container.LogsTo", run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), _ <-chan struct{}) error {
		return handle(ctx, cli, s.id).LogsTo(ctx, &firstWrite{f: ready}, nil, berth.LogOptions{Follow: true})
	}},
	{name: "Container.Stats", polls: []string{"podman"}, run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), _ <-chan struct{}) error {
		return each(handle(ctx, cli, s.id).Stats(ctx), ready)
	}},
	{name: "Container.TopStream", polls: rig.Kinds, run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), _ <-chan struct{}) error {
		return each(handle(ctx, cli, s.id).TopStream(ctx, berth.TopStreamOptions{Interval: 100 * time.Millisecond}), ready)
	}},
	{name: "Container.Wait", head: "/wait", run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), _ <-chan struct{}) error {
		return err2(handle(ctx, cli, s.id).Wait(ctx))
	}},
	{name: "Client.Events", run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), _ <-chan struct{}) error {
		var wg sync.WaitGroup
		defer wg.Wait()
		seen := make(chan struct{})
		stop := sync.OnceFunc(func() { close(seen) })
		defer stop()
		wg.Go(func() { // until one is seen: the subscription is made some time after the loop begins
			s.with(func(direct *berth.Client) error {
				for range 1000 {
					select {
					case <-seen:
						return nil
					default:
					}
					handle(context.Background(), direct, s.id).Command("true").Run(context.Background())
				}
				return nil
			})
		})
		return each(cli.Events(ctx), func() { stop(); ready() })
	}},
	{name: "Container.GetArchive", locks: true, run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), resume <-chan struct{}) error {
		r, _, err := handle(ctx, cli, s.id).GetArchive(ctx, "/big")
		return readSlowly(r, err, ready, resume)
	}},
	{name: "Container.Export", locks: true, run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), resume <-chan struct{}) error {
		r, err := handle(ctx, cli, s.id).Export(ctx)
		return readSlowly(r, err, ready, resume)
	}},
	{name: "Container.PutArchive", locks: true, run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), resume <-chan struct{}) error {
		tar, stop := slowTar(ready, resume)
		defer stop()
		return handle(ctx, cli, s.id).PutArchive(ctx, "/tmp", tar)
	}},
	{name: "Images.Import", run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), resume <-chan struct{}) error {
		tar, stop := slowTar(ready, resume)
		defer stop()
		return err2(cli.Images.Import(ctx, tar))
	}},
	{name: "Images.Load", run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), resume <-chan struct{}) error {
		tar, stop := slowTar(ready, resume)
		defer stop()
		return err2(cli.Images.Load(ctx, tar))
	}},
	{name: "Images.Pull", registry: true, run: func(ctx context.Context, s *source, cli *berth.Client, ready func(), _ <-chan struct{}) error {
		registry, stop, err := deafRegistry(s.e.OurAddr, ready)
		if err != nil {
			return err
		}
		defer stop()
		return err2(cli.Images.Pull(ctx, registry+"/berth-test/nothing:latest"))
	}},
}

// deafRegistry accepts connections on one of the ports that the engines take
// plain HTTP from, and never answers.
func deafRegistry(ours string, reached func()) (addr string, stop func(), err error) {
	var l net.Listener
	for _, port := range []string{"5005", "5006", "5007", "5008", "5009"} {
		if l, err = net.Listen("tcp", net.JoinHostPort(ours, port)); err == nil {
			break
		}
	}
	if err != nil {
		return "", nil, err
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			reached()
		}
	})
	return l.Addr().String(), func() {
		l.Close()
		wg.Wait()
		for _, c := range conns {
			c.Close()
		}
	}, nil
}

// handle is a handle of a container.
func handle(ctx context.Context, cli *berth.Client, id string) *berth.Container {
	c, err := cli.Containers.Get(ctx, id)
	if err != nil {
		panic(err) // within reports it
	}
	return c
}

// each ranges over an iterator, calls ready at its first value, and returns its
// error.
func each[T any](seq func(func(T, error) bool), ready func()) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
		ready()
	}
	return nil
}

// firstWrite calls f at each Write; f minds the first alone.
type firstWrite struct{ f func() }

func (w *firstWrite) Write(p []byte) (int, error) {
	w.f()
	return len(p), nil
}

// readSlowly reads the beginning of a stream, and the rest once it may.
func readSlowly(r io.ReadCloser, err error, ready func(), resume <-chan struct{}) error {
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := io.CopyN(io.Discard, r, 10_000); err != nil {
		return err
	}
	ready()
	<-resume
	n, err := io.Copy(io.Discard, r)
	if err == nil && n > bigSize-100_000 {
		return errors.New("test: the whole stream was in buffers")
	}
	return err
}

// slowReader gives a little, and nothing more before resume or done.
type slowReader struct {
	resume, done <-chan struct{}
	given        bool
}

func (r *slowReader) Read(p []byte) (int, error) {
	if !r.given {
		r.given = true
		return copy(p, "go\n"), nil
	}
	select {
	case <-r.resume:
	case <-r.done:
	}
	return 0, io.EOF
}

// slowTar is a tar with a big file, most of which does not come before resume. The
// caller calls stop once nobody reads it any more.
func slowTar(ready func(), resume <-chan struct{}) (r io.Reader, stop func()) {
	pr, pw := io.Pipe()
	stopped, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		w := tar.NewWriter(pw)
		w.WriteHeader(&tar.Header{Name: "big", Mode: 0o600, Size: bigSize, Typeflag: tar.TypeReg})
		w.Write(make([]byte, 1<<20))
		ready()
		select {
		case <-resume:
		case <-stopped:
		}
		w.Write(make([]byte, bigSize-1<<20))
		pw.CloseWithError(errors.New("test: all of it was read"))
	}()
	return pr, func() {
		close(stopped)
		pr.Close()
		<-done
	}
}
