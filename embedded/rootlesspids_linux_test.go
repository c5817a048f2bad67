package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/berthdev/berth/engine"
)

// hostPIDs: a container with the host's processes sees them, and reaches nothing in them; its own end with it.
func (r *userRig) hostPIDs() {
	ctx := r.t.Context()
	before, err := os.ReadFile("/proc/self/mountinfo")
	r.check(err)
	port, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	r.check(err)
	other := r.start(engine.Spec{}, "sleep", "1000")
	run, err := r.store.ReadRun(other)
	r.check(err)
	// The processes of the user's: this one, a monitor, a container of his. The first process of the other container is seen, and that is all.
	for _, spec := range []engine.Spec{{}, {CapAdd: []string{"ALL"}}, {Privileged: true}} {
		spec.PIDMode = "host"
		got := r.output(spec, fmt.Sprintf(`
			readlink /proc/self/ns/pid
			for p in %d %d %d; do
				test -d /proc/$p && echo seen
				for f in exe cwd root ns/mnt ns/user fd/0; do readlink /proc/$p/$f && echo reached $f; done
				for f in environ maps auxv mem syscall stack; do head -c 1 /proc/$p/$f && echo read $f; done
				ls /proc/$p/root/ /proc/$p/cwd/ && echo listed
				echo 0 >/proc/$p/uid_map && echo mapped
			done 2>/dev/null
			cat /proc/sys/net/ipv4/ip_unprivileged_port_start`, os.Getpid(), run.Monitor, run.PID))
		if want := link(r.t, "/proc/self/ns/pid") + "\nseen\nseen\nseen\n0"; got != want {
			r.t.Errorf("inside, %+v: %q, want %q", spec, got, want)
		}
	}
	// What is masked and read-only stays so.
	got := r.output(engine.Spec{PIDMode: "host", CapAdd: []string{"ALL"}}, `
		for f in kcore keys timer_list interrupts latency_stats sched_debug; do
			test -e /proc/$f && { test -c /proc/$f || echo $f is not masked; }
		done
		for f in sys sysrq-trigger bus fs irq; do
			test -e /proc/$f && { grep -q " /proc/$f ro," /proc/self/mountinfo || echo $f is not read-only; }
		done
		echo 1 2>/dev/null >/proc/sys/vm/drop_caches || echo refused`)
	if got != "refused" {
		r.t.Errorf("inside: %q", got)
	}
	if after, err := os.ReadFile("/proc/self/mountinfo"); err != nil || string(after) != string(before) {
		r.t.Errorf("%v: the host's mounts were\n%s\nand are\n%s", err, before, after)
	}
	if after, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start"); err != nil || string(after) != string(port) {
		r.t.Errorf("%v: the host's setting was %s and is %s", err, port, after)
	}
	r.check(r.ContainerKill(ctx, other, "KILL"))

	// Processes that nobody but their container's end can end: it is stopped, ends by itself, or loses its monitor.
	const two = "sleep 1000 & echo $! $$; "
	for name, end := range map[string]func(id string){
		"killed":      func(id string) { r.check(r.ContainerKill(ctx, id, "KILL")) },
		"by itself":   func(id string) { r.inside(id, "touch /go") },
		"no monitor":  func(id string) { r.killMonitor(id) },
		"no monitor2": func(id string) { r.killMonitor(id) },
	} {
		user := ""
		if !r.single && strings.HasSuffix(name, "2") {
			user = "1000"
		}
		id := r.start(engine.Spec{PIDMode: "host", User: user}, "sh", "-c", two+"while ! test -e /go; do sleep 0.05; done")
		await(r.t, func() bool { return strings.Contains(r.log(id), " ") })
		var left, first int
		if _, err := fmt.Sscan(r.log(id), &left, &first); err != nil {
			r.t.Fatal(err)
		}
		if top, err := r.ContainerTop(ctx, id, engine.TopOptions{}); err != nil || len(top.Rows) < 2 || len(top.Rows) > 3 {
			r.t.Errorf("%+v, %v", top, err)
		}
		mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", first))
		r.check(err)
		known := strings.Contains(string(mounts), "upperdir="+filepath.Join(r.store.Dir(id), "upper")) // since Linux 6.7
		end(id)
		await(r.t, func() bool {
			a, err := r.ContainerInspect(ctx, id, engine.InspectOptions{})
			r.check(err)
			return a.State.Status == engine.StatusExited
		})
		if await(r.t, func() bool { return zombie(first) }); !known && strings.HasPrefix(name, "no monitor") {
			syscall.Kill(left, syscall.SIGKILL) // nothing tells whose it was
		}
		await(r.t, func() bool { return zombie(left) })
	}
}

// killMonitor kills a container's monitor, which cannot tidy up then.
func (r *userRig) killMonitor(id string) {
	r.t.Helper()
	run, err := r.store.ReadRun(id)
	r.check(err)
	r.check(syscall.Kill(run.Monitor, syscall.SIGKILL))
}
