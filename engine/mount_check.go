package engine

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// fieldFault is a field of a value that is wrong, and why.
type fieldFault struct{ field, value, reason string }

// check finds what is wrong with m on every engine: what the kinds of mounts
// exclude would be dropped by some engines and refused by others.
func (m Mount) check() (faults []fieldFault) {
	add := func(field, value, reason string) { faults = append(faults, fieldFault{field, value, reason}) }
	only := func(set bool, field string, types ...MountType) {
		if set && !slices.Contains(types, m.Type) {
			add(field, "", "a mount of type "+string(m.Type)+" has none")
		}
	}
	switch {
	case m.Target == "":
		add("Target", "", "the target is missing")
	case !isAbsolute(m.Target):
		add("Target", m.Target, "the target is not an absolute path")
	case path.Clean(m.Target) == "/":
		add("Target", m.Target, "the target is the root directory")
	}
	switch m.Type {
	case "":
		add("Type", "", "the type is missing")
		return faults
	case MountBind, MountOverlay:
		if !isAbsolute(m.Source) {
			add("Source", m.Source, "the source is not an absolute path")
		}
	case MountVolume:
		if m.Source != "" && !isName(m.Source) {
			add("Source", m.Source, "the source is not a volume's name")
		}
	case MountImage, MountNpipe:
		if m.Source == "" {
			add("Source", "", "the source is missing")
		}
	case MountTmpfs, MountRamfs, MountDevpts:
		if m.Source != "" {
			add("Source", m.Source, "a mount of type "+string(m.Type)+" has no source")
		}
	default:
		return faults // a kind that only its engine knows
	}
	only(m.Propagation != "", "Propagation", MountBind)
	only(m.NonRecursive, "NonRecursive", MountBind)
	only(m.CreateSource, "CreateSource", MountBind)
	only(m.NoCopy, "NoCopy", MountVolume)
	only(m.Subpath != "", "Subpath", MountVolume, MountImage)
	only(m.Labels != nil, "Labels", MountVolume)
	only(m.Driver != "", "Driver", MountVolume)
	only(m.DriverOptions != nil, "DriverOptions", MountVolume)
	only(m.Size != 0, "Size", MountTmpfs, MountRamfs)
	only(m.Mode != nil, "Mode", MountTmpfs, MountRamfs, MountDevpts)
	if m.Size < 0 {
		add("Size", m.Size.String(), "it is negative")
	}
	if m.Mode != nil && *m.Mode&^0o7777 != 0 {
		add("Mode", "", "it has other bits than permissions and setuid, setgid, sticky as in chmod(2)")
	}
	if m.Relabel != "" && m.Relabel != "shared" && m.Relabel != "private" {
		add("Relabel", m.Relabel, "want shared or private")
	}
	if m.Subpath != "" && !fs.ValidPath(path.Clean(m.Subpath)) {
		add("Subpath", m.Subpath, "it is not a relative path inside the source")
	}
	for _, o := range m.Options {
		if o == "" || strings.Contains(o, ",") {
			add("Options", o, "want one option each")
		}
	}
	for _, k := range sortedKeys(m.Labels) {
		if k == "" {
			add("Labels", "", "a key is empty")
		}
	}
	for _, k := range sortedKeys(m.DriverOptions) {
		if k == "" {
			add("DriverOptions", "", "a key is empty")
		}
	}
	return faults
}
