package oracle

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/berthdev/berth/internal/testmod/parity"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// TestPodmanCreate makes each container with podman-py and with Berth, and compares
// what libpod shows of both.
func TestPodmanCreate(t *testing.T) {
	w := newWorld(t, "podman", "podman")
	other := w.start(sleeper())
	secret, err := w.cli.Secrets.Create(w.ctx, rig.Name(), []byte("data"))
	w.must(err)
	t.Cleanup(func() {
		if err := secret.Remove(context.WithoutCancel(w.ctx)); err != nil {
			t.Errorf("remove secret: %v", err)
		}
	})
	w.py.with["other"], w.py.with["net"], w.py.with["vol"], w.py.with["secret"] = other.ID(), w.network().Name(), w.volume(), secret.Name()
	with := func(key string) string { return w.py.with[key].(string) }
	for _, o := range podmanOptions(other.ID(), with("net"), with("vol"), with("secret")) {
		w.run(o.kwargs, func(w *world) {
			compareCreate(w, o, "(lambda **k: client.containers.create(image, **k))(**{**dict(command=['sleep', '3600'], name=name), **dict("+o.kwargs+")})")
		})
	}
}

// TestPodmanOptions: every keyword argument of podman-py's create and run has a
// row here, or a reason.
func TestPodmanOptions(t *testing.T) {
	inv, err := parity.Committed()
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := map[string]string{
		"image": "in every row", "name": "in every row", "cmd": "libpod's name of command, which podman-py takes as well",
		"detach": "of run", "remove": "of run", "stdout": "of run", "stderr": "of run", "stream": "of run", "platform": "of the pull",
		"raw_image_name": "Berth sends it always", "namespace": "gone from Podman with 5.0", "version": "of the API, not of the container",
		"mac_address":          "podman-py sends a field that went with Podman 4.0; nothing shows it before the start",
		"pod":                  "option/pod of the conformance suite: podman-py needs a pod of its own kind",
		"rootfs":               "option/rootfs: podman-py demands an image beside it",
		"rootfs_propagation":   "option/rootfs_propagation: nothing but the container shows it",
		"init_path":            "option/init_path: there is no other init on the host",
		"idmappings":           "option/idmappings: podman-py has no form of it of its own",
		"apparmor_profile":     "option/apparmor_profile: the kernel here has no AppArmor",
		"seccomp_profile_path": "option/seccomp_profile_path: podman-py's path is on the engine's host, Berth's on the client's",
		"volume_driver":        "option/volume_driver: podman-py drops it",
		"network_options":      "option/network_options: for engines that are not root",
		"device_write_bps":     "as device_read_bps", "device_read_iops": "as device_read_bps", "device_write_iops": "as device_read_bps",
	}
	var all strings.Builder
	for _, o := range podmanOptions("", "", "", "") {
		all.WriteString(o.kwargs + "\n")
	}
	for _, name := range inv.Podman.Create {
		if elsewhere[name] == "" && !regexp.MustCompile(`\b`+name+`=`).MatchString(all.String()) {
			t.Errorf("no row for %s", name)
		}
	}
	for name := range elsewhere {
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(strings.Join(append(inv.Podman.Create, "device_read_iops", "device_write_bps", "device_write_iops", "platform"), " ")) {
			t.Errorf("podman-py has no %s", name)
		}
	}
}
