package podman

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// createBody is spec in libpod's words, but for what depends on the image.
func (e *Engine) createBody(r *refusals, s *engine.Spec) *wireCreate {
	b := &wireCreate{
		Name:             s.Name,
		Entrypoint:       s.Entrypoint,
		Command:          s.Command,
		Env:              s.Env,
		UnsetEnv:         s.UnsetEnv,
		Terminal:         s.TTY,
		Stdin:            s.OpenStdin,
		Labels:           s.Labels,
		Annotations:      maps.Clone(s.Annotations),
		RestartPolicy:    s.RestartPolicy.Name,
		OCIRuntime:       s.Runtime,
		Hostname:         s.Hostname,
		Sysctl:           maps.Clone(s.Sysctls),
		Remove:           s.AutoRemove,
		Timezone:         s.Timezone,
		SecretEnv:        s.SecretEnv,
		Image:            s.Image,
		RawImageName:     s.Image,
		VolumesFrom:      s.VolumesFrom,
		Init:             s.Init,
		InitPath:         s.InitPath,
		ShmSize:          int64(s.ShmSize),
		WorkDir:          s.WorkingDir,
		CreateWorkingDir: true,
		StorageOpts:      s.StorageOpt,
		Privileged:       s.Privileged,
		User:             s.User,
		Groups:           s.GroupAdd,
		CapAdd:           s.CapAdd,
		CapDrop:          s.CapDrop,
		Umask:            s.Umask,
		CgroupsMode:      s.CgroupsMode,
		CgroupParent:     s.CgroupParent,
		OOMScoreAdj:      s.OOMScoreAdj,
		Timeout:          uint64(s.Timeout / time.Second),
		LogConfiguration: e.logConfig(r, s.LogConfig),
		Rlimits:          rlimits(s.Ulimits),
	}
	if n := s.RestartPolicy.MaximumRetryCount; n > 0 {
		b.RestartTries = new(uint(n))
	}
	var err error
	b.StopSignal, _, err = normal.Signal(s.StopSignal)
	r.add(err)
	if t := s.StopTimeout; t != nil {
		b.StopTimeout = new(uint64(*t / time.Second))
	}
	if s.Domainname != "" {
		setKey(&b.Sysctl, "kernel.domainname", s.Domainname) // Podman has no field of its own for it
	}
	if s.Platform != "" {
		r.needs(true, vImagePlatform, "Spec.Platform")
		p, err := engine.ParsePlatform(s.Platform)
		r.add(err)
		b.ImageOS, b.ImageArch, b.ImageVariant = p.OS, p.Arch, p.Variant
	}
	for _, m := range s.Secrets {
		w := wireSecretMount{Source: m.Source, Target: m.Target, UID: m.UID, GID: m.GID, Mode: 0o444}
		if w.Target == "" {
			w.Target = m.Source
		}
		if m.Mode != nil {
			w.Mode = *m.Mode
		}
		b.Secrets = append(b.Secrets, w)
	}
	e.security(r, b, s)
	e.namespaces(r, b, s)
	e.networks(r, b, s)
	e.mounts(r, b, s)
	e.devices(r, b, s)
	e.resources(r, b, s)
	e.podmanOptions(r, b, s.Podman)
	return b
}

// setKey sets a key of a map that may be nil.
func setKey[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[key] = value
}

// logConfig is a log driver with its options, of which Podman knows three, and ignores the others.
func (e *Engine) logConfig(r *refusals, l engine.LogConfig) *wireLogConfig {
	if l.Driver == "" && len(l.Options) == 0 {
		return nil
	}
	w := &wireLogConfig{Driver: l.Driver}
	driver := l.Driver
	if driver == "" {
		driver = e.info.Host.LogDriver
	}
	file := driver == "k8s-file" || driver == "json-file"
	for _, k := range slices.Sorted(maps.Keys(l.Options)) {
		v := l.Options[k]
		at := fmt.Sprintf("Spec.LogConfig.Options[%q]", k)
		switch {
		case k == "max-size" && file:
			n, err := engine.ParseBytes(v)
			if err != nil || n <= 0 {
				r.invalid(at, v, "want a size")
			}
			w.Size = int64(n)
		case k == "path" && file:
			w.Path = v
		case k == "tag" && driver == "journald":
			setKey(&w.Options, k, v)
		default:
			r.unsupported(at, v, "Podman's log driver "+driver+" does not have it")
		}
	}
	return w
}

func rlimits(list []engine.Ulimit) []wireRlimit {
	var out []wireRlimit
	for _, u := range list {
		out = append(out, wireRlimit{Type: normal.Rlimit(u.Name), Soft: uint64(u.Soft), Hard: uint64(u.Hard)}) // -1 is the largest number
	}
	return out
}

// devices sets devices of the host, and those of CDI.
func (e *Engine) devices(r *refusals, b *wireCreate, s *engine.Spec) {
	for i, d := range s.Devices {
		b.Devices = append(b.Devices, devicePath(r, fmt.Sprintf("Spec.Devices[%d]", i), d))
	}
	for i, text := range s.DeviceCgroupRules {
		rule, err := normal.DeviceCgroupRule(text)
		r.add(err)
		r.when(e.rootless(), fmt.Sprintf("Spec.DeviceCgroupRules[%d]", i), text, "a rootless engine cannot set it")
		w := wireDeviceRule{Allow: true, Type: rule.Type, Major: rule.Major, Minor: rule.Minor, Access: rule.Access}
		b.DeviceCgroupRule = append(b.DeviceCgroupRule, w)
	}
	for _, name := range s.CDIDevices {
		b.Devices = append(b.Devices, wireDevice{name})
	}
	for i, q := range s.DeviceRequests {
		b.Devices = append(b.Devices, cdiDevices(r, fmt.Sprintf("Spec.DeviceRequests[%d]", i), q)...)
	}
}

func devicePath(r *refusals, at string, d engine.Device) wireDevice {
	if strings.Contains(d.Host, ":") || strings.Contains(d.Container, ":") {
		r.unsupported(at, d.Host, "Podman takes no device path with a colon")
	}
	path := d.Host
	if d.Container != "" {
		path += ":" + d.Container
	}
	if d.Permissions != "" {
		path += ":" + d.Permissions
	}
	return wireDevice{path}
}

// cdiDevices are the names, in the Container Device Interface, of the devices that a request asks for: the one form in which libpod takes GPUs.
func cdiDevices(r *refusals, at string, q engine.DeviceRequest) []wireDevice {
	r.when(len(q.Options) > 0, at+".Options", "", "a CDI device has none")
	var vendor string
	switch q.Driver {
	case "cdi":
		r.when(len(q.Capabilities) > 0, at+".Capabilities", "", "a CDI device is asked for by name")
		r.when(q.Count != 0, at+".Count", "", "a CDI device is asked for by name")
		var out []wireDevice
		for _, name := range q.DeviceIDs {
			out = append(out, wireDevice{name})
		}
		return out
	case "", "nvidia":
		vendor = "nvidia.com/gpu="
	case "amd":
		vendor = "amd.com/gpu="
	default:
		r.unsupported(at+".Driver", q.Driver, "Podman has CDI devices alone")
		return nil
	}
	gpu := false
	for _, set := range q.Capabilities {
		gpu = gpu || len(set) == 1 && set[0] == "gpu"
	}
	if !gpu {
		r.unsupported(at+".Capabilities", fmt.Sprint(q.Capabilities), "only gpu, without further ones, is a CDI device")
	}
	switch {
	case len(q.DeviceIDs) > 0:
		var out []wireDevice
		for _, id := range q.DeviceIDs {
			out = append(out, wireDevice{vendor + id})
		}
		return out
	case q.Count < 0:
		return []wireDevice{{vendor + "all"}}
	}
	var out []wireDevice
	for i := range q.Count {
		out = append(out, wireDevice{fmt.Sprintf("%s%d", vendor, i)})
	}
	r.when(len(out) == 0, at+".Count", "0", "no device is asked for")
	return out
}
