package engine

import (
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
)

// ParseMountFlag reads a mount in the form of docker run --mount, fields of
// comma-separated values (a field with a comma in it stands in double quotes):
//
//	type=bind,src=/srv,dst=/data,ro
//	type=volume,src=db,dst=/data,volume-nocopy,volume-opt=o=size=1g
//	type=tmpfs,dst=/run,tmpfs-size=64m,tmpfs-mode=1777
//
// The type is volume if none is given. The keys are type; source, src; target,
// destination, dst; readonly, ro, rw; consistency; bind-propagation,
// bind-nonrecursive, bind-recursive (enabled, disabled), bind-create-src; volume-nocopy,
// volume-driver, volume-opt, volume-label, volume-subpath; image-subpath, subpath; tmpfs-size,
// tmpfs-mode; and of Podman relabel (shared, private), U and chown. An option with
// "opt=" (opt=noexec) is passed to mount(8). The rest is an InvalidError.
func ParseMountFlag(s string) (Mount, error) {
	bad := func(reason string) (Mount, error) {
		return Mount{}, &InvalidError{Option: "mount", Value: s, Reason: reason}
	}
	fields, err := csvFields(s)
	if err != nil {
		return bad(err.Error())
	}
	m := Mount{Type: MountVolume}
	seen := map[string]bool{}
	for _, field := range fields {
		key, value, hasValue := strings.Cut(field, "=")
		name, reason := m.setFlag(strings.ToLower(key), value, hasValue)
		if reason == "" && seen[name] {
			reason = "given twice"
		}
		if reason != "" {
			return bad(key + ": " + reason)
		}
		seen[name] = name != ""
		delete(seen, "")
	}
	if m.Type == MountBind {
		if m.Source, err = absolute(m.Source); err != nil {
			return bad(err.Error())
		}
	}
	if faults := m.check(); len(faults) > 0 {
		return bad(faults[0].field + ": " + faults[0].reason)
	}
	return m, nil
}

// setFlag applies one field. name is the option's one name, "" for one that may be repeated.
func (m *Mount) setFlag(key, value string, hasValue bool) (name, reason string) {
	flag := func(v *bool, when bool) string {
		on := true
		if hasValue {
			var err error
			if on, err = strconv.ParseBool(value); err != nil {
				return "want true or false"
			}
		}
		*v = on == when
		return ""
	}
	pair := func(v *map[string]string) string {
		k, val, _ := strings.Cut(value, "=")
		if k == "" {
			return "want KEY=VALUE"
		}
		if *v == nil {
			*v = map[string]string{}
		}
		(*v)[k] = val
		return ""
	}
	switch key {
	case "readonly", "ro":
		return "readonly", flag(&m.ReadOnly, true)
	case "rw":
		return "readonly", flag(&m.ReadOnly, false)
	case "bind-nonrecursive":
		return "recursive", flag(&m.NonRecursive, true)
	case "bind-create-src", "bind-create-host-path":
		return "bind-create-src", flag(&m.CreateSource, true)
	case "volume-nocopy":
		return key, flag(&m.NoCopy, true)
	case "u", "chown":
		return "chown", flag(&m.Chown, true)
	}
	if value == "" {
		return key, "the value is missing"
	}
	switch key {
	case "type":
		switch m.Type = MountType(strings.ToLower(value)); m.Type {
		case MountBind, MountVolume, MountTmpfs, MountImage, MountNpipe, MountOverlay, MountRamfs, MountDevpts:
		default:
			return key, "unknown type " + value
		}
		return key, ""
	case "source", "src":
		m.Source = value
		return "source", ""
	case "target", "destination", "dst":
		m.Target = value
		return "target", ""
	case "consistency":
		m.Consistency = strings.ToLower(value)
		return key, ""
	case "bind-propagation":
		m.Propagation = strings.ToLower(value)
		return key, ""
	case "bind-recursive":
		if value != "enabled" && value != "disabled" {
			return "recursive", "want enabled or disabled"
		}
		m.NonRecursive = value == "disabled"
		return "recursive", ""
	case "relabel":
		m.Relabel = value
		return key, ""
	case "volume-driver":
		m.Driver = value
		return key, ""
	case "volume-subpath", "image-subpath", "subpath":
		m.Subpath = value
		return "subpath", ""
	case "volume-opt":
		return "", pair(&m.DriverOptions)
	case "volume-label":
		return "", pair(&m.Labels)
	case "opt":
		m.Options = append(m.Options, value)
		return "", ""
	case "tmpfs-size":
		size, err := ParseBytes(value)
		if err != nil {
			return key, "it is not a size"
		}
		m.Size = size
		return key, ""
	case "tmpfs-mode":
		mode, err := parseMode(value)
		if err != nil {
			return key, "it is not an octal mode"
		}
		m.Mode = new(fs.FileMode(mode))
		return key, ""
	}
	return key, "unknown option"
}

// csvFields reads one line of comma-separated values, as the flags of docker have them.
func csvFields(s string) ([]string, error) {
	r := csv.NewReader(strings.NewReader(s))
	fields, err := r.Read()
	if err != nil {
		return nil, errCSV
	}
	if _, err := r.Read(); err != io.EOF {
		return nil, errCSV
	}
	return fields, nil
}

var errCSV = errors.New("want one line of comma-separated KEY=VALUE")
