package enginetest

import (
	"io/fs"
	"strings"

	"github.com/berthdev/berth"
)

// storageOptions are mounts, volumes and devices.
func storageOptions() []Case {
	return []Case{
		{Name: "option/mounts-bind", Do: func(t *T) {
			dir := t.hostDir()
			t.writeHost(dir, "f", "content")
			spec := t.Spec()
			spec.Mounts = []berth.Mount{berth.Bind(dir, "/mnt/b")}
			Equal(t, "read and write", t.Sh(spec, "cat /mnt/b/f; echo more >/mnt/b/g; cat /mnt/b/g"), "contentmore")
			spec.Mounts[0].ReadOnly = true
			t.Contains("write to a read-only bind", t.Sh(spec, "cat /mnt/b/g; echo no 2>&1 >/mnt/b/g || true; touch /mnt/b/x 2>&1; true"), "Read-only")
		}},
		{Name: "option/mounts-bind-missing", Do: func(t *T) {
			spec := t.Spec("true")
			spec.Mounts = []berth.Mount{berth.Bind("/var/tmp/"+t.NewName(), "/mnt/b")}
			_, err := t.Client().Containers.Run(t.Context(), spec)
			if err == nil {
				t.Error("a bind of a path that does not exist runs")
			}
			t.Gone("the failure")
		}},
		{Name: "option/mounts-bind-create", Do: func(t *T) {
			dir := t.hostDir()
			spec := t.Spec()
			m := berth.Bind(dir+"/made", "/mnt/b")
			m.CreateSource = true
			spec.Mounts = []berth.Mount{m}
			Equal(t, "output", t.Sh(spec, "test -d /mnt/b && echo made"), "made")
		}},
		{Name: "option/mounts-propagation", Do: func(t *T) {
			dir := t.hostDir()
			for _, p := range []string{"rprivate", "rslave"} {
				spec := t.Spec()
				m := berth.Bind(dir, "/mnt/b")
				m.Propagation = p
				spec.Mounts = []berth.Mount{m}
				line := "grep ' /mnt/b ' /proc/self/mountinfo | sed 's/ - .*//' | cut -d' ' -f7-"
				res, err := t.Client().Containers.Run(t.Context(), withCommand(spec, "sh", "-c", line))
				if err != nil && p == "rslave" && strings.Contains(err.Error(), "not a shared or slave mount") {
					t.Gone("the refusal")
					t.Untestable("the engine's host has only private mounts", err)
				}
				t.Check(err, "run with %s", p)
				if slave := strings.Contains(string(res.Stdout), "master:"); slave && p == "rprivate" {
					t.Errorf("a private mount is a slave: %s", res.Stdout)
				}
			}
		}},
		{Name: "option/mounts-relabel", Do: func(t *T) {
			// Without SELinux a label changes nothing: what is seen is that it is accepted in both forms and the mount is there.
			dir := t.hostDir()
			t.writeHost(dir, "f", "labelled")
			for _, relabel := range []string{"shared", "private"} {
				spec := t.Spec()
				m := berth.Bind(dir, "/mnt/b")
				m.Relabel = relabel
				spec.Mounts = []berth.Mount{m}
				Equal(t, "content", t.Sh(spec, "cat /mnt/b/f"), "labelled")
			}
			t.Untestable("this kernel has no SELinux: the option is accepted, its label cannot be seen", nil)
		}},
		{Name: "option/mounts-chown", Do: func(t *T) {
			dir := t.hostDir()
			spec := t.Spec()
			m := berth.Bind(dir, "/mnt/b")
			m.Chown = true
			spec.Mounts, spec.User = []berth.Mount{m}, "1234:4321"
			Equal(t, "owner", t.Sh(spec, "stat -c %u:%g /mnt/b"), "1234:4321")
		}},
		{Name: "option/mounts-volume", Do: func(t *T) {
			name := t.volume(berth.VolumeCreateOptions{})
			spec := t.Spec()
			spec.Mounts = []berth.Mount{berth.VolumeMount(name, "/mnt/v")}
			t.Sh(spec, "echo kept >/mnt/v/f")
			Equal(t, "content", t.Sh(spec, "cat /mnt/v/f"), "kept")
			spec.Mounts[0].ReadOnly = true
			t.Contains("write to a read-only volume", t.Sh(spec, "touch /mnt/v/x 2>&1; true"), "Read-only")
		}},
		{Name: "option/mounts-volume-new", Do: func(t *T) {
			spec := t.Spec()
			name := t.NewName()
			spec.Mounts = []berth.Mount{berth.VolumeMount(name, "/mnt/v")}
			t.Sh(spec, "echo made >/mnt/v/f")
			t.removeVolumeLater(name)
			Equal(t, "content", t.Sh(spec, "cat /mnt/v/f"), "made")
		}},
		{Name: "option/mounts-volume-anonymous", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Mounts = []berth.Mount{berth.VolumeMount("", "/mnt/v")}
			c := t.Start(spec)
			a, err := c.Inspect(t.Context())
			t.Check(err, "inspect")
			if len(a.Mounts) != 1 || a.Mounts[0].Name == "" || a.Mounts[0].Target != "/mnt/v" {
				t.Fatalf("mounts are %+v", a.Mounts)
			}
			t.Check(c.Remove(t.Context(), berth.RemoveOptions{Force: true, Volumes: true}), "remove")
			_, err = t.Client().Volumes.Get(t.Context(), a.Mounts[0].Name)
			t.WantError("the anonymous volume after removal", err, berth.ErrNotFound)
		}},
		{Name: "option/mounts-nocopy", Do: func(t *T) {
			for _, nocopy := range []bool{false, true} {
				spec := t.Spec()
				m := berth.VolumeMount(t.NewName(), "/etc")
				m.NoCopy = nocopy
				spec.Mounts = []berth.Mount{m}
				want := "copied"
				if nocopy {
					want = "empty"
				}
				Equal(t, "content of the new volume", t.Sh(spec, "test -e /etc/group && echo copied || echo empty"), want)
				t.removeVolumeLater(m.Source)
			}
		}},
		{Name: "option/mounts-subpath", Do: func(t *T) {
			name := t.volume(berth.VolumeCreateOptions{})
			spec := t.Spec()
			spec.Mounts = []berth.Mount{berth.VolumeMount(name, "/mnt/v")}
			t.Sh(spec, "mkdir -p /mnt/v/sub && echo below >/mnt/v/sub/f")
			spec.Mounts[0].Subpath = "sub"
			Equal(t, "content", t.Sh(spec, "cat /mnt/v/f"), "below")
		}},
		{Name: "option/mounts-tmpfs", Do: func(t *T) {
			spec := t.Spec()
			m := berth.Tmpfs("/mnt/t")
			m.Size, m.Mode = 1*berth.MiB, new(fs.FileMode(0o1700))
			spec.Mounts = []berth.Mount{m}
			out := t.Sh(spec, "grep ' /mnt/t ' /proc/mounts; stat -c %a /mnt/t")
			t.Contains("mount", out, "tmpfs /mnt/t tmpfs")
			t.Contains("mount", out, "size=1024k")
			t.Contains("mode", out, "\n1700")
		}},
		{Name: "option/mounts-tmpfs-mode", Do: func(t *T) {
			// On a directory of the image: runc before 1.2 gives the tmpfs that one's mode, whatever it is told.
			try := func(mode fs.FileMode) (string, error) {
				spec := t.Spec("stat", "-c", "%a", "/etc")
				m := berth.Tmpfs("/etc")
				m.Mode = &mode
				spec.Mounts = []berth.Mount{m}
				res, err := t.Client().Containers.Run(t.Context(), spec)
				if err != nil {
					return "", err
				}
				return strings.TrimSpace(string(res.Stdout)), nil
			}
			out, err := try(0o755) // which it has
			if err != nil {
				t.Fatalf("the mode of the image's directory: %v", err)
			}
			Equal(t, "mode", out, "755")
			if out, err = try(0o1700); err != nil {
				t.Gone("the refusal")
				t.Unsupported(err)
			}
			Equal(t, "mode", out, "1700")
		}},
		{Name: "option/tmpfs", Do: func(t *T) {
			spec := t.Spec()
			m := berth.Tmpfs("/mnt/t")
			m.Options = []string{"noexec", "size=64k"}
			spec.Mounts = []berth.Mount{m}
			out := t.Sh(spec, "grep ' /mnt/t ' /proc/mounts")
			t.Contains("mount", out, "noexec")
			t.Contains("mount", out, "size=64k")
		}},
		{Name: "option/tmpfs-owner", Do: func(t *T) {
			spec := t.Spec()
			m := berth.Tmpfs("/mnt/t")
			m.Options = []string{"uid=1234"}
			spec.Mounts = []berth.Mount{m}
			Equal(t, "owner", t.Sh(spec, "stat -c %u /mnt/t"), "1234")
		}},
		{Name: "option/mounts-image", Do: func(t *T) {
			spec := t.Spec()
			spec.Mounts = []berth.Mount{berth.ImageMount(t.Config().Image, "/mnt/i")}
			spec.Mounts[0].ReadOnly = true
			Equal(t, "a file of the image", t.Sh(spec, "test -x /mnt/i/bin/busybox && echo there"), "there")
		}},
		refused("option/mounts-npipe", func(s *berth.Spec) {
			s.Mounts = []berth.Mount{{Type: berth.MountNpipe, Source: `\\.\pipe\x`, Target: `\\.\pipe\y`}}
		}),
		{Name: "option/overlay_volumes", Do: func(t *T) {
			dir := t.hostDir()
			t.writeHost(dir, "f", "below")
			spec := t.Spec()
			spec.Mounts = []berth.Mount{{Type: berth.MountOverlay, Source: dir, Target: "/mnt/o"}}
			Equal(t, "through the overlay", t.Sh(spec, "cat /mnt/o/f; echo above >/mnt/o/f; cat /mnt/o/f"), "belowabove")
			spec.Mounts[0] = berth.Bind(dir, "/mnt/o")
			Equal(t, "below the overlay", t.Sh(spec, "cat /mnt/o/f"), "below")
		}},
		{Name: "option/volumes_from", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Mounts = []berth.Mount{berth.VolumeMount("", "/mnt/v")}
			from := t.Start(spec)
			t.ExecSh(from, "echo shared >/mnt/v/f")
			spec = t.Spec()
			spec.VolumesFrom = []string{from.ID() + ":ro"}
			out := t.Sh(spec, "cat /mnt/v/f; touch /mnt/v/g 2>&1; true")
			t.Contains("output", out, "shared")
			t.Contains("output", out, "Read-only")
		}},
		{Name: "option/volume_driver", Do: func(t *T) {
			spec := t.Spec()
			name := t.NewName()
			spec.VolumeDriver = "local"
			spec.Mounts = []berth.Mount{berth.VolumeMount(name, "/mnt/v")}
			t.Sh(spec, "touch /mnt/v/f")
			t.removeVolumeLater(name)
			spec.VolumeDriver = "berth-nosuch"
			spec.Mounts = []berth.Mount{berth.VolumeMount(t.NewName(), "/mnt/v")}
			_, err := t.Client().Containers.Run(t.Context(), withCommand(spec, "true"))
			if err == nil {
				t.Error("it runs with a volume driver that does not exist")
			}
			t.Gone("the refusal")
		}},
		{Name: "option/storage_opt", Do: func(t *T) {
			spec := t.Spec("true")
			spec.StorageOpt = map[string]string{"size": "100M"}
			_, err := t.Client().Containers.Run(t.Context(), spec)
			if err == nil {
				spec := t.Spec()
				spec.StorageOpt = map[string]string{"size": "100M"}
				Equal(t, "size of /", t.Sh(spec, "df -m / | tail -1 | awk '{print $2}'"), "100")
				return
			}
			t.Gone("the refusal")
			t.Untestable("the engine's storage has no quotas", err)
		}},
		{Name: "option/shm_size", Do: func(t *T) {
			spec := t.Spec()
			spec.ShmSize = 32 * berth.MiB
			t.Contains("mount", t.Sh(spec, "grep ' /dev/shm ' /proc/mounts"), "size=32768k")
		}},
		{Name: "option/devices", Do: func(t *T) {
			spec := t.Spec()
			spec.Devices = []berth.Device{{Host: "/dev/zero", Container: "/dev/berth0", Permissions: "r"}}
			Equal(t, "bytes read", t.Sh(spec, "head -c 3 /dev/berth0 | od -An -tx1 | tr -d ' '"), "000000")
		}},
		{Name: "option/device_cgroup_rules", Do: func(t *T) {
			// Without the rule, opening the device is refused by the cgroup (EPERM); with it, by the missing driver or not at all.
			line := "mknod /tmp/d c 13 63 && (cat /tmp/d) 2>&1 | head -c 200; true"
			spec := t.Spec()
			if t.Client().Engine().Rootless {
				spec.DeviceCgroupRules = []string{"c 13:* rwm"}
				_, err := t.Client().Containers.Run(t.Context(), withCommand(spec, "true"))
				t.Gone("the refusal")
				t.Unsupported(err)
			}
			spec.CapAdd = []string{"MKNOD"}
			t.Contains("without the rule", t.Sh(spec, line), "Operation not permitted")
			spec.DeviceCgroupRules = []string{"c 13:* rwm"}
			if out := t.Sh(spec, line); strings.Contains(out, "not permitted") {
				t.Errorf("with the rule: %s", out)
			}
		}},
		{Name: "option/device_requests", Do: func(t *T) {
			spec := t.Spec("true")
			spec.DeviceRequests = []berth.DeviceRequest{{Count: -1, Capabilities: [][]string{{"gpu"}}}}
			_, err := t.Client().Containers.Run(t.Context(), spec)
			if err == nil {
				t.Fatal("it runs although there is no GPU")
			}
			t.Gone("the refusal")
			t.Untestable("there is no GPU", err)
		}},
		{Name: "option/cdi_devices", Serial: true, Do: func(t *T) {
			t.writeCDI()
			spec := t.Spec()
			spec.CDIDevices = []string{"berth.example/thing=one"}
			Equal(t, "environment of the CDI device", t.Sh(spec, "echo $BERTH_CDI"), "one")
		}},
		effect("option/volumes", func(t *T, s *berth.Spec) {
			dir := t.hostDir()
			t.writeHost(dir, "f", "classic")
			m, err := berth.ParseMount(dir + ":/mnt/b:ro,rprivate")
			t.Check(err, "parse")
			s.Mounts = []berth.Mount{m}
		}, "cat /mnt/b/f; touch /mnt/b/x 2>/dev/null || echo ' ro'", "classic ro"),
	}
}

// writeCDI puts a CDI specification on the engine's host and removes it with the case.
func (t *T) writeCDI() {
	t.Helper()
	spec := t.Spec()
	spec.Mounts = []berth.Mount{berth.Bind("/etc", "/h")}
	json := `{"cdiVersion":"0.5.0","kind":"berth.example/thing","devices":[{"name":"one","containerEdits":{"env":["BERTH_CDI=one"]}}]}`
	t.Sh(spec, "mkdir -p /h/cdi && echo '"+json+"' >/h/cdi/berth-test.json")
	t.Cleanup(func() {
		spec.Command = []string{"rm", "-f", "/h/cdi/berth-test.json"}
		if _, err := t.Client().Containers.Run(background(), spec); err != nil {
			t.Errorf("remove the CDI specification: %v", err)
		}
	})
}
