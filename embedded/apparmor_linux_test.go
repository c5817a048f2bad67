package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/testenv"
)

// armorProfile allows all but a few things that armorScript tries.
const armorProfile = `profile %s flags=(attach_disconnected,mediate_deleted) {
	file, network, capability, mount, umount, pivot_root, signal, ptrace, unix,
	deny /etc/group r,
	deny /tmp/denied w,
}
`

// armorScript says who it is to AppArmor, and what it may do.
const armorScript = `cat /proc/self/attr/current; cat /etc/group >/dev/null 2>&1 || echo unread; (echo >/tmp/denied) 2>/dev/null || echo unwritten
echo x >/tmp/f && cat /tmp/f; (echo exec unconfined >/proc/self/attr/apparmor/exec) 2>/dev/null || echo kept; rm -f /tmp/*; echo end`

// What it says with the profile, and with none.
const (
	confinedText   = "%s (enforce)\nunread\nunwritten\nx\nkept\nend\n"
	unconfinedText = "unconfined\nx\nend\n"
)

// TestAppArmor: profiles by their effect, as root and as an ordinary user, and through other runtimes. A kernel without
// AppArmor refuses them. (.ci/run runs it in a machine that has AppArmor.)
func TestAppArmor(t *testing.T) {
	if profile := os.Getenv(asUser); profile != "" {
		e, err := Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a := &armor{e, t, profile, ""}
		_, err = e.ImageImport(t.Context(), testenv.Busybox(t), engine.ImportOptions{Reference: image1, Changes: []string{"ENV PATH=/bin"}})
		a.check(err)
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
		a.confined("0")
		a.unconfined()
		a.unknown()
		return
	}
	r := newRig(t)
	a := &armor{r.Engine, t, fmt.Sprintf("berth-test-%d", os.Getpid()), ""}
	if !r.host.AppArmor {
		_, err := a.create(engine.Spec{}, "true")
		r.want("a profile without AppArmor", err, engine.ErrUnsupported)
		a.profile = "unconfined"
		for _, name := range installed(t) {
			a.runtime = name
			id := a.start(engine.Spec{}, "echo end")
			a.same("unconfined without AppArmor", id, a.output(id), "end\n")
		}
		return
	}
	a.load()
	a.confined("0", "1000:1000")
	a.privileged()
	a.health()
	a.unconfined()
	a.unknown()
	a.unloaded()
	for _, name := range installed(t) {
		other := &armor{r.Engine, t, a.profile, name}
		id := other.start(engine.Spec{User: "1000:1000", SecurityOpt: []string{"no-new-privileges"}}, armorScript+"; exec sleep 1000")
		other.same("confined", id, other.output(id), fmt.Sprintf(confinedText, a.profile))
		other.same("confined, exec", id, other.exec(id, engine.ExecSpec{}), fmt.Sprintf(confinedText, a.profile))
		other.unloaded()
	}
	var out bytes.Buffer
	user := exec.Command("/proc/self/exe", "-test.run=^TestAppArmor$", "-test.v="+fmt.Sprint(testing.Verbose()))
	user.Env = []string{asUser + "=" + a.profile}
	user.Stdout, user.Stderr = &out, &out
	if err := (testenv.Ordinary{}).Run(user); err != nil {
		t.Errorf("as an ordinary user: %v\n%s", err, &out)
	}
}

// installed are the runtimes that the engine is tested with. crun 1.8 does not run where cgroup v1 and v2 are.
func installed(t *testing.T) (list []string) {
	for _, name := range []string{"runc", "crun"} {
		if _, err := exec.LookPath(name); err == nil && (name == "runc" || testenv.CgroupV2()) {
			list = append(list, name)
		} else {
			t.Logf("not tested here: %s", name)
		}
	}
	return list
}

// armor runs containers with a profile.
type armor struct {
	engine.Engine
	t       *testing.T
	profile string
	runtime string
}

func (a *armor) check(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatalf("runtime %q: %v", a.runtime, err)
	}
}

// load gives the kernel the profile, which goes with the test.
func (a *armor) load() {
	a.t.Helper()
	parser := exec.Command("apparmor_parser", "--skip-cache", "--stdout")
	parser.Stdin = strings.NewReader(fmt.Sprintf(armorProfile, a.profile))
	var errs bytes.Buffer
	parser.Stderr = &errs
	policy, err := parser.Output()
	if err != nil {
		a.t.Fatalf("apparmor_parser (Debian: apparmor): %v %s", err, &errs)
	}
	a.check(os.WriteFile("/sys/kernel/security/apparmor/.replace", policy, 0))
	a.t.Cleanup(func() {
		if err := a.unload(); err != nil && !errors.Is(err, os.ErrNotExist) {
			a.t.Error(err)
		}
	})
}

func (a *armor) unload() error {
	return os.WriteFile("/sys/kernel/security/apparmor/.remove", []byte(a.profile), 0)
}

// create makes a container with the profile that runs a script; without one named, where a.profile is empty.
func (a *armor) create(spec engine.Spec, script string) (string, error) {
	spec.Image, spec.Command, spec.NetworkMode, spec.Runtime = image1, []string{"sh", "-c", script}, "none", a.runtime
	if a.profile != "" {
		spec.SecurityOpt = append(slices.Clone(spec.SecurityOpt), "apparmor="+a.profile)
	}
	res, err := a.ContainerCreate(a.t.Context(), &spec, engine.CreateOptions{})
	if err != nil {
		return "", err
	}
	a.t.Cleanup(func() {
		if err := a.ContainerRemove(context.Background(), res.ID, engine.RemoveOptions{Force: true, Volumes: true}); err != nil && !errors.Is(err, engine.ErrNotFound) {
			a.t.Error(err)
		}
	})
	return res.ID, nil
}

func (a *armor) start(spec engine.Spec, script string) string {
	a.t.Helper()
	id, err := a.create(spec, script)
	a.check(err)
	a.check(a.ContainerStart(a.t.Context(), id, engine.StartOptions{}))
	return id
}

// output is what a container has written when it has written end.
func (a *armor) output(id string) string {
	a.t.Helper()
	l, err := a.ContainerLogs(a.t.Context(), id, engine.LogOptions{Follow: true})
	a.check(err)
	defer l.Close()
	var all []byte
	for buf := make([]byte, 4096); !strings.HasSuffix(text(all), "end\n"); {
		n, err := l.Read(buf)
		if all = append(all, buf[:n]...); err != nil {
			a.t.Fatalf("runtime %q: %q: %v", a.runtime, text(all), err)
		}
	}
	return text(all)
}

// exec is what the script writes as a further process.
func (a *armor) exec(id string, spec engine.ExecSpec) string {
	a.t.Helper()
	return a.run(id, spec, armorScript)
}

// run is what a script writes as a further process.
func (a *armor) run(id string, spec engine.ExecSpec, script string) string {
	a.t.Helper()
	spec.Cmd, spec.AttachStdout, spec.AttachStderr = []string{"sh", "-c", script}, true, true
	x, err := a.ExecCreate(a.t.Context(), id, spec)
	a.check(err)
	s, err := a.ExecStart(a.t.Context(), x, engine.ExecStartOptions{TTY: spec.TTY})
	a.check(err)
	out, err := io.ReadAll(s)
	a.check(errors.Join(err, s.Close()))
	if spec.TTY {
		return strings.ReplaceAll(string(out), "\r", "")
	}
	return text(out)
}

// same compares what the script says, and the container's inspect with the profile.
func (a *armor) same(what, id, got, want string) {
	a.t.Helper()
	if got != want {
		a.t.Errorf("runtime %q: %s: %q, want %q", a.runtime, what, got, want)
	}
	attrs, err := a.ContainerInspect(a.t.Context(), id, engine.InspectOptions{})
	a.check(err)
	var raw struct{ AppArmorProfile string }
	a.check(json.Unmarshal(attrs.Raw, &raw))
	if raw.AppArmorProfile != a.profile {
		a.t.Errorf("runtime %q: %s: inspect says %q, want %q", a.runtime, what, raw.AppArmorProfile, a.profile)
	}
}

// confined: first processes, with an init and without, and all that is executed beside them.
func (a *armor) confined(users ...string) {
	a.t.Helper()
	want := fmt.Sprintf(confinedText, a.profile)
	for _, user := range users {
		for _, spec := range []engine.Spec{
			{User: user},
			{User: user, Init: new(true), SecurityOpt: []string{"no-new-privileges"}},
		} {
			what := fmt.Sprintf("user %s, options %v", user, spec.SecurityOpt)
			id := a.start(spec, armorScript+"; exec sleep 1000")
			a.same(what, id, a.output(id), want)
			a.same(what+", exec", id, a.exec(id, engine.ExecSpec{}), want)
			a.same(what+", exec on a terminal", id, a.exec(id, engine.ExecSpec{TTY: true}), want)
			a.same(what+", privileged exec", id, a.exec(id, engine.ExecSpec{User: "0", Privileged: true}), want)
			a.check(a.ContainerRestart(a.t.Context(), id, engine.StopOptions{Timeout: new(time.Duration(0))}))
			a.same(what+", started again", id, a.exec(id, engine.ExecSpec{}), want)
			a.check(a.ContainerRemove(a.t.Context(), id, engine.RemoveOptions{Force: true}))
		}
	}
}

// privileged: a privileged container has the profile that is named, and no other.
func (a *armor) privileged() {
	a.t.Helper()
	id := a.start(engine.Spec{Privileged: true}, armorScript)
	a.same("privileged", id, a.output(id), fmt.Sprintf(confinedText, a.profile))
	none := &armor{a.Engine, a.t, "", a.runtime}
	id = none.start(engine.Spec{Privileged: true}, armorScript)
	none.same("privileged without a profile", id, none.output(id), unconfinedText)
}

// health: health checks have the profile.
func (a *armor) health() {
	a.t.Helper()
	id := a.start(engine.Spec{Healthcheck: &engine.Healthcheck{Test: []string{"CMD-SHELL", armorScript}, Interval: time.Second}}, "exec sleep 1000")
	for {
		attrs, err := a.ContainerInspect(a.t.Context(), id, engine.InspectOptions{})
		a.check(err)
		if h := attrs.State.Health; h != nil && len(h.Log) > 0 {
			a.same("health check", id, strings.TrimSpace(h.Log[0].Output)+"\n", fmt.Sprintf(confinedText, a.profile))
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// unconfined: by name, and where no profile is named.
func (a *armor) unconfined() {
	a.t.Helper()
	for _, profile := range []string{"unconfined", ""} {
		none := &armor{a.Engine, a.t, profile, a.runtime}
		id := none.start(engine.Spec{}, armorScript+"; exec sleep 1000")
		none.same("unconfined", id, none.output(id), unconfinedText)
		none.same("unconfined, exec", id, none.exec(id, engine.ExecSpec{}), unconfinedText)
		none.check(none.ContainerRemove(a.t.Context(), id, engine.RemoveOptions{Force: true}))
	}
}

// unknown: a profile that is not loaded is refused at creation.
func (a *armor) unknown() {
	a.t.Helper()
	none := &armor{a.Engine, a.t, "berth-nosuch", a.runtime}
	if _, err := none.create(engine.Spec{}, "true"); !errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), "berth-nosuch") {
		a.t.Errorf("an unknown profile: %v", err)
	}
}

// unloaded: a container whose profile has gone does not start without it, says why, and starts when it is back.
func (a *armor) unloaded() {
	a.t.Helper()
	gone := &armor{a.Engine, a.t, a.profile + "-gone", a.runtime}
	gone.load()
	id, err := gone.create(engine.Spec{}, armorScript)
	gone.check(err)
	gone.check(gone.unload())
	err = gone.ContainerStart(a.t.Context(), id, engine.StartOptions{})
	if want := "set the AppArmor profile " + gone.profile + ": no such file or directory (no profile of that name is loaded)"; err == nil || !strings.Contains(err.Error(), want) {
		a.t.Errorf("runtime %q: start without the profile: %v", a.runtime, err)
	}
	gone.load()
	gone.check(gone.ContainerStart(a.t.Context(), id, engine.StartOptions{}))
	gone.same("loaded again", id, gone.output(id), fmt.Sprintf(confinedText, gone.profile))
}
