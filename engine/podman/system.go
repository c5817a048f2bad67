package podman

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// Ping implements [engine.System].
func (e *Engine) Ping(ctx context.Context) error {
	r := get("/_ping")
	r.NoPrefix = true
	return e.call(ctx, op{verb: "ping engine"}, r, nil)
}

// Version implements [engine.System].
func (e *Engine) Version(ctx context.Context) (*engine.Version, error) {
	var w wire.Raw[wireVersion]
	if err := e.call(ctx, op{verb: "ask engine's version"}, get("/version"), &w); err != nil {
		return nil, err
	}
	v := &engine.Version{
		Engine:        Name,
		Version:       w.Value.Version,
		APIVersion:    e.api,
		GitCommit:     w.Value.GitCommit,
		GoVersion:     w.Value.GoVersion,
		OS:            w.Value.Os,
		Arch:          w.Value.Arch,
		KernelVersion: w.Value.KernelVersion,
		BuildTime:     w.Value.BuildTime,
		Components:    map[string]string{},
		Raw:           w.Text,
	}
	for _, c := range w.Value.Components {
		first, _, _ := strings.Cut(c.Version, "\n") // a runtime tells all about itself
		v.Components[c.Name] = first
		if oldest := c.Details["MinAPIVersion"]; oldest != "" {
			v.MinAPIVersion = oldest
		}
	}
	return v, nil
}

// Info implements [engine.System].
func (e *Engine) Info(ctx context.Context) (*engine.Info, error) {
	var w wire.Raw[wireInfo]
	if err := e.call(ctx, op{verb: "ask engine's info"}, get("/info"), &w); err != nil {
		return nil, err
	}
	h, s, p := w.Value.Host, w.Value.Store, w.Value.Plugins
	i := &engine.Info{
		Name:              h.Hostname,
		ServerVersion:     w.Value.Version.Version,
		Containers:        s.ContainerStore.Number,
		ContainersRunning: s.ContainerStore.Running,
		ContainersPaused:  s.ContainerStore.Paused,
		ContainersStopped: s.ContainerStore.Stopped,
		Images:            s.ImageStore.Number,
		StorageDriver:     s.GraphDriverName,
		LoggingDriver:     h.LogDriver,
		CgroupDriver:      h.CgroupManager,
		CgroupVersion:     strings.TrimPrefix(h.CgroupVersion, "v"),
		KernelVersion:     h.Kernel,
		OperatingSystem:   strings.TrimSpace(h.Distribution.Distribution + " " + h.Distribution.Version),
		OSType:            h.OS,
		Arch:              h.Arch,
		NCPU:              h.CPUs,
		MemTotal:          engine.Bytes(h.MemTotal),
		RootDir:           s.GraphRoot,
		DefaultRuntime:    h.OCIRuntime.Name,
		LogDrivers:        slices.Sorted(slices.Values(p.Log)),
		VolumeDrivers:     slices.Sorted(slices.Values(p.Volume)),
		NetworkDrivers:    slices.Sorted(slices.Values(p.Network)),
		Rootless:          h.Security.Rootless,
		OOMKillDisable:    new(h.CgroupVersion == "v1"),
		Raw:               w.Text,
	}
	if h.OCIRuntime.Name != "" {
		i.Runtimes = []string{h.OCIRuntime.Name}
	}
	for _, o := range []struct {
		on   bool
		name string
	}{{h.Security.AppArmor, "apparmor"}, {h.Security.Rootless, "rootless"}, {h.Security.Seccomp, "seccomp"}, {h.Security.SELinux, "selinux"}} {
		if o.on {
			i.SecurityOptions = append(i.SecurityOptions, o.name)
		}
	}
	return i, nil
}

// DiskUsage implements [engine.System].
func (e *Engine) DiskUsage(ctx context.Context) (*engine.DiskUsage, error) {
	var w wire.Raw[wireDF]
	r := wire.Request{Method: http.MethodGet, Path: "/system/df"}
	// A container that is removed while Podman looks at all of them makes the whole answer a "no such container".
	for try := 1; ; try++ {
		err := e.call(ctx, op{verb: "ask engine's disk usage"}, r, &w)
		if err == nil {
			break
		}
		if !isNotFound(err) || try == 10 {
			return nil, err
		}
	}
	d := &engine.DiskUsage{LayersSize: engine.Bytes(w.Value.ImagesSize), Raw: w.Text}
	seen := map[string]int{} // an image is told once for each of its names
	for _, i := range w.Value.Images {
		name := i.Repository
		if i.Tag != "" && i.Tag != "<none>" {
			name += ":" + i.Tag
		}
		if at, ok := seen[i.ImageID]; ok && i.ImageID != "" {
			if d.Images[at].Name == "" || d.Images[at].Name == "<none>" {
				d.Images[at].Name = name
			}
			continue
		}
		seen[i.ImageID] = len(d.Images)
		if name == "<none>" {
			name = ""
		}
		d.Images = append(d.Images, engine.DiskUsageItem{
			ID: imageID(i.ImageID), Name: name, Size: engine.Bytes(i.Size), SharedSize: engine.Bytes(i.SharedSize), Reclaimable: i.Containers == 0,
		})
		if w.Value.ImagesSize == 0 { // 4.x does not tell the total; layers that are shared between images are counted once for each
			d.LayersSize += engine.Bytes(i.Size)
		}
	}
	for _, c := range w.Value.Containers {
		status, _ := statusOf(c.Status)
		d.Containers = append(d.Containers, engine.DiskUsageItem{
			ID: c.ContainerID, Name: c.Names, Size: engine.Bytes(c.RWSize), Reclaimable: !engine.State{Status: status}.Running(),
		})
	}
	for _, v := range w.Value.Volumes {
		d.Volumes = append(d.Volumes, engine.DiskUsageItem{ID: v.VolumeName, Name: v.VolumeName, Size: engine.Bytes(v.Size), Reclaimable: v.Links == 0})
	}
	return d, nil
}
