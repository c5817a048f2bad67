//go:build linux

package config

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// bind adds a directory or file of the host.
func (b *builder) bind(at string, m engine.Mount) error {
	if _, err := os.Stat(m.Source); err != nil {
		if !os.IsNotExist(err) {
			return &engine.InvalidError{Option: at + ".Source", Value: m.Source, Reason: "find it", Err: err}
		}
		if !m.CreateSource {
			return invalid(at+".Source", m.Source, "bind source path does not exist")
		}
	}
	propagation := m.Propagation
	if propagation == "" {
		propagation = "rprivate"
	}
	if err := b.propagate(at, m.Source, propagation); err != nil {
		return err
	}
	how := "rbind"
	if m.NonRecursive {
		how = "bind"
	}
	opts := append([]string{how, propagation}, m.Options...)
	if m.ReadOnly {
		opts = append(opts, b.bindReadOnly(m.NonRecursive))
	}
	b.record(specs.Mount{Destination: m.Target, Type: "bind", Source: filepath.Clean(m.Source), Options: opts},
		state.Mount{
			MountPoint: engine.MountPoint{Type: engine.MountBind, Source: filepath.Clean(m.Source), Target: m.Target, ReadWrite: !m.ReadOnly,
				Propagation: propagation, Mode: relabelMode(m), Options: m.Options},
			CreateSource: m.CreateSource,
		})
	return nil
}

func (b *builder) bindReadOnly(nonRecursive bool) string {
	if nonRecursive {
		return "ro"
	}
	return b.readOnlyOption()
}

// relabelMode is how inspect shows a relabelling.
func relabelMode(m engine.Mount) string {
	switch m.Relabel {
	case "shared":
		return "z"
	case "private":
		return "Z"
	}
	return ""
}

// propagate checks that mounts can spread from the source as is asked for, and lets the container's root
// take part in it (moby, daemon/oci_linux.go).
func (b *builder) propagate(at, source, mode string) error {
	l := b.oci.Linux
	shared := l.RootfsPropagation == "shared" || l.RootfsPropagation == "rshared"
	switch mode {
	case "shared", "rshared":
		on, has, err := mountOf(source)
		switch {
		case err != nil:
			return err
		case !has.shared:
			return invalid(at+".Propagation", mode, "path "+source+" is mounted on "+on+" but it is not a shared mount")
		case !shared:
			l.RootfsPropagation = "shared"
		}
	case "slave", "rslave":
		on, has, err := mountOf(source)
		switch {
		case err != nil:
			return err
		case !has.shared && !has.slave:
			return invalid(at+".Propagation", mode, "path "+source+" is mounted on "+on+" but it is not a shared or slave mount")
		case !shared && l.RootfsPropagation != "slave":
			l.RootfsPropagation = "rslave"
		}
	}
	return nil
}

type peers struct{ shared, slave bool }

// mountOf finds the mount that a path is on: its mount point, and where its mounts spread to and from.
func mountOf(source string) (point string, p peers, err error) {
	real, err := filepath.EvalSymlinks(source)
	if os.IsNotExist(err) { // it is to be made
		real, err = filepath.Clean(source), nil
	}
	if err != nil {
		return "", p, err
	}
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", p, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 7 {
			continue
		}
		dir := unescape.Replace(fields[4])
		if len(dir) < len(point) || dir != "/" && real != dir && !strings.HasPrefix(real, dir+"/") {
			continue
		}
		point, p = dir, peers{}
		for _, tag := range fields[6:] {
			if tag == "-" {
				break
			}
			p.shared = p.shared || strings.HasPrefix(tag, "shared:")
			p.slave = p.slave || strings.HasPrefix(tag, "master:")
		}
	}
	return point, p, lines.Err()
}

// unescape undoes the kernel's escapes in mountinfo.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
