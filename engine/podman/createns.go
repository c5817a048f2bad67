package podman

import (
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// namespaces sets all but the network's.
func (e *Engine) namespaces(r *refusals, b *wireCreate, s *engine.Spec) {
	for _, n := range []struct {
		option, mode string
		to           **wireNS
	}{
		{"Spec.PIDMode", s.PIDMode, &b.PidNS}, {"Spec.IPCMode", s.IPCMode, &b.IpcNS}, {"Spec.UTSMode", s.UTSMode, &b.UtsNS}, {"Spec.CgroupNS", s.CgroupNS, &b.CgroupNS},
	} {
		ns, err := normal.Namespace(n.option, n.mode)
		r.add(err)
		*n.to = namespace(r, n.option, ns)
	}
	e.userNamespace(r, b, s)
}

// namespace is a mode in libpod's words; nil is the engine's default.
func namespace(r *refusals, option string, ns normal.NS) *wireNS {
	switch ns.Mode {
	case "":
		return nil
	case "ns":
		return &wireNS{Mode: "path", Value: ns.Value}
	case "container":
		return &wireNS{Mode: "container", Value: strings.TrimPrefix(ns.Value, "/")}
	}
	if ns.Value != "" {
		r.invalid(option, ns.Mode+":"+ns.Value, ns.Mode+" takes nothing after a colon")
	}
	return &wireNS{Mode: ns.Mode}
}

// userNamespace sets the user namespace with its mappings: without them libpod takes some modes for the host's, in silence.
func (e *Engine) userNamespace(r *refusals, b *wireCreate, s *engine.Spec) {
	const option = "Spec.UsernsMode"
	ns, err := normal.Namespace(option, s.UsernsMode)
	r.add(err)
	var own *engine.IDMappings
	if s.Podman != nil {
		own = s.Podman.IDMappings
	}
	if own != nil {
		b.IDMappings = &wireIDMappings{UIDMap: idMap(own.UIDMap), GIDMap: idMap(own.GIDMap)}
		if len(own.GIDMap) == 0 {
			b.IDMappings.GIDMap = b.IDMappings.UIDMap
		}
		if len(own.UIDMap) == 0 {
			b.IDMappings.UIDMap = b.IDMappings.GIDMap
		}
		if ns.Mode == "" {
			ns.Mode = "private"
		}
		if ns.Mode != "private" {
			r.invalid("Spec.Podman.IDMappings", "", "they are those of UsernsMode private")
		}
		if len(b.IDMappings.UIDMap) == 0 {
			r.invalid("Spec.Podman.IDMappings", "", "they are empty")
		}
	}
	switch ns.Mode {
	case "auto":
		b.UserNS = &wireNS{Mode: "auto"}
		b.IDMappings = &wireIDMappings{AutoUserNs: true, AutoUserNsOpts: autoOptions(r, option, ns.Value)}
	case "keep-id":
		r.when(!e.rootless(), option, s.UsernsMode, "the engine runs as root, and would take the host's user namespace")
		b.UserNS = &wireNS{Mode: "keep-id", Value: ns.Value}
	case "nomap", "no-map":
		r.when(!e.rootless(), option, s.UsernsMode, "the engine runs as root")
		b.UserNS = &wireNS{Mode: "no-map"}
	case "private":
		r.when(own == nil, option, "private", "Podman takes it with Spec.Podman.IDMappings only: see auto")
		b.UserNS = namespace(r, option, ns)
	default:
		b.UserNS = namespace(r, option, ns)
	}
}

func idMap(list []engine.IDMap) []wireIDMap {
	var out []wireIDMap
	for _, m := range list {
		out = append(out, wireIDMap(m))
	}
	return out
}

// autoOptions reads what follows auto: as in size=N,uidmapping=CONTAINER:HOST:SIZE,gidmapping=….
func autoOptions(r *refusals, option, text string) *wireAutoUserNsOpts {
	if text == "" {
		return nil
	}
	o := &wireAutoUserNsOpts{}
	for opt := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(opt, "=")
		bad := false
		switch key {
		case "size":
			n, err := strconv.ParseUint(value, 10, 32)
			bad = err != nil || n == 0
			o.Size = uint32(n)
		case "uidmapping", "gidmapping":
			m, ok := parseIDMap(value)
			bad = !ok
			if key == "uidmapping" {
				o.AdditionalUIDMappings = append(o.AdditionalUIDMappings, m)
			} else {
				o.AdditionalGIDMappings = append(o.AdditionalGIDMappings, m)
			}
		default:
			bad = true
		}
		if bad {
			r.invalid(option, "auto:"+text, "want size=N, uidmapping=CONTAINER:HOST:SIZE, gidmapping=CONTAINER:HOST:SIZE")
			return nil
		}
	}
	return o
}

func parseIDMap(s string) (m wireIDMap, ok bool) {
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return m, false
	}
	for i, to := range []*uint32{&m.ContainerID, &m.HostID, &m.Size} {
		n, err := strconv.ParseUint(parts[i], 10, 32)
		if err != nil {
			return m, false
		}
		*to = uint32(n)
	}
	return m, m.Size > 0
}
