package enginetest

import (
	"fmt"
	"strings"

	"github.com/berthdev/berth"
)

// securityOptions are those that decide what the process may do.
func securityOptions() []Case {
	capEff := "grep CapEff /proc/self/status | cut -f2"
	has := func(t *T, spec berth.Spec, bit uint) bool {
		t.Helper()
		var mask uint64
		if _, err := fmt.Sscanf(t.Sh(spec, capEff), "%x", &mask); err != nil {
			t.Fatalf("read CapEff: %v", err)
		}
		return mask&(1<<bit) != 0
	}
	const netAdmin, mknod, chown = 12, 27, 0
	return []Case{
		{Name: "option/privileged", Do: func(t *T) {
			line := "mkdir -p /mnt/t && mount -t tmpfs none /mnt/t 2>/dev/null && echo mounted || echo refused"
			Equal(t, "mount without", t.Sh(t.Spec(), line), "refused")
			spec := t.Spec()
			spec.Privileged = true
			t.needsAllCaps(spec)
			Equal(t, "mount with", t.Sh(spec, line), "mounted")
		}},
		{Name: "option/cap_add", Do: func(t *T) {
			spec := t.Spec()
			if has(t, spec, netAdmin) {
				t.Fatal("NET_ADMIN is there by default")
			}
			for _, name := range []string{"NET_ADMIN", "CAP_NET_ADMIN"} {
				spec.CapAdd = []string{name}
				if !has(t, spec, netAdmin) {
					t.Errorf("CapAdd %s does not give NET_ADMIN", name)
				}
			}
		}},
		{Name: "option/cap_add-all", Do: func(t *T) {
			spec := t.Spec()
			spec.CapAdd = []string{"ALL"}
			t.needsAllCaps(spec)
			if !has(t, spec, netAdmin) {
				t.Error("ALL does not give NET_ADMIN")
			}
		}},
		{Name: "option/cap_drop", Do: func(t *T) {
			spec := t.Spec()
			spec.CapDrop = []string{"CHOWN"}
			if has(t, spec, chown) {
				t.Error("CHOWN is still there")
			}
			if !has(t, t.Spec(), chown) {
				t.Error("CHOWN is not there by default")
			}
			spec.CapDrop = []string{"ALL"}
			if has(t, spec, mknod) || has(t, spec, chown) {
				t.Error("dropping ALL leaves some")
			}
		}},
		{Name: "option/security_opt", Do: func(t *T) {
			status := func(spec berth.Spec, field string) string {
				return t.Sh(spec, "grep ^"+field+": /proc/self/status | cut -f2")
			}
			for _, opt := range []string{"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"} {
				spec := t.Spec()
				spec.SecurityOpt = []string{opt}
				Equal(t, "NoNewPrivs with "+opt, status(spec, "NoNewPrivs"), "1")
			}
			Equal(t, "NoNewPrivs without", status(t.Spec(), "NoNewPrivs"), "0")
			spec := t.Spec()
			spec.SecurityOpt = []string{"seccomp=unconfined"}
			Equal(t, "Seccomp unconfined", status(spec, "Seccomp"), "0")
			Equal(t, "Seccomp by default", status(t.Spec(), "Seccomp"), "2")
		}},
		{Name: "option/security_opt-unknown", Do: func(t *T) {
			spec := t.Sleeper()
			spec.SecurityOpt = []string{"nosuch=thing"}
			_, err := t.Client().Containers.Create(t.Context(), spec)
			if err == nil {
				t.Error("an unknown security option was accepted")
			} else if !strings.Contains(err.Error(), "nosuch") && !strings.Contains(strings.ToLower(err.Error()), "securityopt") {
				t.Errorf("the error does not name the option: %v", err)
			}
			t.Gone("the refusal")
		}},
		{Name: "option/unmasked_paths", Do: func(t *T) {
			spec := t.Spec()
			spec.SecurityOpt = []string{"systempaths=unconfined"}
			// What masks a path is a mount on it.
			const line = "grep -c ' /proc/[^ ]* ' /proc/self/mountinfo; true"
			if t.Sh(t.Spec(), line) == "0" {
				t.Error("nothing is masked by default")
			}
			Equal(t, "masked paths", t.Sh(spec, line), "0")
		}},
		{Name: "option/masked_paths", Do: func(t *T) {
			spec := t.Spec()
			spec.SecurityOpt = []string{"mask=/proc/uptime"}
			Equal(t, "bytes of the masked path", t.Sh(spec, "wc -c </proc/uptime"), "0")
		}},
		{Name: "option/procfs_opts", Do: func(t *T) {
			spec := t.Spec()
			spec.SecurityOpt = []string{"proc-opts=hidepid=2"}
			t.Contains("mount of /proc", t.Sh(spec, "grep ' /proc proc' /proc/mounts"), "hidepid=")
		}},
		{Name: "option/apparmor_profile", Do: func(t *T) {
			spec := t.Spec("cat", "/proc/self/attr/current")
			spec.SecurityOpt = []string{"apparmor=berth-nosuch"}
			res, err := t.Client().Containers.Run(t.Context(), spec)
			if err == nil {
				t.Fatalf("it runs with a profile that does not exist: %s", res.Stdout)
			}
			t.Gone("the refusal")
			t.Untestable("this kernel has no AppArmor", err)
		}},
		{Name: "option/seccomp_profile_path", Do: func(t *T) {
			profile := `{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],"syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`
			spec := t.Spec()
			spec.SecurityOpt = []string{"seccomp=" + t.engineFile("profile.json", profile)}
			Equal(t, "mkdir", t.Sh(spec, "mkdir /tmp/x 2>/dev/null && echo made || echo refused"), "refused")
		}},
		{Name: "option/read_only", Do: func(t *T) {
			spec := t.Spec()
			spec.ReadOnly = true
			line := "touch /x 2>&1 && echo written; echo d >/dev/null && echo dev"
			t.Contains("output", t.Sh(spec, line), "Read-only file system")
			t.Contains("output", t.Sh(spec, line), "dev")
		}},
		{Name: "option/read_write_tmpfs", Do: func(t *T) {
			spec := t.Spec()
			spec.ReadOnly, spec.ReadWriteTmpfs = true, new(true)
			Equal(t, "output", t.Sh(spec, "touch /tmp/x /run/x /var/tmp/x && echo written"), "written")
			spec.ReadWriteTmpfs = new(false)
			t.Contains("output", t.Sh(spec, "touch /tmp/x 2>&1; true"), "Read-only file system")
		}},
		{Name: "option/ulimits", Do: func(t *T) {
			spec := t.Spec()
			spec.Ulimits = []berth.Ulimit{{Name: "RLIMIT_NOFILE", Soft: 1000, Hard: 2000}, {Name: "core", Soft: 0, Hard: 0}}
			t.needsRlimits(spec)
			Equal(t, "limits", t.Sh(spec, "ulimit -Sn; ulimit -Hn; ulimit -c"), "1000\n2000\n0")
		}},
		{Name: "option/ulimits-unlimited", Do: func(t *T) {
			spec := t.Spec()
			spec.Ulimits = []berth.Ulimit{{Name: "fsize", Soft: -1, Hard: -1}}
			t.needsRlimits(spec)
			Equal(t, "limit", t.Sh(spec, "ulimit -f"), "unlimited")
		}},
		effect("option/sysctls", func(t *T, s *berth.Spec) { s.Sysctls = map[string]string{"net.core.somaxconn": "1234"} },
			"cat /proc/sys/net/core/somaxconn", "1234"),
		differs("option/oom_score_adj", func(t *T, s *berth.Spec) { s.OOMScoreAdj = new(321) }, "cat /proc/self/oom_score_adj", "321"),
	}
}

// needsAllCaps ends the case where the engine's host lacks a capability and its
// runtime refuses to start a container that asks for all of them.
func (t *T) needsAllCaps(spec berth.Spec) {
	t.Helper()
	_, err := t.Client().Containers.Run(t.Context(), withCommand(spec, "true"))
	if err != nil && strings.Contains(err.Error(), "unable to apply caps") {
		t.Gone("the refusal")
		t.Untestable("the engine's host lacks capabilities itself", err)
	}
	t.Check(err, "run")
}

// needsRlimits ends the case where the engine adds limits of its own that its host
// may not set (Podman before 5.0, without CAP_SYS_RESOURCE).
func (t *T) needsRlimits(spec berth.Spec) {
	t.Helper()
	_, err := t.Client().Containers.Run(t.Context(), withCommand(spec, "true"))
	if err != nil && strings.Contains(err.Error(), "error setting rlimit") {
		t.Gone("the refusal")
		t.Untestable("the engine adds limits that its host may not set", err)
	}
	t.Check(err, "run")
}
