package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth"
)

// leg is one of the sides that are compared: what it does once, and how long that took.
type leg struct {
	name  string
	once  func() error
	times []time.Duration
}

func (l *leg) median() time.Duration { return quantile(l.times, 0.5) }
func (l *leg) least() time.Duration  { return quantile(l.times, 0) }

func quantile(times []time.Duration, q float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(times))
	return s[int(q*float64(len(s)-1))]
}

// rest is the time between two legs: a daemon goes on working after its answer (so does the kernel, which takes a
// network apart), and that is not the next one's doing.
const rest = 100 * time.Millisecond

// interleave runs the legs in turn, so that what else the machine does strikes all of them, until
// rounds are done or the time is used up; five rounds are made in any case. The first round is not counted.
func interleave(rounds int, budget time.Duration, legs ...*leg) error {
	began := time.Now()
	for n := 0; n <= rounds; n++ {
		if n > 5 && time.Since(began) > budget {
			break
		}
		for _, l := range legs {
			time.Sleep(rest)
			start := time.Now()
			if err := l.once(); err != nil {
				return fmt.Errorf("%s: %w", l.name, err)
			}
			if n > 0 {
				l.times = append(l.times, time.Since(start))
			}
		}
	}
	return nil
}

// report is a table in Markdown.
type report struct{ w io.Writer }

func (r report) row(cells ...string) { fmt.Fprintf(r.w, "| %s |\n", strings.Join(cells, " | ")) }

func (r report) head(cells ...string) {
	fmt.Fprintln(r.w)
	r.row(cells...)
	r.row(slices.Repeat([]string{"---"}, len(cells))...)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d.Microseconds())/1000) }

// compare prints the first leg beside the others: medians and least times in milliseconds, and the ratios.
func (r report) compare(what string, bound string, legs ...*leg) {
	us := legs[0]
	for _, l := range legs {
		ratio, least, want := "1", "1", ""
		if l != us {
			ratio = fmt.Sprintf("%.1f", float64(l.median())/float64(us.median()))
			least = fmt.Sprintf("%.1f", float64(l.least())/float64(us.least()))
			want = bound
		}
		if strings.HasPrefix(l.name, "docker") && strings.HasSuffix(bound, "crun") {
			want = ""
		}
		r.row(what, l.name, fmt.Sprint(len(l.times)), ms(l.median()), ms(l.least()), ratio, least, want)
	}
}

// daemons are the engines to compare with: BERTH_ENGINE_HOST, which may hold several, separated by spaces.
func daemons(b *testing.B) map[string]*berth.Client {
	all := map[string]*berth.Client{}
	for host := range strings.FieldsSeq(os.Getenv("BERTH_ENGINE_HOST")) {
		cli, err := berth.New(b.Context(), berth.WithHost(host))
		if err != nil {
			b.Logf("%s: %v", host, err)
			continue
		}
		b.Cleanup(func() { cli.Close() })
		info := cli.Engine()
		version, _, _ := strings.Cut(info.Version, "+")
		all[info.Name+" "+version] = cli
	}
	return all
}

// BenchmarkFigures measures the figures of docs/figures.md in one run and prints them as tables. Run it with
// scripts/bench.
func BenchmarkFigures(b *testing.B) {
	l := newLocal(b)
	r := report{os.Stdout}
	var peers []string
	others := daemons(b)
	for name := range others {
		peers = append(peers, name)
	}
	slices.Sort(peers)
	began := time.Now()
	fmt.Printf("%d CPUs; load average at the beginning %s", runtime.NumCPU(), load())

	run := func(cli *berth.Client, network string) func() error {
		return func() error {
			return runTrue(b.Context(), cli, berth.Spec{Image: image, Command: []string{"true"}, NetworkMode: network})
		}
	}
	legs := func(f func(cli *berth.Client) func() error) []*leg {
		all := []*leg{{name: "embedded", once: f(l.cli)}}
		for _, name := range peers {
			all = append(all, &leg{name: name, once: f(others[name])})
		}
		return all
	}
	measure := func(what, bound string, rounds int, budget time.Duration, all []*leg) {
		if err := interleave(rounds, budget, all...); err != nil {
			b.Fatal(what, ": ", err)
		}
		r.compare(what, bound, all...)
	}
	r.head("what", "engine", "rounds", "median ms", "least ms", "ratio of medians", "ratio of least", "wanted")
	measure("run `true`, bridge", "≥ 15", 40, 25*time.Second, legs(func(cli *berth.Client) func() error { return run(cli, "bridge") }))
	none := legs(func(cli *berth.Client) func() error { return run(cli, "none") })
	if crun := newCrun(b, l); crun != nil {
		none = slices.Insert(none, 1, &leg{name: "crun", once: crun})
	}
	measure("run `true`, no network", "≥ 2.5 for crun", 40, 25*time.Second, none)
	var end []func()
	measure("exec `true`", "≥ 15", 100, 20*time.Second, legs(func(cli *berth.Client) func() error {
		c, err := cli.Containers.Start(b.Context(), berth.Spec{Image: image, Command: []string{"sleep", "1000000"}, NetworkMode: "none"})
		if err != nil {
			b.Fatal(err)
		}
		end = append(end, func() { c.Remove(context.WithoutCancel(b.Context()), berth.RemoveOptions{Force: true}) })
		return func() error { return c.Command("true").Run(b.Context()) }
	}))
	for _, f := range end {
		f()
	}
	figure100(b, l, r)
	figureMemory(b, l, r)
	figureGrowth(b, l, r, began.Add(170*time.Second))
	fmt.Printf("\nload average at the end %s; %v in all\n", load(), time.Since(began).Round(time.Second))
	for b.Loop() {
	}
}

func load() string {
	data, _ := os.ReadFile("/proc/loadavg")
	return strings.TrimSpace(string(data))
}

// newCrun is crun on the bundle of [writeBundle]; nil where there is none.
func newCrun(b *testing.B, l *local) func() error {
	crun, err := exec.LookPath("crun")
	if err != nil {
		return nil
	}
	c, err := l.cli.Containers.Create(b.Context(), berth.Spec{Image: image, Command: []string{"true"}, NetworkMode: "none"})
	if err != nil {
		b.Fatal(err)
	}
	bundle := b.TempDir()
	writeBundle(b, l, c.ID(), bundle)
	state := l.run + "-crun" // on the file system of ours
	// crun refuses machines with both cgroup versions: the newer one is unmounted in a mount namespace of this thread
	// alone, which ends with the goroutine since it is never unlocked.
	work, done := make(chan string), make(chan error)
	go func() {
		runtime.LockOSThread()
		if err := errors.Join(unix.Unshare(unix.CLONE_NEWNS|unix.CLONE_FS), unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")); err != nil {
			b.Error(err)
		}
		unix.Unmount("/sys/fs/cgroup/unified", unix.MNT_DETACH)
		for name := range work {
			out, err := exec.Command(crun, "--root", state, "run", "--bundle", bundle, name).CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, out)
			}
			done <- err
		}
	}()
	b.Cleanup(func() {
		close(work)
		os.RemoveAll(state)
	})
	n := 0
	return func() error {
		n++
		work <- fmt.Sprintf("berth-bench-%d-%d", os.Getpid(), n)
		return <-done
	}
}

// figure100 is 100 containers, 8 at a time.
func figure100(b *testing.B, l *local, r report) {
	all := &leg{name: "embedded", once: func() error {
		var next atomic.Int32
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for n := range errs {
			wg.Go(func() {
				for next.Add(1) <= 100 && errs[n] == nil {
					errs[n] = runTrue(b.Context(), l.cli, berth.Spec{Image: image, Command: []string{"true"}, NetworkMode: "none"})
				}
			})
		}
		wg.Wait()
		return errors.Join(errs...)
	}}
	if err := interleave(5, 15*time.Second, all); err != nil {
		b.Fatal(err)
	}
	r.head("what", "rounds", "median", "least", "wanted")
	r.row("100 containers, 8 at a time, no network", fmt.Sprint(len(all.times)), ms(all.median())+" ms", ms(all.least())+" ms", "< 1500 ms")
}

// figureMemory is 100 containers that are started by 100 processes.
func figureMemory(b *testing.B, l *local, r report) {
	const n = 100
	for i := range n {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), starter+"="+filepath.Dir(l.root), "BERTH_BENCH_NETWORK=none")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("start %d: %v: %s", i, err, out)
		}
	}
	time.Sleep(2 * time.Second) // what a start has used is given back when the monitor rests
	pss, rss, running := monitorsMemory(b, l)
	r.row(fmt.Sprintf("memory of a monitor (PSS with shared memory; RSS %.1f MB), %d started by as many processes", rss/float64(running)/(1<<20), running), "1",
		fmt.Sprintf("%.2f MB", pss/float64(running)/(1<<20)), "", "< 5 MB")
	l.removeAll(b)
}

// figureGrowth compares an operation's cost in an empty store with that beside 1,000 containers and on 60 layers; it
// stops at a time, but for ten rounds.
func figureGrowth(b *testing.B, empty *local, r report, until time.Time) {
	steps := []string{"create", "start", "exec", "inspect", "stop", "remove"}
	type store struct {
		name  string
		l     *local
		image string
		took  map[string]*leg
	}
	full, deep := newLocal(b), newLocal(b)
	for n := range 1000 {
		if _, err := full.cli.Containers.Create(b.Context(), berth.Spec{Image: image, Name: fmt.Sprintf("other%d", n), Command: []string{"true"}}); err != nil {
			b.Fatal(err)
		}
	}
	stores := []*store{{name: "empty", l: empty, image: image}, {name: "1,000 containers", l: full, image: image}, {name: "60 layers", l: deep, image: deep.busybox(b, 60)}}
	for _, s := range stores {
		s.took = map[string]*leg{}
		for _, name := range steps {
			s.took[name] = &leg{name: name}
		}
	}
	began := time.Now()
	for n := 0; n <= 60 && (n < 10 || time.Since(began) < 40*time.Second && time.Now().Before(until)); n++ {
		for i := range stores {
			s := stores[(n+i)%len(stores)]
			var c *berth.Container
			for _, name := range steps {
				start := time.Now()
				var err error
				switch name {
				case "create":
					c, err = s.l.cli.Containers.Create(b.Context(), berth.Spec{Image: s.image, Command: []string{"sleep", "1000000"}, NetworkMode: "none"})
				case "start":
					err = c.Start(b.Context())
				case "exec":
					err = c.Command("true").Run(b.Context())
				case "inspect":
					_, err = c.Inspect(b.Context())
				case "stop":
					err = c.Stop(b.Context(), berth.StopOptions{Timeout: new(zero)})
				case "remove":
					err = c.Remove(b.Context())
				}
				if err != nil {
					b.Fatalf("%s: %s: %v", s.name, name, err)
				}
				if n > 0 {
					s.took[name].times = append(s.took[name].times, time.Since(start))
				}
			}
		}
	}
	r.head("growth: median (least) ms", "empty store", "1,000 containers", "60 layers", "wanted: ≤ 1.20 of empty")
	for _, name := range steps {
		cells := []string{name}
		var ratios []string
		for _, s := range stores {
			t := s.took[name]
			cells = append(cells, fmt.Sprintf("%s (%s)", ms(t.median()), ms(t.least())))
			base := stores[0].took[name]
			if s != stores[0] {
				ratios = append(ratios, fmt.Sprintf("%.2f (%.2f)", float64(t.median())/float64(base.median()), float64(t.least())/float64(base.least())))
			}
		}
		r.row(append(cells, strings.Join(ratios, ", "))...)
	}
	list := &leg{name: "list", once: func() error {
		_, err := full.cli.Containers.List(b.Context(), berth.ListOptions{All: true})
		return err
	}}
	if err := interleave(20, 5*time.Second, list); err != nil {
		b.Fatal(err)
	}
	us := func(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d.Nanoseconds())/1e6) }
	r.row("list, a container (1,000 of them)", "", us(list.median())+" (least "+us(list.least())+")", "", "< 50 µs")
}
