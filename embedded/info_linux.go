package embedded

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// Info implements [engine.System].
func (e *Engine) Info(ctx context.Context) (*engine.Info, error) {
	const op = "get information"
	list, err := e.ContainerList(ctx, engine.ListOptions{All: true})
	if err != nil {
		return nil, because(ctx, op, "", err)
	}
	images, err := e.images.List(ctx, engine.ImageListOptions{All: true}, nil)
	if err != nil {
		return nil, because(ctx, op, "", err)
	}
	i := &engine.Info{
		ID: e.store.Root(), ServerVersion: version(), Containers: len(list), Images: len(images),
		StorageDriver: storageDriver, LoggingDriver: "json-file", CgroupDriver: "cgroupfs", CgroupVersion: e.Identity().CgroupVersion,
		KernelVersion: kernelVersion(), OperatingSystem: operatingSystem(), OSType: "linux", Arch: machine(),
		NCPU: runtime.NumCPU(), MemTotal: memTotal(), RootDir: e.store.Root(), DefaultRuntime: e.runtimeName(""),
		Runtimes: runtimes(), LogDrivers: []string{"json-file", "none"}, VolumeDrivers: []string{"local"},
		NetworkDrivers: []string{"bridge", "host", "null"}, SecurityOptions: e.securityOptions(), Rootless: e.host.Rootless,
		SwapLimit: new(!e.host.NoSwapLimit), OOMKillDisable: new(!e.host.CgroupV2),
	}
	i.Name, _ = os.Hostname()
	for _, c := range list {
		switch c.Status {
		case engine.StatusRunning, engine.StatusRestarting, engine.StatusStopping:
			i.ContainersRunning++
		case engine.StatusPaused:
			i.ContainersPaused++
		default:
			i.ContainersStopped++
		}
	}
	i.Raw, err = json.Marshal(i)
	return i, because(ctx, op, "", err)
}

const (
	storageDriver = "overlay"
	builtin       = "berth" // the engine's own start path, among the runtimes
)

// runtimes are those that Spec.Runtime may name: the engine's own, and the OCI runtimes that are installed.
func runtimes() []string {
	list := []string{builtin}
	for _, r := range []string{"crun", "runc", "youki"} {
		if _, err := exec.LookPath(r); err == nil {
			list = append(list, r)
		}
	}
	return list
}

// runtimeThere is an UnsupportedError for an OCI runtime that is not installed.
func runtimeThere(option, runtime string) error {
	if runtime == "" {
		return nil
	}
	if _, err := exec.LookPath(runtime); err != nil {
		return unsupported(option, runtime, err.Error())
	}
	return nil
}

// runtimeName is what starts a container of that runtime, "" for the engine's default.
func (e *Engine) runtimeName(name string) string {
	switch {
	case name != "":
		return name
	case e.runtime != "":
		return e.runtime
	}
	return builtin
}

func (e *Engine) securityOptions() []string {
	out := []string{"name=seccomp,profile=builtin"}
	if e.host.AppArmor {
		out = append(out, "name=apparmor")
	}
	if e.host.SELinux {
		out = append(out, "name=selinux")
	}
	if e.host.Rootless {
		out = append(out, "name=rootless")
	}
	return out
}

// machine is the machine's name of its architecture: x86_64.
func machine() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return runtime.GOARCH
	}
	return unix.ByteSliceToString(u.Machine[:])
}

// operatingSystem is PRETTY_NAME of os-release(5).
func operatingSystem() string {
	for _, path := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			if v, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
				if s, err := strconv.Unquote(v); err == nil {
					return s
				}
				return strings.Trim(v, `'"`)
			}
		}
	}
	return "Linux"
}

// memTotal is the machine's memory.
func memTotal() engine.Bytes {
	var s unix.Sysinfo_t
	if err := unix.Sysinfo(&s); err != nil {
		return 0
	}
	return engine.Bytes(uint64(s.Totalram) * uint64(s.Unit))
}
