package faults

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// world is what calls need that have a receiver.
type world struct {
	cli     *berth.Client
	c       *berth.Container
	image   *berth.Image
	volume  *berth.Volume
	network *berth.Network
	secret  *berth.Secret // nil with Docker
	cmd     *berth.Cmd    // started
}

// member is a member of the facade that takes a context.
type member struct {
	name string // Type.Method
	call func(ctx context.Context, w *world) error
}

// refreshes are the members whose last request looks at the container again, which
// changes nothing about their success or failure.
var refreshes = []string{
	"Containers.Create", "Containers.Start", "Container.Kill", "Container.Pause", "Container.Rename", "Container.Restart",
	"Container.Start", "Container.Stop", "Container.Unpause", "Container.Update", "Container.Init", "Container.RunHealthcheck",
}

// polls are the members that ask again and again until their context ends.
var polls = []string{"Container.Attach", "Container.WaitFor"}

// members are all of them; TestMembersAreComplete holds that.
var members = []member{
	{"Client.DiskUsage", func(ctx context.Context, w *world) error { return err2(w.cli.DiskUsage(ctx)) }},
	{"Client.Do", func(ctx context.Context, w *world) error {
		resp, err := w.cli.Do(ctx, "GET", "/info", nil, http.Header{})
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		return err
	}},
	{"Client.Events", func(ctx context.Context, w *world) error { return last(w.cli.Events(ctx)) }},
	{"Client.Info", func(ctx context.Context, w *world) error { return err2(w.cli.Info(ctx)) }},
	{"Client.Ping", func(ctx context.Context, w *world) error { return w.cli.Ping(ctx) }},
	{"Client.Version", func(ctx context.Context, w *world) error { return err2(w.cli.Version(ctx)) }},

	{"Containers.Create", func(ctx context.Context, w *world) error {
		return w.made(w.cli.Containers.Create(ctx, rig.Spec("true")))
	}},
	{"Containers.Exists", func(ctx context.Context, w *world) error { return err2(w.cli.Containers.Exists(ctx, rig.ID)) }},
	{"Containers.Get", func(ctx context.Context, w *world) error { return err2(w.cli.Containers.Get(ctx, rig.ID)) }},
	{"Containers.List", func(ctx context.Context, w *world) error {
		return err2(w.cli.Containers.List(ctx, berth.ListOptions{All: true, Inspect: true}))
	}},
	{"Containers.Prune", func(ctx context.Context, w *world) error {
		return err2(w.cli.Containers.Prune(ctx, berth.Filters{"label": {"no.such.label"}}))
	}},
	{"Containers.Remove", func(ctx context.Context, w *world) error { return w.cli.Containers.Remove(ctx, rig.ID) }},
	{"Containers.Run", func(ctx context.Context, w *world) error {
		return err2(w.cli.Containers.Run(ctx, rig.Spec("true"), berth.RunOptions{Stdin: strings.NewReader("x")}))
	}},
	{"Containers.Start", func(ctx context.Context, w *world) error {
		return w.made(w.cli.Containers.Start(ctx, rig.Spec("true")))
	}},
	{"Containers.Stats", func(ctx context.Context, w *world) error {
		return last(w.cli.Containers.Stats(ctx, []*berth.Container{w.c}))
	}},

	{"Container.Addr", func(ctx context.Context, w *world) error { return err2(w.c.Addr(ctx, "80/tcp")) }},
	{"Container.Attach", func(ctx context.Context, w *world) error {
		return w.c.Attach(ctx, berth.AttachOptions{Stdout: io.Discard})
	}},
	{"Container.AttachConn", func(ctx context.Context, w *world) error { return drain(w.c.AttachConn(ctx)) }},
	{"Container.CombinedLogs", func(ctx context.Context, w *world) error { return err2(w.c.CombinedLogs(ctx)) }},
	{"Container.Commit", func(ctx context.Context, w *world) error {
		return err2(w.c.Commit(ctx, berth.CommitOptions{Repository: "berth-test/x"}))
	}},
	{"Container.CopyFrom", func(ctx context.Context, w *world) error {
		dir, err := os.MkdirTemp("", "berth")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		return w.c.CopyFrom(ctx, "/etc/passwd", dir)
	}},
	{"Container.CopyTo", func(ctx context.Context, w *world) error {
		return w.c.CopyTo(ctx, "/tmp", fstest.MapFS{"f": {Data: []byte("x")}})
	}},
	{"Container.Diff", func(ctx context.Context, w *world) error { return err2(w.c.Diff(ctx)) }},
	{"Container.Export", func(ctx context.Context, w *world) error { return drain(w.c.Export(ctx)) }},
	{"Container.FS", func(ctx context.Context, w *world) error { return err2(fs.ReadFile(w.c.FS(ctx), "etc/passwd")) }},
	{"Container.GetArchive", func(ctx context.Context, w *world) error {
		r, _, err := w.c.GetArchive(ctx, "/etc")
		return drain(r, err)
	}},
	{"Container.Health", func(ctx context.Context, w *world) error { return err2(w.c.Health(ctx)) }},
	{"Container.Image", func(ctx context.Context, w *world) error { return err2(w.c.Image(ctx)) }},
	{"Container.Init", func(ctx context.Context, w *world) error { return w.c.Init(ctx) }},
	{"Container.Inspect", func(ctx context.Context, w *world) error { return err2(w.c.Inspect(ctx)) }},
	{"Container.Kill", func(ctx context.Context, w *world) error { return w.c.Kill(ctx, "SIGCONT") }},
	{"Container.Logs", func(ctx context.Context, w *world) error {
		return last(w.c.Logs(ctx, berth.LogOptions{Follow: true}))
	}},
	{"Container.LogsTo", func(ctx context.Context, w *world) error { return w.c.LogsTo(ctx, io.Discard, io.Discard) }},
	{"Container.Pause", func(ctx context.Context, w *world) error { return w.c.Pause(ctx) }},
	{"Container.Ports", func(ctx context.Context, w *world) error { return err2(w.c.Ports(ctx)) }},
	{"Container.PutArchive", func(ctx context.Context, w *world) error {
		return w.c.PutArchive(ctx, "/tmp", strings.NewReader(strings.Repeat("\x00", 1024)))
	}},
	{"Container.ReadFile", func(ctx context.Context, w *world) error { return err2(w.c.ReadFile(ctx, "/etc/passwd")) }},
	{"Container.Reload", func(ctx context.Context, w *world) error { return w.c.Reload(ctx) }},
	{"Container.Remove", func(ctx context.Context, w *world) error { return w.c.Remove(ctx) }},
	{"Container.Rename", func(ctx context.Context, w *world) error { return w.c.Rename(ctx, rig.Name()) }},
	{"Container.Resize", func(ctx context.Context, w *world) error { return w.c.Resize(ctx, berth.Size{Rows: 1, Cols: 1}) }},
	{"Container.Restart", func(ctx context.Context, w *world) error {
		return w.c.Restart(ctx, berth.StopOptions{Timeout: new(time.Duration)})
	}},
	{"Container.RunHealthcheck", func(ctx context.Context, w *world) error { return err2(w.c.RunHealthcheck(ctx)) }},
	{"Container.Start", func(ctx context.Context, w *world) error { return w.c.Start(ctx) }},
	{"Container.StatPath", func(ctx context.Context, w *world) error { return err2(w.c.StatPath(ctx, "/etc")) }},
	{"Container.Stats", func(ctx context.Context, w *world) error { return last(w.c.Stats(ctx)) }},
	{"Container.StatsOnce", func(ctx context.Context, w *world) error { return err2(w.c.StatsOnce(ctx)) }},
	{"Container.Status", func(ctx context.Context, w *world) error { return err2(w.c.Status(ctx)) }},
	{"Container.Stop", func(ctx context.Context, w *world) error {
		return w.c.Stop(ctx, berth.StopOptions{Timeout: new(time.Duration)})
	}},
	{"Container.Top", func(ctx context.Context, w *world) error { return err2(w.c.Top(ctx)) }},
	{"Container.TopStream", func(ctx context.Context, w *world) error { return last(w.c.TopStream(ctx)) }},
	{"Container.Unpause", func(ctx context.Context, w *world) error { return w.c.Unpause(ctx) }},
	{"Container.Update", func(ctx context.Context, w *world) error {
		return err2(w.c.Update(ctx, berth.Update{PidsLimit: new(int64(1000))}))
	}},
	{"Container.Wait", func(ctx context.Context, w *world) error { return err2(w.c.Wait(ctx)) }},
	{"Container.WaitFor", func(ctx context.Context, w *world) error { return w.c.WaitFor(ctx, berth.LogMatches("never")) }},
	{"Container.WriteFile", func(ctx context.Context, w *world) error { return w.c.WriteFile(ctx, "/tmp/f", []byte("x"), 0o600) }},

	{"Cmd.CombinedOutput", func(ctx context.Context, w *world) error { return err2(w.c.Command("true").CombinedOutput(ctx)) }},
	{"Cmd.Conn", func(ctx context.Context, w *world) error {
		cmd := w.c.Command("true")
		err := drain(cmd.Conn(ctx))
		if err == nil {
			err = cmd.Wait()
		}
		return err
	}},
	{"Cmd.Inspect", func(ctx context.Context, w *world) error { return err2(w.cmd.Inspect(ctx)) }},
	{"Cmd.Kill", func(ctx context.Context, w *world) error { return w.cmd.Kill(ctx, "SIGCONT") }},
	{"Cmd.Output", func(ctx context.Context, w *world) error { return err2(w.c.Command("true").Output(ctx)) }},
	{"Cmd.Resize", func(ctx context.Context, w *world) error { return w.cmd.Resize(ctx, berth.Size{Rows: 1, Cols: 1}) }},
	{"Cmd.Run", func(ctx context.Context, w *world) error {
		cmd := w.c.Command("cat")
		cmd.Stdin, cmd.Stdout = strings.NewReader("x"), io.Discard
		return cmd.Run(ctx)
	}},
	{"Cmd.Start", func(ctx context.Context, w *world) error {
		cmd := w.c.Command("true")
		if err := cmd.Start(ctx); err != nil {
			return err
		}
		return cmd.Wait()
	}},

	{"Images.Exists", func(ctx context.Context, w *world) error { return err2(w.cli.Images.Exists(ctx, rig.Image)) }},
	{"Images.Get", func(ctx context.Context, w *world) error { return err2(w.cli.Images.Get(ctx, rig.Image)) }},
	{"Images.History", func(ctx context.Context, w *world) error { return err2(w.cli.Images.History(ctx, rig.Image)) }},
	{"Images.Import", func(ctx context.Context, w *world) error {
		return err2(w.cli.Images.Import(ctx, strings.NewReader(strings.Repeat("\x00", 1024))))
	}},
	{"Images.Inspect", func(ctx context.Context, w *world) error { return err2(w.cli.Images.Inspect(ctx, rig.Image)) }},
	{"Images.List", func(ctx context.Context, w *world) error { return err2(w.cli.Images.List(ctx)) }},
	{"Images.Load", func(ctx context.Context, w *world) error { return err2(w.cli.Images.Load(ctx, strings.NewReader("x"))) }},
	{"Images.Prune", func(ctx context.Context, w *world) error {
		return err2(w.cli.Images.Prune(ctx, berth.Filters{"label": {"no.such.label"}}))
	}},
	{"Images.Pull", func(ctx context.Context, w *world) error { return err2(w.cli.Images.Pull(ctx, nowhere)) }},
	{"Images.Pulling", func(ctx context.Context, w *world) error { return last(w.cli.Images.Pulling(ctx, nowhere)) }},
	{"Images.Push", func(ctx context.Context, w *world) error { return w.cli.Images.Push(ctx, nowhere) }},
	{"Images.Remove", func(ctx context.Context, w *world) error { return err2(w.cli.Images.Remove(ctx, nowhere)) }},
	{"Images.Save", func(ctx context.Context, w *world) error {
		return drain(w.cli.Images.Save(ctx, []string{rig.Image}))
	}},
	{"Images.Tag", func(ctx context.Context, w *world) error { return w.cli.Images.Tag(ctx, nowhere, nowhere) }},
	{"Image.History", func(ctx context.Context, w *world) error { return err2(w.image.History(ctx)) }},
	{"Image.Reload", func(ctx context.Context, w *world) error { return w.image.Reload(ctx) }},
	{"Image.Remove", func(ctx context.Context, w *world) error { return err2(w.image.Remove(ctx)) }},
	{"Image.Save", func(ctx context.Context, w *world) error { return drain(w.image.Save(ctx)) }},
	{"Image.Tag", func(ctx context.Context, w *world) error { return w.image.Tag(ctx, nowhere) }},

	{"Networks.Connect", func(ctx context.Context, w *world) error {
		return w.cli.Networks.Connect(ctx, w.network.Name(), w.c.ID())
	}},
	{"Networks.Create", func(ctx context.Context, w *world) error {
		return err2(w.cli.Networks.Create(ctx, berth.NetworkCreateOptions{Name: rig.Name()}))
	}},
	{"Networks.Disconnect", func(ctx context.Context, w *world) error {
		return w.cli.Networks.Disconnect(ctx, w.network.Name(), w.c.ID())
	}},
	{"Networks.Get", func(ctx context.Context, w *world) error { return err2(w.cli.Networks.Get(ctx, "n")) }},
	{"Networks.List", func(ctx context.Context, w *world) error { return err2(w.cli.Networks.List(ctx)) }},
	{"Networks.Prune", func(ctx context.Context, w *world) error {
		return err2(w.cli.Networks.Prune(ctx, berth.Filters{"label": {"no.such.label"}}))
	}},
	{"Networks.Remove", func(ctx context.Context, w *world) error { return w.cli.Networks.Remove(ctx, rig.Name()) }},
	{"Network.Connect", func(ctx context.Context, w *world) error { return w.network.Connect(ctx, w.c.ID()) }},
	{"Network.Disconnect", func(ctx context.Context, w *world) error { return w.network.Disconnect(ctx, w.c.ID()) }},
	{"Network.Reload", func(ctx context.Context, w *world) error { return w.network.Reload(ctx) }},
	{"Network.Remove", func(ctx context.Context, w *world) error { return w.network.Remove(ctx) }},

	{"Volumes.Create", func(ctx context.Context, w *world) error {
		return err2(w.cli.Volumes.Create(ctx, berth.VolumeCreateOptions{Name: rig.Name()}))
	}},
	{"Volumes.Get", func(ctx context.Context, w *world) error { return err2(w.cli.Volumes.Get(ctx, "v")) }},
	{"Volumes.List", func(ctx context.Context, w *world) error { return err2(w.cli.Volumes.List(ctx)) }},
	{"Volumes.Prune", func(ctx context.Context, w *world) error {
		return err2(w.cli.Volumes.Prune(ctx, berth.Filters{"label": {"no.such.label"}}))
	}},
	{"Volumes.Remove", func(ctx context.Context, w *world) error { return w.cli.Volumes.Remove(ctx, rig.Name()) }},
	{"Volume.Reload", func(ctx context.Context, w *world) error { return w.volume.Reload(ctx) }},
	{"Volume.Remove", func(ctx context.Context, w *world) error { return w.volume.Remove(ctx) }},

	{"Secrets.Create", func(ctx context.Context, w *world) error {
		return err2(w.cli.Secrets.Create(ctx, rig.Name(), []byte("x")))
	}},
	{"Secrets.Get", func(ctx context.Context, w *world) error { return err2(w.cli.Secrets.Get(ctx, "s")) }},
	{"Secrets.List", func(ctx context.Context, w *world) error { return err2(w.cli.Secrets.List(ctx)) }},
	{"Secrets.Remove", func(ctx context.Context, w *world) error { return w.cli.Secrets.Remove(ctx, rig.Name()) }},
	{"Secret.Remove", func(ctx context.Context, w *world) error {
		if w.secret == nil {
			return w.cli.Secrets.Remove(ctx, "s")
		}
		return w.secret.Remove(ctx)
	}},
}

// nowhere is an image that no engine has.
const nowhere = "registry.test/nowhere:latest"

// TestMembersAreComplete: every exported method of the facade that takes a context
// is in the table, and nothing else.
func TestMembersAreComplete(t *testing.T) {
	var want []string
	ctxType := reflect.TypeFor[context.Context]()
	for _, v := range []any{
		&berth.Client{}, &berth.Containers{}, &berth.Container{}, &berth.Cmd{}, &berth.Images{}, &berth.Image{},
		&berth.Networks{}, &berth.Network{}, &berth.Volumes{}, &berth.Volume{}, &berth.Secrets{}, &berth.Secret{},
	} {
		typ := reflect.TypeOf(v)
		for m := range typ.Methods() {
			if m.Type.NumIn() > 1 && m.Type.In(1) == ctxType {
				want = append(want, typ.Elem().Name()+"."+m.Name)
			}
		}
	}
	var have []string
	for _, m := range members {
		have = append(have, m.name)
	}
	for _, name := range want {
		if !slices.Contains(have, name) {
			t.Errorf("%s is not in the table", name)
		}
	}
	for i, name := range have {
		if !slices.Contains(want, name) || slices.Contains(have[:i], name) {
			t.Errorf("%s is in the table, but no such member, or twice", name)
		}
	}
}

// made removes a container that was made after all.
func (w *world) made(c *berth.Container, err error) error {
	if err == nil && c.ID() != rig.ID {
		err = c.Remove(context.Background(), berth.RemoveOptions{Force: true, Volumes: true})
	}
	return err
}

func err2[T any](_ T, err error) error { return err }

// last drains an iterator and returns its error.
func last[T any](seq iter.Seq2[T, error]) error {
	count := 0
	var last error
	for _, err := range seq {
		if last != nil {
			return fmt.Errorf("the iterator goes on after its error: %v", last)
		}
		count++
		last = err
	}
	return last
}

// drain reads a stream to its end.
func drain[R io.ReadCloser](r R, err error) error {
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	r.Close()
	return err
}
