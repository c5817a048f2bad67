//go:build linux

package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

// elsewhere are the fields that others read out of state.Config.Spec.
var elsewhere = map[string]string{
	"Spec.Name":           "given to Build as Input.Name",
	"Spec.UseConfigProxy": "the facade puts the variables into Env",
	"Spec.OpenStdin":      "read by the monitor",
	"Spec.StdinOnce":      "read by the monitor",
	"Spec.Timeout":        "read by the monitor",
	"Spec.Labels":         "read by inspect, list and events",
	"Spec.Platform":       "the caller finds the image",
	"Spec.RestartPolicy":  "read by the monitor",
	"Spec.Links":          "read by network",
}

// examples are values of fields that a value made of their type does not do for.
func examples() map[string]any {
	return map[string]any{
		"Spec.Entrypoint": []string{"/e"}, "Spec.Env": map[string]string{"X": "1"}, "Spec.UnsetEnv": []string{"OF_IMAGE"},
		"Spec.WorkingDir": "/w", "Spec.User": "user", "Spec.GroupAdd": []string{"77"}, "Spec.Umask": "0027", "Spec.Timezone": "local",
		"Spec.StopSignal": "INT", "Spec.StopTimeout": new(3 * time.Second), "Spec.Timeout": 3 * time.Second, "Spec.Platform": "linux/amd64",
		"Spec.RestartPolicy.Name": "always", "Spec.RestartPolicy": engine.RestartPolicy{Name: "on-failure", MaximumRetryCount: 3},
		"Spec.LogConfig.Driver": "none", "Spec.LogConfig.Options": map[string]string{"max-size": "1m"},
		"Spec.CapAdd": []string{"NET_ADMIN"}, "Spec.CapDrop": []string{"CHOWN"}, "Spec.SecurityOpt": []string{"no-new-privileges"},
		"Spec.VolumesFrom": []string{"other"}, "Spec.VolumeDriver": "local",
		"Spec.Devices": []engine.Device{{Host: "/dev/zero", Container: "/dev/z"}}, "Spec.DeviceCgroupRules": []string{"c 13:* rwm"},
		"Spec.DeviceRequests": []engine.DeviceRequest{{Capabilities: [][]string{{"gpu"}}}}, "Spec.CDIDevices": []string{"vendor.com/thing=one"},
		"Spec.Ulimits": []engine.Ulimit{{Name: "core", Soft: 1, Hard: 1}}, "Spec.Sysctls": map[string]string{"net.core.somaxconn": "1"},
		"Spec.CgroupParent": "/p", "Spec.PIDMode": "host", "Spec.IPCMode": "none", "Spec.UTSMode": "host", "Spec.UsernsMode": "keep-id", "Spec.CgroupNS": "private",
		"Spec.NetworkMode": "none", "Spec.Networks": []engine.Endpoint{{Network: "n"}}, "Spec.MACAddress": "02:42:ac:11:00:77",
		"Spec.Ports": []engine.Port{{Container: "80"}}, "Spec.Expose": []string{"80"}, "Spec.DNS": []netip.Addr{netip.MustParseAddr("9.9.9.9")},
		"Spec.ExtraHosts": []string{"a:1.2.3.4"}, "Spec.Links": []string{"other"}, "Spec.Secrets": []engine.SecretMount{{Source: "sec"}},
		"Spec.SecretEnv": map[string]string{"S": "sec"}, "Spec.Raw": map[string]json.RawMessage{"embedded": json.RawMessage(`{"hostname":"raw"}`)},
		"Spec.Resources.MemorySwap": engine.Bytes(64 << 20), "Spec.Resources.CpusetCPUs": "0", "Spec.Resources.CpusetMems": "0",
		"Spec.Resources.Memory": engine.Bytes(32 << 20), "Spec.Resources.MemoryReservation": engine.Bytes(16 << 20),
		"Spec.Resources.CPUPeriod": int64(50000), "Spec.Resources.CPUQuota": int64(50000), "Spec.Resources.BlkioWeight": uint16(100),
		"Spec.Resources.CPUShares": int64(512), "Spec.OOMScoreAdj": new(5), "Spec.InitPath": "/i", "Spec.Annotations": map[string]string{"a": "b"},
		"Spec.Podman.Rootfs": "/r", "Spec.Podman.EnvMerge": []string{"A=b"}, "Spec.Podman.Personality": "LINUX32", "Spec.Podman.RootfsPropagation": "private",
		"Spec.Podman.ImageVolumeMode": "ignore", "Spec.Podman.SeccompPolicy": "image", "Spec.Podman.IntelRdt": json.RawMessage(`{}`),
		"Spec.Podman.ArtifactVolumes":   []engine.ArtifactVolume{{Source: "a", Destination: "/a"}},
		"Spec.Podman.ChrootDirectories": []string{"/c"}, "Spec.Podman.IDMappings": &engine.IDMappings{UIDMap: []engine.IDMap{{Size: 1}}, GIDMap: []engine.IDMap{{Size: 1}}},
		"Spec.Podman.HostDeviceList": []engine.Device{{Host: "/dev/zero"}}, "Spec.Podman.RootfsOverlay": true,
		"Spec.Podman.Rdma":      map[string]json.RawMessage{"x": json.RawMessage(`{}`)},
		"Spec.Healthcheck.Test": []string{"CMD", "x"}, "Spec.Healthcheck.OnFailure": "kill",
		"Spec.Healthcheck.Startup": &engine.StartupHealthcheck{Test: []string{"CMD", "x"}},
	}
}

// TestEveryField sets each field of a Spec by itself. It must change what Build makes, be refused by name, or be listed
// as somebody else's: nothing is dropped.
func TestEveryField(t *testing.T) {
	ex := examples()
	build := func(s engine.Spec) (string, error) {
		r := newRig(t)
		r.img.Config.Config.Volumes = map[string]struct{}{"/vol": {}}
		r.img.Config.Config.ExposedPorts = map[string]struct{}{"99/tcp": {}}
		r.others["other"] = r.build(engine.Spec{Mounts: []engine.Mount{engine.Volume("theirs", "/theirs")}}, testHost()).Config
		in := r.input(&s, testHost())
		out, err := Build(t.Context(), in)
		if err != nil {
			return "", err
		}
		out.Config.Spec = engine.Spec{}
		b, err := json.Marshal(out.Config)
		oci, err2 := json.Marshal(out.OCI)
		var files strings.Builder
		for _, n := range sortedKeys(out.Files) {
			fmt.Fprintf(&files, "%s %q\n", n, out.Files[n].Data)
		}
		return strings.ReplaceAll(string(b)+string(oci)+files.String(), r.dir, "DIR"), errors.Join(err, err2)
	}
	base := func() engine.Spec { return engine.Spec{Image: "img"} }
	plain, err := build(base())
	if err != nil {
		t.Fatal(err)
	}
	var walk func(path string, field func(*engine.Spec) reflect.Value)
	walk = func(path string, field func(*engine.Spec) reflect.Value) {
		s := base()
		v := field(&s)
		_, given := ex[path]
		if !given && (v.Kind() == reflect.Struct || v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct) && v.Type() != reflect.TypeFor[netip.Addr]() {
			typ := v.Type()
			if typ.Kind() == reflect.Pointer {
				typ = typ.Elem()
			}
			for i := range typ.NumField() {
				walk(path+"."+typ.Field(i).Name, func(s *engine.Spec) reflect.Value {
					v := field(s)
					if v.Kind() == reflect.Pointer {
						if v.IsNil() {
							v.Set(reflect.New(v.Type().Elem()))
						}
						v = v.Elem()
					}
					return v.Field(i)
				})
			}
			return
		}
		t.Run(path, func(t *testing.T) {
			if given {
				v.Set(reflect.ValueOf(ex[path]))
			} else {
				fill(v)
			}
			switch path { // what needs another option
			case "Spec.Resources.MemorySwap":
				s.Resources.Memory = 32 << 20
			case "Spec.InitPath":
				s.Init = new(true)
			case "Spec.Podman.RootfsOverlay":
				s.Podman.Rootfs, s.Image = "/r", ""
			case "Spec.Podman.Rootfs":
				s.Image = ""
			case "Spec.RestartPolicy.MaximumRetryCount":
				s.RestartPolicy.Name = "on-failure"
			case "Spec.VolumeDriver":
				s.Mounts = []engine.Mount{engine.Volume("v", "/v")}
			case "Spec.ReadWriteTmpfs":
				s.ReadOnly = true
			}
			if strings.HasPrefix(path, "Spec.Healthcheck.") && path != "Spec.Healthcheck.Test" {
				s.Healthcheck.Test = []string{"CMD", "x"}
			}
			name := strings.TrimPrefix(path[strings.LastIndex(path, ".")+1:], "Blkio")
			got, err := build(s)
			if err != nil {
				if !errors.Is(err, engine.ErrUnsupported) && !errors.Is(err, engine.ErrInvalid) {
					t.Errorf("the error is %T: %v", err, err)
				}
				if !strings.Contains(err.Error(), name) && !strings.HasPrefix(path, "Spec.Windows") {
					t.Errorf("the error does not name the option: %v", err)
				}
				return
			}
			why, other := elsewhere[path]
			if changed := got != plain; changed == other {
				t.Errorf("it changes what is made: %t; listed as somebody else's: %q", changed, why)
			}
		})
	}
	walk("Spec", func(s *engine.Spec) reflect.Value { return reflect.ValueOf(s).Elem() })
}

// fill gives a value that is not zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int64:
		v.SetInt(32 << 20)
		if v.Type() == reflect.TypeFor[time.Duration]() {
			v.SetInt(int64(time.Second))
		}
	case reflect.Uint, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(5)
	case reflect.Float64:
		v.SetFloat(1.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
		if v.Elem().Kind() == reflect.Int64 || v.Elem().Kind() == reflect.Int {
			v.Elem().SetInt(50)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		e := reflect.New(v.Type().Elem()).Elem()
		fill(e)
		v.SetMapIndex(reflect.ValueOf("x"), e)
	case reflect.Struct:
		for _, f := range v.Fields() {
			if f.CanSet() && f.Kind() == reflect.String {
				f.SetString("/dev/null")
			}
		}
	}
}
