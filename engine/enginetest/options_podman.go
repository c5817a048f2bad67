package enginetest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/berthdev/berth"
)

// podmanOptions are those that only Podman has (reachable through podman-py's
// undocumented keywords, or not at all). On other engines each must be refused.
func podmanOptions() []Case {
	podman := func(name string, set func(t *T, p *berth.PodmanSpec), line, want string) Case {
		return effect("option/"+name, func(t *T, s *berth.Spec) {
			s.Podman = &berth.PodmanSpec{}
			set(t, s.Podman)
			if t.Kind() != "podman" {
				// Every one of them is refused before anything else is looked at.
				s.Command = []string{"true"}
			}
		}, line, want)
	}
	return []Case{
		{Name: "option/pod", Do: func(t *T) {
			name := t.NewName()
			if t.Kind() == "podman" {
				resp, err := t.Client().Do(t.Context(), http.MethodPost, "/libpod/pods/create", strings.NewReader(`{"name":"`+name+`"}`), http.Header{"Content-Type": {"application/json"}})
				t.Check(err, "create pod")
				resp.Body.Close()
				if resp.StatusCode != http.StatusCreated {
					t.Untestable("the engine makes no pods here (status "+resp.Status+")", nil)
				}
				t.Cleanup(func() {
					resp, err := t.Client().Do(background(), http.MethodDelete, "/libpod/pods/"+name+"?force=true", nil, nil)
					if err != nil {
						t.Errorf("remove pod: %v", err)
						return
					}
					resp.Body.Close()
				})
			}
			spec := t.Sleeper()
			spec.Podman = &berth.PodmanSpec{Pod: name}
			one := t.Start(spec)
			spec = t.Spec()
			spec.Podman = &berth.PodmanSpec{Pod: name}
			ns := "readlink /proc/self/ns/net"
			Equal(t, "network namespace in the pod", t.Sh(spec, ns), t.ExecSh(one, ns))
			Equal(t, "pod", must(one.Inspect(t.Context())).Pod != "", true)
			t.Check(one.Remove(t.Context(), berth.RemoveOptions{Force: true}), "remove")
		}},
		podman("env_host", func(t *T, p *berth.PodmanSpec) { p.EnvHost = true }, `test -n "$XDG_RUNTIME_DIR$HOME$PWD$OLDPWD$TERM$SHLVL" && echo some`, "some"),
		{Name: "option/unsetenvall", Do: func(t *T) {
			spec := t.Spec("/bin/busybox", "env")
			spec.Image = t.image("ENV OF_THE_IMAGE=1")
			t.Contains("environment", t.Output(spec), "OF_THE_IMAGE")
			spec.Podman = &berth.PodmanSpec{UnsetEnvAll: true}
			if out := t.Output(spec); strings.Contains(out, "OF_THE_IMAGE") {
				t.Errorf("environment is %q", out)
			}
		}},
		podman("use_image_hosts", func(t *T, p *berth.PodmanSpec) { p.UseImageHosts = true }, "wc -c </etc/hosts 2>/dev/null || echo none", "none"),
		podman("use_image_resolve_conf", func(t *T, p *berth.PodmanSpec) { p.UseImageResolvConf = true }, "wc -c </etc/resolv.conf 2>/dev/null || echo none", "none"),
		podman("systemd", func(t *T, p *berth.PodmanSpec) { p.Systemd = "always" }, "grep -c ' /run tmpfs' /proc/mounts", "1"),
		podman("sdnotifyMode", func(t *T, p *berth.PodmanSpec) { p.SdNotifyMode = "ignore" }, "echo ${NOTIFY_SOCKET-unset}", "unset"),
		podman("seccomp_policy", func(t *T, p *berth.PodmanSpec) { p.SeccompPolicy = "default" }, "grep ^Seccomp: /proc/self/status | cut -f2", "2"),
		podman("rootfs_propagation", func(t *T, p *berth.PodmanSpec) { p.RootfsPropagation = "private" }, "grep -c ' / / .*shared:' /proc/self/mountinfo; true", "0"),
		podman("passwd_entry", func(t *T, p *berth.PodmanSpec) {
			p.PasswdEntry = "berth:*:1234:1234::/:/bin/sh"
			p.ManagePassword = new(true)
		}, "grep -c ^root /etc/passwd", "1"),
		podman("personality", func(t *T, p *berth.PodmanSpec) { p.Personality = "LINUX32" }, "uname -m", "i686"),
		podman("chroot_directories", func(t *T, p *berth.PodmanSpec) { p.ChrootDirectories = []string{"/tmp"} }, "cat /tmp/etc/resolv.conf >/dev/null && echo there", "there"),
		podman("volatile", func(t *T, p *berth.PodmanSpec) { p.Volatile = true }, "echo ok", "ok"),
		podman("label_nested", func(t *T, p *berth.PodmanSpec) { p.LabelNested = true }, "echo ok", "ok"),
		podman("mem_use_hierarchy", func(t *T, p *berth.PodmanSpec) { p.MemUseHierarchy = new(true) }, "cat /sys/fs/cgroup/memory/memory.use_hierarchy", "1"),
		{Name: "option/conmon_pid_file", Do: func(t *T) {
			dir := t.hostDir()
			spec := t.Sleeper()
			spec.Podman = &berth.PodmanSpec{ConmonPidFile: dir + "/conmon.pid"}
			t.Start(spec)
			read := t.Spec()
			read.Mounts = []berth.Mount{berth.Bind(dir, "/h")}
			if pid := t.Sh(read, "cat /h/conmon.pid"); pid == "" || strings.Trim(pid, "0123456789") != "" {
				t.Errorf("the file holds %q, want a process ID", pid)
			}
		}},
		{Name: "option/containerCreateCommand", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Podman = &berth.PodmanSpec{CreateCommand: []string{"berth", "run", "x"}}
			a := must(t.Create(spec).Inspect(t.Context()))
			t.Contains("inspect", string(bytes.ReplaceAll(a.Raw, []byte(" "), nil)), `"CreateCommand":["berth","run","x"]`)
		}},
		{Name: "option/image_volume_mode", Do: func(t *T) {
			image := t.image("VOLUME /vol")
			for mode, want := range map[string]string{"tmpfs": "tmpfs", "ignore": "none"} {
				spec := t.Spec()
				spec.Image = image
				spec.Podman = &berth.PodmanSpec{ImageVolumeMode: mode}
				Equal(t, "mount of /vol with "+mode, t.Sh(spec, "awk '$2==\"/vol\"{print $3;f=1} END{if(!f)print \"none\"}' /proc/mounts"), want)
			}
		}},
		{Name: "option/rootfs", Do: func(t *T) {
			dir := t.hostDir()
			fill := t.Spec()
			fill.Mounts = []berth.Mount{berth.Bind(dir, "/h")}
			t.Sh(fill, "mkdir -p /h/bin /h/proc /h/dev /h/sys /h/etc /h/run /h/tmp && cp /bin/busybox /h/bin/ && ln -s busybox /h/bin/sh && echo rootfs >/h/marker")
			spec := t.Spec("/bin/sh", "-c", "/bin/busybox cat /marker")
			spec.Image, spec.Podman = "", &berth.PodmanSpec{Rootfs: dir}
			Equal(t, "output", t.Output(spec), "rootfs\n")
		}},
		{Name: "option/init_container_type", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Podman = &berth.PodmanSpec{InitContainerType: "once"}
			_, err := t.Client().Containers.Create(t.Context(), spec)
			if err == nil {
				t.Error("an init container outside of a pod was accepted")
			}
			t.Gone("the refusal")
			if t.Kind() != "podman" {
				t.Unsupported(err)
			}
		}},
		{Name: "option/dependencyContainers", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Podman = &berth.PodmanSpec{DependencyContainers: []string{t.Shared().ID()}}
			a := must(t.Create(spec).Inspect(t.Context()))
			t.Contains("dependencies", string(a.Raw), t.Shared().ID())
		}},
		{Name: "option/raw", Do: func(t *T) {
			raw := map[string]string{"docker": `{"Env":["RAW=1"]}`, "podman": `{"env":{"RAW":"1"}}`, "embedded": `{"process":{"env":["PATH=/bin","RAW=1"]}}`}[t.Kind()]
			spec := t.Spec()
			spec.Raw = map[string]json.RawMessage{t.Kind(): json.RawMessage(raw)}
			Equal(t, "variable", t.Sh(spec, "echo $RAW"), "1")
			spec.Raw = map[string]json.RawMessage{"other": json.RawMessage(raw)}
			_, err := t.Client().Containers.Create(t.Context(), spec)
			t.WantError("raw for another engine only", err, berth.ErrUnsupported)
			t.Gone("the refusal")
		}},
	}
}

// must returns v; an error ends the case as T.Check does.
func must[V any](v V, err error) V {
	if err != nil {
		panic(mustError{err})
	}
	return v
}

type mustError struct{ error }
