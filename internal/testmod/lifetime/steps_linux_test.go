package lifetime

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/berthdev/berth"
)

func init() {
	// step STEP NAME: does it again and again, until standard input ends.
	jobs["step"] = func(ctx context.Context, cli *berth.Client, _ func(string), args []string) error {
		ended := make(chan struct{})
		go func() {
			io.Copy(io.Discard, os.Stdin)
			close(ended)
		}()
		step, name := stepFuncs[args[0]], args[1]
		for i := 0; ; i++ {
			select {
			case <-ended:
				return nil
			default:
			}
			if err := step(ctx, cli, name, i); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
		}
	}
}

// stepFuncs are one turn each of the steps: i is its number, name that of the round's container.
var stepFuncs = map[string]func(ctx context.Context, cli *berth.Client, name string, i int) error{
	"create": func(ctx context.Context, cli *berth.Client, name string, i int) error {
		spec := sleeper(fmt.Sprint(name, "-", i))
		spec.Mounts = []berth.Mount{{Type: berth.MountVolume, Target: "/anonymous"}, berth.VolumeMount(fmt.Sprint(name, "-", i), "/named")}
		_, err := cli.Containers.Create(ctx, spec)
		return err
	},
	"load": func(ctx context.Context, cli *berth.Client, name string, i int) error {
		var buf bytes.Buffer
		tw := tar.NewWriter(&buf)
		for f := range 20 {
			data := fmt.Appendf(nil, "%s-%d-%d", name, i, f)
			if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: fmt.Sprintf("d/%d", f), Mode: 0o644, Size: int64(len(data))}); err != nil {
				return err
			}
			tw.Write(data)
		}
		tw.Close()
		_, err := cli.Images.Import(ctx, &buf, berth.ImportOptions{Reference: fmt.Sprintf("%s:%d", name, i)})
		return err
	},
	"pull": func(ctx context.Context, cli *berth.Client, name string, i int) error {
		_, err := cli.Images.Pull(ctx, pullReference(fmt.Sprint(name, "-", i)))
		return err
	},
	"start": func(ctx context.Context, cli *berth.Client, name string, i int) error {
		c, err := cli.Containers.Create(ctx, sleeper(fmt.Sprint(name, "-", i)))
		if err != nil {
			return err
		}
		return c.Start(ctx)
	},
	"autoremove": func(ctx context.Context, cli *berth.Client, name string, i int) error {
		spec := sleeperThatEnds()
		spec.AutoRemove = true
		spec.Mounts = []berth.Mount{{Type: berth.MountVolume, Target: "/anonymous"}}
		_, err := cli.Containers.Start(ctx, spec)
		return err
	},
	"restart": func(ctx context.Context, cli *berth.Client, name string, i int) error {
		spec := sleeper(fmt.Sprint(name, "-", i))
		spec.Command = []string{"false"}
		spec.RestartPolicy.Name = "always"
		if i > 3 {
			c, err := cli.Containers.Get(ctx, name+"-0")
			if err != nil {
				return err
			}
			return c.Restart(ctx)
		}
		_, err := cli.Containers.Start(ctx, spec)
		return err
	},
	"rotate": func(ctx context.Context, cli *berth.Client, name string, i int) error {
		if i > 0 {
			c, err := cli.Containers.Get(ctx, name)
			if err != nil {
				return err
			}
			_, err = c.CombinedLogs(ctx)
			return err
		}
		spec := sleeper(name)
		spec.Command = berth.Shell("while :; do seq 1000; done")
		spec.LogConfig = berth.LogConfig{Driver: "json-file", Options: map[string]string{"max-size": "8k", "max-file": "3"}}
		_, err := cli.Containers.Start(ctx, spec)
		return err
	},
	"exec": func(ctx context.Context, cli *berth.Client, name string, i int) error {
		c, err := cli.Containers.Get(ctx, name)
		if err != nil {
			return err
		}
		return c.Command("sh", "-c", "echo a; sleep 0.01; echo b >&2").Run(ctx)
	},
	"attach": func(ctx context.Context, cli *berth.Client, name string, i int) error {
		c, err := cli.Containers.Get(ctx, name)
		if err != nil {
			return err
		}
		s, err := c.AttachConn(ctx, berth.AttachConnOptions{Stdout: true})
		if err != nil {
			return err
		}
		defer s.Close()
		s.Read(make([]byte, 100))
		return nil
	},
	"stop": func(ctx context.Context, cli *berth.Client, name string, i int) error {
		c, err := cli.Containers.Get(ctx, name)
		if err != nil {
			return err
		}
		if err := c.Stop(ctx); err != nil {
			return err
		}
		return c.Start(ctx)
	},
	"remove": func(ctx context.Context, cli *berth.Client, name string, i int) error {
		if err := cli.Containers.Remove(ctx, name, berth.RemoveOptions{Force: true}); err != nil {
			return err
		}
		spec := sleeper(name)
		spec.Mounts = []berth.Mount{{Type: berth.MountVolume, Target: "/anonymous"}}
		_, err := cli.Containers.Start(ctx, spec)
		return err
	},
	"connect": func(ctx context.Context, cli *berth.Client, name string, i int) error {
		if err := cli.Networks.Connect(ctx, "other", name); err != nil {
			return err
		}
		return cli.Networks.Disconnect(ctx, "other", name)
	},
}
