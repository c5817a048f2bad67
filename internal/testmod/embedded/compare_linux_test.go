package embedded

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/embedded"
)

// leg is one way to make a container.
type leg struct {
	name  string
	cli   *berth.Client
	files []*regexp.Regexp // where it keeps files and volumes of containers
	host  []string         // its host's namespaces
}

// result is what a container of a case looked like.
type result struct {
	err      string
	code     int
	sections map[string][]string
}

// TestSame makes a container of each Spec with the engine's own start path, through
// runc, through crun where it starts, and with Docker, and compares what they see.
func TestSame(t *testing.T) {
	w := newWorld(t)
	ours := []*regexp.Regexp{
		regexp.MustCompile(`^.*/berth-test-\d+/root/containers/CONTAINER/files`), regexp.MustCompile(`^.*/berth-test-\d+/root/volumes/[^/]*/data`),
	}
	legs := []*leg{
		{name: "built-in", cli: w.client(t), files: ours},
		{name: "runc", cli: w.client(t, embedded.WithRuntime("runc")), files: ours},
	}
	if crunStarts(t) {
		legs = append(legs, &leg{name: "crun", cli: w.client(t, embedded.WithRuntime("crun")), files: ours})
	}
	if host := os.Getenv("BERTH_ENGINE_HOST"); strings.HasPrefix(host, "unix://") {
		cli, err := berth.New(t.Context(), berth.WithHost(host))
		if err != nil {
			t.Fatal(err)
		}
		defer cli.Close()
		legs = append(legs, &leg{name: "docker", cli: cli, files: []*regexp.Regexp{
			regexp.MustCompile(`^.*/containers/CONTAINER`), regexp.MustCompile(`^.*/volumes/[^/]*/_data`),
		}})
	} else {
		t.Log("Docker is left out: BERTH_ENGINE_HOST is not the socket of one")
	}
	for _, l := range legs {
		spec := berth.Spec{PIDMode: "host", IPCMode: "host", UTSMode: "host", NetworkMode: "host", CgroupNS: "host"}
		l.host = strings.Split(output(t, l.cli, spec, "for n in cgroup ipc net pid user uts; do echo $n $(readlink /proc/self/ns/$n); done"), "\n")
	}
	used := make(map[string]bool)
	ran := 0
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ran++
			results := make([]result, len(legs))
			for i, l := range legs {
				if c.without[l.name] != "" {
					continue
				}
				results[i] = c.run(t, l)
			}
			for i, l := range legs[1:] {
				if c.without[l.name] != "" {
					continue
				}
				compare(t, &c, l.name, results[0], results[i+1], used)
			}
		})
	}
	if t.Failed() || len(legs) < 3 || ran < len(cases) {
		return // what is listed may be there all the same
	}
	for _, d := range differences {
		if !used[d.why] {
			t.Errorf("a difference that is listed does not exist: %s", d.why)
		}
	}
}

// crunStarts tells whether crun can start containers on this machine: it needs a cgroup
// layout that is not hybrid.
func crunStarts(t *testing.T) bool {
	if _, err := exec.LookPath("crun"); err != nil {
		t.Log("crun is left out: it is not installed")
		return false
	}
	if _, err := os.Stat("/sys/fs/cgroup/unified"); err == nil {
		t.Log("crun is left out: it refuses hybrid cgroups")
		return false
	}
	return true
}

func compare(t *testing.T, c *sameCase, name string, got, want result, used map[string]bool) {
	t.Helper()
	if (got.err == "") != (want.err == "") {
		t.Errorf("built-in: %q; %s: %q", got.err, name, want.err)
		return
	}
	if got.code != want.code {
		t.Errorf("exit code %d, %s's %d", got.code, name, want.code)
	}
	drop := func(section string, lines []string) []string {
		return slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
			for _, d := range slices.Concat(differences, c.but) {
				if d.leg == name && d.section == section && d.line.MatchString(line) {
					used[d.why] = true
					return true
				}
			}
			return false
		})
	}
	if name == "docker" { // one that nohup has started ignores SIGHUP, and its containers with it
		for i, line := range want.sections["status"] {
			if mask, ok := strings.CutPrefix(line, "SigIgn:"); ok {
				want.sections["status"][i] = "SigIgn:" + strings.TrimSuffix(mask, "1") + strings.Repeat("0", len(mask)-len(strings.TrimSuffix(mask, "1")))
			}
		}
	}
	for section := range got.sections {
		a, b := drop(section, want.sections[section]), drop(section, got.sections[section])
		if d := cmp.Diff(a, b); d != "" {
			t.Errorf("%s: -%s +built-in:\n%s", section, name, d)
		}
	}
}

// run makes a container of the case.
func (c *sameCase) run(t *testing.T, l *leg) result {
	t.Helper()
	// Docker has another root directory, and shares /tmp with this machine.
	dir, err := os.MkdirTemp("/tmp", "berth-same-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, mode := range map[string]fs.FileMode{"a/file": 0o644, "a/sub/file": 0o600, "b/file": 0o644} {
		p := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(name+"\n"), mode)); err != nil {
			t.Fatal(err)
		}
	}
	var spec berth.Spec
	if c.spec != nil {
		spec = c.spec(dir)
	}
	spec.Image = image
	if spec.Command == nil {
		spec.Command = berth.Shell(probe + "s more\n" + c.line + "\nexit 7")
	}
	spec.Labels = map[string]string{"berth-test": "same"}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	names := []string{}
	if c.prepare != nil {
		other, undo := c.prepare(t, l.cli, &spec)
		defer undo()
		if other != "" {
			names = append(names, other)
		}
	}
	ctr, err := l.cli.Containers.Create(ctx, spec, berth.CreateOptions{Pull: berth.PullNever})
	if err != nil {
		return result{err: "create: " + err.Error()}
	}
	defer discard(t, ctr)
	if err := ctr.Start(ctx); err != nil {
		return result{err: "start: " + err.Error()}
	}
	exit, err := ctr.Wait(ctx)
	if err != nil {
		t.Fatalf("%s: %v", l.name, err)
	}
	var stdout, stderr bytes.Buffer
	if err := ctr.LogsTo(ctx, &stdout, &stderr); err != nil {
		t.Fatalf("%s: %v", l.name, err)
	}
	r := result{code: exit.Code, sections: sections(stdout.String())}
	for s, lines := range r.sections {
		r.sections[s] = normal(s, lines, l, append(names, ctr.ID()), dir)
	}
	if lines := strings.TrimSpace(strings.ReplaceAll(stderr.String(), dir, "DIR")); lines != "" {
		r.sections["stderr"] = strings.Split(lines, "\n")
	}
	return r
}

func isGone(err error) bool { return errors.Is(err, berth.ErrNotFound) }
