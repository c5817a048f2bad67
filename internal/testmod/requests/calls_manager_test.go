package requests

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/testmod/rig"
)

var clientCalls = []call{
	{"New", "with WithHost", func(w *world) {
		w.record(func() error {
			cli, err := berth.New(w.ctx, berth.WithHost(w.cli.Engine().Host), berth.WithTracer(w.rec))
			if err != nil {
				return err
			}
			return cli.Close()
		})
	}},
	{"Client.Ping", "", func(w *world) { w.record(func() error { return w.cli.Ping(w.ctx) }) }},
	{"Client.Version", "", func(w *world) { w.record(func() error { return err2(w.cli.Version(w.ctx)) }) }},
	{"Client.Info", "", func(w *world) { w.record(func() error { return err2(w.cli.Info(w.ctx)) }) }},
	{"Client.DiskUsage", "", func(w *world) { w.record(func() error { return err2(w.cli.DiskUsage(w.ctx)) }) }},
	{"Client.Events", "", func(w *world) {
		w.record(func() error {
			for _, err := range w.cli.Events(w.ctx, berth.EventOptions{Since: time.Now().Add(-time.Minute), Until: time.Now()}) {
				if err != nil {
					return err
				}
			}
			return nil
		})
	}},
	{"Client.Do", "", func(w *world) {
		w.record(func() error {
			resp, err := w.cli.Do(w.ctx, http.MethodGet, "/info", nil, nil)
			if err == nil {
				resp.Body.Close()
			}
			return err
		})
	}},
}

var containersCalls = []call{
	{"Containers.Run", "", func(w *world) {
		w.record(func() error { return err2(w.cli.Containers.Run(w.ctx, w.spec("true"))) })
	}},
	{"Containers.Run", "an exit code other than 0", func(w *world) {
		w.record(func() error { return exitCode(5)(err2(w.cli.Containers.Run(w.ctx, w.spec("sh", "-c", "exit 5")))) })
	}},
	{"Containers.Run", "a command that is missing", func(w *world) {
		w.record(func() error { return exitCode(127)(err2(w.cli.Containers.Run(w.ctx, w.spec("/nosuch")))) })
	}},
	{"Containers.Run", "with Stdin", func(w *world) {
		w.record(func() error {
			return err2(w.cli.Containers.Run(w.ctx, w.spec("cat"), berth.RunOptions{Stdin: strings.NewReader("hi")}))
		})
	}},
	{"Containers.Run", "with a terminal", func(w *world) {
		spec := w.spec("true")
		spec.TTY = true
		w.record(func() error {
			return err2(w.cli.Containers.Run(w.ctx, spec, berth.RunOptions{Size: berth.Size{Rows: 10, Cols: 20}}))
		})
	}},
	{"Containers.Run", "with Spec.AutoRemove", func(w *world) {
		spec := w.spec("true")
		spec.AutoRemove = true
		w.record(func() error { return err2(w.cli.Containers.Run(w.ctx, spec)) })
	}},
	{"Containers.Run", "with RunOptions.Keep", func(w *world) {
		spec := w.spec("true")
		w.record(func() error { return err2(w.cli.Containers.Run(w.ctx, spec, berth.RunOptions{Keep: true})) })
		rig.Remove(w.t, w.other, spec.Name)
	}},
	{"Containers.Run", "with no output wanted", func(w *world) {
		w.record(func() error {
			return err2(w.cli.Containers.Run(w.ctx, w.spec("true"), berth.RunOptions{DiscardStdout: true, DiscardStderr: true}))
		})
	}},
	{"Containers.Run", "cancelled", func(w *world) {
		ctx, cancel := context.WithCancel(w.ctx)
		defer cancel()
		w.record(func() error {
			_, err := w.cli.Containers.Run(ctx, w.spec(), berth.RunOptions{Started: func(*berth.Container) { cancel() }})
			if errors.Is(err, context.Canceled) {
				return nil
			}
			return errors.New("not cancelled: " + errText(err))
		})
	}},
	{"Containers.Run", "an image that is not there", func(w *world) {
		ref := w.pushed()
		spec := w.spec("true")
		spec.Image = ref
		w.record(func() error { return err2(w.cli.Containers.Run(w.ctx, spec, berth.RunOptions{TLSVerify: w.plain()})) })
	}},
	{"Containers.Start", "", func(w *world) {
		spec := w.spec()
		w.record(func() error { return err2(w.cli.Containers.Start(w.ctx, spec)) })
		rig.Remove(w.t, w.other, spec.Name)
	}},
	{"Containers.Start", "a command that is missing", func(w *world) {
		w.record(func() error {
			_, err := w.cli.Containers.Start(w.ctx, w.spec("/nosuch"))
			if errors.Is(err, berth.ErrCommandNotFound) {
				return nil
			}
			return errors.New("the command was found: " + errText(err))
		})
	}},
	{"Containers.Create", "", func(w *world) {
		spec := w.spec()
		w.record(func() error { return err2(w.cli.Containers.Create(w.ctx, spec)) })
		rig.Remove(w.t, w.other, spec.Name)
	}},
	{"Containers.Create", "with two networks", func(w *world) {
		spec := w.spec()
		spec.NetworkMode = ""
		spec.Networks = []berth.Endpoint{{Network: w.network().Name()}, {Network: w.network().Name()}}
		w.t.Cleanup(func() { rig.Remove(w.t, w.other, spec.Name) })
		w.record(func() error { return err2(w.cli.Containers.Create(w.ctx, spec)) })
	}},
	{"Containers.Create", "with Spec.Platform", func(w *world) {
		spec := w.spec()
		spec.Platform = "linux/" + w.cli.Engine().Arch
		w.record(func() error { return err2(w.cli.Containers.Create(w.ctx, spec)) })
		rig.Remove(w.t, w.other, spec.Name)
	}},
	{"Containers.Create", "with a named volume", func(w *world) {
		spec := w.spec()
		spec.Mounts = []berth.Mount{berth.VolumeMount(w.volume().Name(), "/v")}
		w.t.Cleanup(func() { rig.Remove(w.t, w.other, spec.Name) })
		w.record(func() error { return err2(w.cli.Containers.Create(w.ctx, spec)) })
	}},
	{"Containers.Get", "", func(w *world) {
		c := w.created(w.spec())
		w.record(func() error { return err2(w.cli.Containers.Get(w.ctx, c.ID())) })
	}},
	{"Containers.Exists", "", func(w *world) {
		c := w.created(w.spec())
		w.record(func() error { return err2(w.cli.Containers.Exists(w.ctx, c.ID())) })
	}},
	{"Containers.List", "", func(w *world) {
		w.created(w.spec())
		w.record(func() error { return err2(w.cli.Containers.List(w.ctx, berth.ListOptions{All: true})) })
	}},
	{"Containers.List", "with Limit", func(w *world) {
		w.created(w.spec())
		w.record(func() error { return err2(w.cli.Containers.List(w.ctx, berth.ListOptions{Limit: 1})) })
	}},
	{"Containers.List", "with Inspect, each container", func(w *world) {
		c := w.created(w.spec())
		w.record(func() error {
			return err2(w.cli.Containers.List(w.ctx, berth.ListOptions{All: true, Inspect: true, Filters: berth.Filters{"id": {c.ID()}}}))
		})
	}},
	{"Containers.Stats", "", func(w *world) {
		c := w.running(w.spec())
		w.record(func() error {
			for _, err := range w.cli.Containers.Stats(w.ctx, []*berth.Container{c}) {
				return err
			}
			return errors.New("no sample")
		})
	}},
	{"Containers.Prune", "", func(w *world) {
		spec := w.spec()
		spec.Labels = map[string]string{"dev.berth.requests": spec.Name}
		w.created(spec)
		w.record(func() error {
			return err2(w.cli.Containers.Prune(w.ctx, berth.Filters{"label": {"dev.berth.requests=" + spec.Name}}))
		})
	}},
	{"Containers.Remove", "", func(w *world) {
		c := w.created(w.spec())
		w.record(func() error { return w.cli.Containers.Remove(w.ctx, c.ID()) })
	}},
}

// err2 is the error of a call that returns a value too.
func err2[V any](_ V, err error) error { return err }

func errText(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}

// exitCode passes an ExitError with that code.
func exitCode(code int) func(error) error {
	return func(err error) error {
		if ee, ok := errors.AsType[*berth.ExitError](err); ok && ee.Code == code {
			return nil
		}
		return errors.New("no exit code: " + errText(err))
	}
}

// drain reads a body to its end.
func drain(r io.ReadCloser, err error) error {
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err
}
