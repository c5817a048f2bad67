package inspect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// hostConfig is the host's part: what was asked for, with the engine's defaults.
func hostConfig(cfg *state.Config, x Extra) engine.HostConfig {
	s := &cfg.Spec
	h := engine.HostConfig{
		AutoRemove:     s.AutoRemove,
		Privileged:     s.Privileged,
		ReadonlyRootfs: s.ReadOnly,
		Init:           s.Init,
		NetworkMode:    networkMode(cfg),
		PIDMode:        notPrivate(s.PIDMode),
		IPCMode:        cmp.Or(s.IPCMode, "private"),
		UTSMode:        notPrivate(s.UTSMode),
		UsernsMode:     s.UsernsMode,
		CgroupNS:       cmp.Or(s.CgroupNS, x.CgroupNS),
		CgroupParent:   s.CgroupParent,
		Runtime:        cmp.Or(cfg.Runtime, builtin),
		RestartPolicy:  s.RestartPolicy,
		LogConfig:      s.LogConfig,
		CapAdd:         capabilities(s.CapAdd),
		CapDrop:        capabilities(s.CapDrop),
		SecurityOpt:    s.SecurityOpt,
		GroupAdd:       s.GroupAdd,
		DNSOptions:     s.DNSOptions,
		DNSSearch:      s.DNSSearch,
		ExtraHosts:     s.ExtraHosts,
		Links:          s.Links,
		VolumesFrom:    s.VolumesFrom,
		Binds:          binds(s.Mounts),
		Tmpfs:          tmpfs(s.Mounts),
		Sysctls:        s.Sysctls,
		StorageOpt:     s.StorageOpt,
		ShmSize:        s.ShmSize,
		Resources:      s.Resources,
	}
	h.RestartPolicy.Name = cmp.Or(h.RestartPolicy.Name, "no")
	h.LogConfig.Driver = cmp.Or(h.LogConfig.Driver, "json-file")
	if h.ShmSize == 0 && (h.IPCMode == "private" || h.IPCMode == "shareable") {
		h.ShmSize = defaultShm
	}
	if s.OOMScoreAdj != nil {
		h.OOMScoreAdj = *s.OOMScoreAdj
	}
	for _, a := range s.DNS {
		h.DNS = append(h.DNS, a.String())
	}
	for _, d := range s.Devices {
		d.Container, d.Permissions = cmp.Or(d.Container, d.Host), cmp.Or(d.Permissions, "rwm")
		h.Devices = append(h.Devices, d)
	}
	for _, u := range s.Ulimits {
		u.Name = normal.Rlimit(u.Name)
		h.Ulimits = append(h.Ulimits, u)
	}
	if r := &h.Resources; r.Memory > 0 && r.MemorySwap == 0 {
		r.MemorySwap = 2 * r.Memory // what it got
	}
	return h
}

func networkMode(cfg *state.Config) string {
	switch {
	case strings.HasPrefix(cfg.Netns, "container:"): // by its ID
		return cfg.Netns
	case cfg.Spec.NetworkMode != "":
		return cfg.Spec.NetworkMode
	case len(cfg.Networks) > 0:
		return cfg.Networks[0].Network
	}
	return cmp.Or(cfg.Netns, "bridge")
}

func notPrivate(mode string) string {
	if mode == "private" {
		return ""
	}
	return mode
}

// capabilities have Docker's names: ALL, and CAP_ and upper case.
func capabilities(list []string) []string {
	var out []string
	for _, c := range list {
		c = strings.ToUpper(c)
		if c != "ALL" && !strings.HasPrefix(c, "CAP_") {
			c = "CAP_" + c
		}
		out = append(out, c)
	}
	return out
}

// binds are the mounts that docker run -v alone can ask for, in its form SOURCE:TARGET:OPTIONS.
func binds(mounts []engine.Mount) []string {
	var list []string
	for _, m := range mounts {
		if m.Type != engine.MountBind && m.Type != engine.MountVolume || m.Relabel == "" || m.Source == "" {
			continue
		}
		opts := []string{map[string]string{"shared": "z", "private": "Z"}[m.Relabel]}
		if m.ReadOnly {
			opts = slices.Insert(opts, 0, "ro")
		}
		if m.Propagation != "" {
			opts = append(opts, m.Propagation)
		}
		list = append(list, m.Source+":"+m.Target+":"+strings.Join(opts, ","))
	}
	return list
}

// tmpfs are the tmpfs with mount options of their own, by target.
func tmpfs(mounts []engine.Mount) map[string]string {
	var list map[string]string
	for _, m := range mounts {
		if m.Type != engine.MountTmpfs || len(m.Options) == 0 {
			continue
		}
		var opts []string
		if m.ReadOnly {
			opts = append(opts, "ro")
		}
		if m.Size > 0 {
			opts = append(opts, fmt.Sprintf("size=%d", m.Size))
		}
		if m.Mode != nil {
			opts = append(opts, fmt.Sprintf("mode=%o", *m.Mode))
		}
		if list == nil {
			list = map[string]string{}
		}
		list[m.Target] = strings.Join(append(opts, m.Options...), ",")
	}
	return list
}
