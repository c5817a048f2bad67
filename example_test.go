package berth_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

func Example() {
	ctx := context.Background()
	cli, err := berth.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer cli.Close()
	res, err := cli.Containers.Run(ctx, berth.Spec{Image: "alpine", Command: []string{"echo", "hello"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", res.Stdout)
}

func ExampleContainers_Run() {
	ctx := context.Background()
	cli, err := berth.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer cli.Close()

	res, err := cli.Containers.Run(ctx, berth.Spec{Image: "alpine", Command: []string{"wc", "-c"}},
		berth.RunOptions{Stdin: strings.NewReader("hi")})
	if exit, ok := errors.AsType[*berth.ExitError](err); ok {
		log.Fatalf("wc ended with %d: %s", exit.Code, exit.Stderr)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", res.Stdout)
}

func ExampleContainers_Start() {
	ctx := context.Background()
	cli, err := berth.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer cli.Close()
	if err := database(ctx, cli); err != nil {
		log.Fatal(err)
	}
}

// database runs a database, dumps it, and looks at its files.
func database(ctx context.Context, cli *berth.Client) error {
	db, err := cli.Containers.Start(ctx, berth.Spec{
		Image: "postgres:18", Name: "db",
		Env:         map[string]string{"POSTGRES_PASSWORD": "x"},
		Ports:       []berth.Port{{Container: "5432/tcp"}},
		Mounts:      []berth.Mount{berth.Bind("/srv/pg", "/var/lib/postgresql")},
		Resources:   berth.Resources{Memory: 512 * berth.MiB, CPUs: 1.5},
		Healthcheck: &berth.Healthcheck{Test: berth.CmdShell("pg_isready"), Interval: time.Second},
		Init:        new(true),
	})
	if err != nil {
		return err
	}
	defer db.Remove(context.WithoutCancel(ctx), berth.RemoveOptions{Force: true, Volumes: true})

	if err := db.WaitFor(ctx, berth.Healthy(), berth.Listening("5432/tcp"), berth.LogMatches("ready to accept")); err != nil {
		return err
	}
	addr, err := db.Addr(ctx, "5432/tcp")
	if err != nil {
		return err
	}
	fmt.Println("dial", addr)

	dump, err := os.Create("dump.sql")
	if err != nil {
		return err
	}
	defer dump.Close()
	cmd := db.Command("pg_dump", "-U", "postgres")
	cmd.Stdout = dump
	if err := cmd.Run(ctx); err != nil {
		return err
	}

	conf, err := fs.ReadFile(db.FS(ctx), "etc/passwd")
	if err != nil {
		return err
	}
	fmt.Printf("%s", conf)
	if err := db.CopyTo(ctx, "/srv", os.DirFS("site")); err != nil {
		return err
	}
	r, stat, err := db.GetArchive(ctx, "/etc")
	if err != nil {
		return err
	}
	defer r.Close()
	fmt.Println(stat.Name, stat.Mode)
	return db.PutArchive(ctx, "/tmp", r)
}

func ExampleContainer_Logs() {
	ctx := context.Background()
	cli, err := berth.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer cli.Close()
	web, err := cli.Containers.Get(ctx, "web")
	if err != nil {
		log.Fatal(err)
	}
	for line, err := range web.Logs(ctx, berth.LogOptions{Follow: true, Since: berth.Ago(time.Minute)}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(line.Stream, line.Time, line.Text)
	}
}

func ExampleContainer_Stats() {
	ctx := context.Background()
	cli, err := berth.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer cli.Close()
	web, err := cli.Containers.Get(ctx, "web")
	if err != nil {
		log.Fatal(err)
	}
	for s, err := range web.Stats(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if s.CPUPercent != nil {
			fmt.Printf("%.1f %%, %d bytes, %d bytes received\n", *s.CPUPercent, s.Memory.Usage, s.Networks["eth0"].RxBytes)
		}
	}
}

func ExampleClient_Events() {
	ctx := context.Background()
	cli, err := berth.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer cli.Close()
	for ev, err := range cli.Events(ctx, berth.EventOptions{Since: berth.Ago(time.Hour)}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(ev.Time, ev.Type, ev.Action, ev.Name)
	}
}

func ExampleImages_Pull() {
	ctx := context.Background()
	cli, err := berth.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer cli.Close()
	img, err := cli.Images.Pull(ctx, "nginx:1.29", berth.PullOptions{
		Progress: func(p berth.PullProgress) { fmt.Printf("%.0f %%\n", p.Percent()) },
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(img.ID())
}

func ExampleContainers_List() {
	ctx := context.Background()
	cli, err := berth.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer cli.Close()
	all, err := cli.Containers.List(ctx, berth.ListOptions{All: true, Filters: berth.Filters{"label": {"app=web"}}})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range all {
		fmt.Println(c.ShortID(), c.Name(), c.Summary().Status)
	}
}
