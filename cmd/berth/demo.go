package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

func newDemo(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "demo [flags]",
		Short: "Show on this machine what berth does, and remove it again",
		Long: `Make a small image of this machine's own programs, run it, execute a command
in it, read a file out of it, show what it uses, and remove everything; and tell
how long each step took. Nothing is downloaded and nothing has to be installed.

It runs on the engine that is linked into berth, with all of its files in a
temporary directory, unless --host, --engine or --context names another one.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.demo(cmd.Context())
		},
	}
}

// demoImage is the name of the image that the demo makes.
const demoImage = "localhost/berth-demo:latest"

// demo is one run of the command: what it has made, and how it tells.
type demo struct {
	out  *bufio.Writer
	cli  *berth.Client
	last time.Time // when the step began that comes next
	all  time.Time // when the first one began

	network string // of the containers; "" is the engine's default
}

func (a *app) demo(ctx context.Context) (err error) {
	d := &demo{out: bufio.NewWriter(outputFile{a.stdout}), all: time.Now()}
	d.last = d.all
	defer func() { err = errors.Join(err, d.out.Flush()) }()

	remove, err := a.demoEngine(ctx, d)
	if err != nil {
		return err
	}
	clean := context.WithoutCancel(ctx)
	defer func() {
		err = errors.Join(err, remove(clean))
		if err == nil {
			d.step("removed everything")
			fmt.Fprintf(d.out, "%9s   in all\n", inMilliseconds(time.Since(d.all)))
		}
	}()

	if err := d.image(ctx); err != nil {
		return fmt.Errorf("make the image: %w", err)
	}
	defer func() {
		_, rerr := d.cli.Images.Remove(clean, demoImage, berth.ImageRemoveOptions{Force: true})
		err = errors.Join(err, rerr)
	}()
	if err := d.run(ctx); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	return d.detached(ctx)
}

// demoEngine chooses the engine; remove undoes it.
func (a *app) demoEngine(ctx context.Context, d *demo) (remove func(context.Context) error, err error) {
	if a.host != "" || a.engine != "" || a.context != "" {
		d.cli, err = a.client(ctx)
		remove = func(context.Context) error { return nil }
	} else {
		d.cli, remove, err = a.ownEngine(ctx)
	}
	if err != nil {
		return nil, err
	}
	id := d.cli.Engine()
	d.step("opened the engine %s %s", id.Name, id.Version)
	return remove, nil
}

// step tells what was done since the last one, and how long that took. What it
// did is to be seen at once, not when all is over.
func (d *demo) step(format string, args ...any) {
	fmt.Fprintf(d.out, "%9s   %s\n", inMilliseconds(time.Since(d.last)), fmt.Sprintf(format, args...))
	d.out.Flush()
	d.last = time.Now()
}

// says shows what a container has printed.
func (d *demo) says(output []byte) {
	for line := range strings.Lines(string(output)) {
		fmt.Fprintf(d.out, "%9s | %s\n", "", printable(strings.TrimRight(line, "\r\n")))
	}
}

func inMilliseconds(t time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(t.Microseconds())/1000)
}

// image makes the image.
func (d *demo) image(ctx context.Context) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(writeDemoImage(w)) }()
	defer r.Close()
	img, err := d.cli.Images.Import(ctx, r, berth.ImportOptions{Reference: demoImage, Changes: []string{`CMD ["/bin/sh"]`}})
	if err != nil {
		return err
	}
	d.step("made the image %s, %s, of this machine's own programs", demoImage, shortID(img.ID(), false))
	return nil
}

// run runs a container to its end.
func (d *demo) run(ctx context.Context) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	spec := berth.Spec{
		Image:   demoImage,
		Command: berth.Shell(`echo "hello from a real container: process $$ of host $(cat /etc/hostname), not ` + host + `"`),
	}
	res, err := d.cli.Containers.Run(ctx, spec)
	if u, ok := errors.AsType[*berth.UnsupportedError](err); ok && u.Option == "Spec.NetworkMode" {
		d.step("do without a network: %s", u.Reason)
		d.network = "none"
		spec.NetworkMode = d.network
		res, err = d.cli.Containers.Run(ctx, spec)
	}
	if err != nil {
		return err
	}
	d.step("ran a container to its end, and removed it")
	d.says(res.Stdout)
	return nil
}

// detached does what one does with a container that goes on.
func (d *demo) detached(ctx context.Context) (err error) {
	spec := berth.Spec{
		Image:       demoImage,
		Command:     berth.Shell(`echo ready; while :; do sleep 1; done`),
		NetworkMode: d.network,
		Resources:   berth.Resources{Memory: 64 * berth.MiB},
		StopTimeout: new(time.Duration(0)),
	}
	limit := "with a limit of 64 MiB"
	c, err := d.cli.Containers.Start(ctx, spec)
	if u, ok := errors.AsType[*berth.UnsupportedError](err); ok && strings.HasPrefix(u.Option, "Spec.Resources.") {
		limit = "without a limit, which needs " + u.Need
		spec.Resources = berth.Resources{}
		c, err = d.cli.Containers.Start(ctx, spec)
	}
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	defer func() {
		if rerr := c.Remove(context.WithoutCancel(ctx), berth.RemoveOptions{Force: true, Volumes: true}); rerr != nil {
			err = errors.Join(err, rerr)
		} else if err == nil {
			d.step("killed it, and removed it")
		}
	}()
	d.step("started %s in the background, %s", c.Name(), limit)

	out, err := c.Command("/bin/sh", "-c", `echo "written by process $$ in the container" | tee /tmp/note`).Output(ctx)
	if err != nil {
		return fmt.Errorf("exec: %w", err)
	}
	d.step("executed a command in it")
	d.says(out)

	note, err := c.ReadFile(ctx, "/tmp/note")
	if err != nil {
		return fmt.Errorf("read /tmp/note: %w", err)
	}
	d.step("read /tmp/note out of it")
	d.says(note)

	s, err := c.StatsOnce(ctx, berth.StatsOptions{OneShot: true})
	if u, ok := errors.AsType[*berth.UnsupportedError](err); ok {
		d.step("cannot tell what it uses: %s", u.Reason)
		return nil
	}
	if err != nil {
		return fmt.Errorf("stats: %w", err)
	}
	d.step("looked at what it uses: %s of %s, %d processes, %.1f ms of CPU time",
		humanSize(berth.Bytes(s.Memory.Used)), humanSize(berth.Bytes(s.Memory.Limit)), s.Pids.Current, float64(s.CPU.Total)/1e6)
	return nil
}
