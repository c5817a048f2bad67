package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/embedded"
)

// starter is set in a process that starts one container and ends.
const starter = "BERTH_BENCH_STARTER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(starter); dir != "" {
		if err := startOne(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func startOne(dir string) error {
	ctx := context.Background()
	e, err := embedded.Open(ctx, embedded.WithRoot(filepath.Join(dir, "root")), embedded.WithRunRoot(runOf(dir)))
	if err != nil {
		return err
	}
	cli, err := berth.New(ctx, berth.WithEngine(e))
	if err != nil {
		return err
	}
	defer cli.Close()
	_, err = cli.Containers.Start(ctx, berth.Spec{Image: image, Command: []string{"sleep", "1000000"}, NetworkMode: os.Getenv("BERTH_BENCH_NETWORK")})
	return err
}

// BenchmarkEmbeddedMemory starts 100 containers from 100 processes and reports what each of them costs: the
// proportional set size of its monitor, which counts shared memory by its share.
func BenchmarkEmbeddedMemory(b *testing.B) {
	for _, network := range []string{"none", "bridge"} {
		b.Run(network, func(b *testing.B) {
			l := newLocal(b)
			const n = 100
			for range n {
				cmd := exec.Command("/proc/self/exe")
				cmd.Env = append(os.Environ(), starter+"="+filepath.Dir(l.root), "BERTH_BENCH_NETWORK="+network)
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("start: %v: %s", err, out)
				}
			}
			pss, rss, running := monitorsMemory(b, l)
			if running != n {
				b.Fatalf("%d containers run, want %d", running, n)
			}
			for b.Loop() {
			}
			b.ReportMetric(pss/n/(1<<20), "MB-PSS/container")
			b.ReportMetric(rss/n/(1<<20), "MB-RSS/container")
		})
	}
}

// monitorsMemory adds up what the monitors of an engine's running containers use, in bytes.
func monitorsMemory(b *testing.B, l *local) (pss, rss float64, running int) {
	runs, err := filepath.Glob(filepath.Join(l.run, "*", "*", "run.json"))
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range runs {
		data, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		var run struct{ Monitor int }
		if err := json.Unmarshal(data, &run); err != nil {
			b.Fatal(err)
		}
		p, r := memory(b, run.Monitor)
		pss, rss = pss+p, rss+r
	}
	return pss, rss, len(runs)
}

// memory reads a process's proportional and resident set sizes in bytes.
func memory(b *testing.B, pid int) (pss, rss float64) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Fields(s.Text())
		if len(fields) < 2 {
			continue
		}
		kb, _ := strconv.ParseFloat(fields[1], 64)
		switch fields[0] {
		case "Pss:":
			pss = kb * 1024
		case "Rss:":
			rss = kb * 1024
		}
	}
	return pss, rss
}
