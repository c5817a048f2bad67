package embedded

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth"
)

// TestProgram: a container cannot write to the program that the engine is part of, nor
// to that of the monitors, by what /proc/PID/exe leads to (CVE-2019-5736).
func TestProgram(t *testing.T) {
	w := newWorld(t)
	cli := w.client(t)
	sum := func() string {
		b, err := os.ReadFile("/proc/self/exe")
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%x", sha256.Sum256(b))
	}
	before := sum()
	// Everything that runs there is opened for writing, for as long as it takes: what can be
	// opened and is no program of the container's is a hole.
	const watch = `
	end=$(( $(date +%s) + 4 ))
	while [ $(date +%s) -lt $end ]; do
		for p in /proc/[0-9]*; do
			case "$(readlink $p/exe)" in */busybox|/dev/init|"") continue;; esac
			echo "saw $(readlink $p/exe)"
			(printf x >> $p/exe) 2>/dev/null && echo "HOLE: wrote to $p/exe: $(readlink $p/exe)"
		done
	done; true`
	for name, spec := range map[string]berth.Spec{
		"as usual":           {},
		"init":               {Init: new(true)},
		"all capabilities":   {CapAdd: []string{"ALL"}, SecurityOpt: []string{"seccomp=unconfined"}},
		"terminal":           {TTY: true},
		"users of their own": {UsernsMode: "auto"},
	} {
		t.Run(name, func(t *testing.T) {
			ctr := start(t, cli, spec, watch)
			for done := time.Now().Add(3 * time.Second); time.Now().Before(done); {
				ctr.Command("true").Run(t.Context())
				ctr.Command("/proc/self/exe", "-test.run=^$").CombinedOutput(t.Context())
			}
			if _, err := ctr.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			out, err := ctr.CombinedLogs(t.Context())
			if err != nil || strings.Contains(string(out), "HOLE") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	t.Run("interpreter", func(t *testing.T) {
		for _, script := range []string{"#!/proc/self/exe\n", "#!/proc/self/exe -test.run=^$\n", "#!/proc/1/exe\n"} {
			ctr, err := cli.Containers.Create(t.Context(), berth.Spec{Image: image, Command: []string{"/run/script"}})
			if err != nil {
				t.Fatal(err)
			}
			if err := ctr.WriteFile(t.Context(), "/run/script", []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
			// It may run or not: the program is the sealed one.
			if err := ctr.Start(t.Context()); err == nil {
				ctr.Wait(t.Context())
			}
			discard(t, ctr)
		}
	})
	t.Run("init's program", func(t *testing.T) {
		out := output(t, cli, berth.Spec{Init: new(true)}, "for f in /dev/init /proc/1/exe; do (printf x >> $f) 2>/dev/null && echo HOLE $f; rm -f $f 2>/dev/null && echo HOLE rm $f; mount -o remount,rw $f 2>/dev/null && echo HOLE mount; done; true")
		if strings.Contains(out, "HOLE rm /dev") || strings.Contains(out, "HOLE /") || strings.Contains(out, "HOLE mount") {
			t.Error(out)
		}
	})
	if sum() != before {
		t.Error("the program was changed")
	}
}

// TestDescriptors: no descriptor of the host's gets into a container, even of those that
// this program has left open without the close-on-exec flag (CVE-2024-21626).
func TestDescriptors(t *testing.T) {
	w := newWorld(t)
	cli := w.client(t)
	v := newVictim(t)
	for range 5 {
		fd, err := unix.Open(v.dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
	}
	const list = `for p in self 1; do for f in /proc/$p/fd/*; do echo "$p ${f##*/} $(readlink $f)"; done; done`
	check := func(what, out string) {
		t.Helper()
		n := 0
		for line := range strings.Lines(strings.ReplaceAll(out, "\r", "")) {
			f := strings.Fields(line)
			if len(f) < 3 { // one of the listing's own, closed by now
				continue
			}
			n++
			switch {
			case f[2] == "/dev/null", f[2] == "/dev/console", strings.HasPrefix(f[2], "/dev/pts/"):
			case strings.HasPrefix(f[2], "pipe:"), strings.HasPrefix(f[2], "socket:") && f[1] <= "2":
			default:
				t.Errorf("%s: %s", what, line)
			}
		}
		if n < 4 {
			t.Errorf("%s lists nothing: %q", what, out)
		}
	}
	for name, spec := range map[string]berth.Spec{"run": {}, "terminal": {TTY: true}, "init": {Init: new(true)}, "stdin": {OpenStdin: true}, "privileged": {Privileged: true}} {
		check(name, output(t, cli, spec, list))
	}
	ctr := start(t, cli, berth.Spec{Init: new(true), Healthcheck: &berth.Healthcheck{Test: berth.CmdShell(list), Interval: time.Hour}}, "sleep 1000")
	for range 2 {
		for _, tty := range []bool{false, true} {
			cmd := ctr.Command("sh", "-c", list)
			cmd.TTY = tty
			out, err := cmd.Output(t.Context())
			if err != nil {
				t.Error(err)
			}
			check(fmt.Sprintf("exec, terminal %v", tty), string(out))
		}
		h, err := ctr.RunHealthcheck(t.Context())
		if err != nil {
			t.Error(err)
		}
		check("health check", h.Output)
		if err := ctr.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
