package server

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/config"
	"github.com/berthdev/berth/embedded/internal/launch"
	"github.com/berthdev/berth/embedded/internal/state"
)

// startProcess starts the first process with the engine's own start path or an OCI runtime.
func (m *monitor) startProcess(r *run, s *streams, a *ahead) (*process, error) {
	if r.cfg.Init {
		if err := m.addInit(r); err != nil {
			return nil, err
		}
	}
	if r.cfg.Runtime != "" {
		if _, err := a.grouped(r); err != nil {
			return nil, err
		}
		return m.startWithRuntime(r, s)
	}
	cfg := launch.Config{
		Spec:      r.oci,
		Trees:     r.trees,
		Root:      r.root,
		Overlay:   a.overlay,
		MountInfo: r.mountInfo,
		Stdin:     s.theirIn, Stdout: s.theirOut, Stderr: s.theirErr,
		MakeCwd: true,
		NoRoot:  !config.HasRoot(r.cfg),
		Ahead:   a.promise(m, r, false),
		Prepared: func(pid int, _ *os.File) error {
			m.at("cloned")
			if err := a.connected(m, r, pid); err != nil {
				return err
			}
			m.at("connected")
			return nil
		},
	}
	if r.root == nil && !a.plain {
		cfg.Overlay = a.ownOverlay(m, r)
	}
	if r.oci.Linux != nil {
		cfg.Filter = m.warm.filterOf(r.oci.Linux.Seccomp)
	}
	if r.group != nil {
		cfg.TasksFiles = a.tasksFiles(r, m.hello.Rootless)
	}
	var p *launch.Process
	var err error
	m.onMain(func() { p, err = launch.Start(cfg) })
	if errors.Is(err, errNotAhead) {
		cfg.Ahead = a.promise(m, r, true)
		m.onMain(func() { p, err = launch.Start(cfg) })
	}
	if err != nil {
		return nil, err
	}
	return ofLaunch(p), nil
}

// layers are the directories of the container's layers, the topmost first.
func (m *monitor) layers(cfg *state.Config) []string {
	dirs := make([]string, len(cfg.Layers))
	for i, l := range cfg.Layers {
		_, hex, _ := strings.Cut(l, ":")
		dirs[len(dirs)-1-i] = filepath.Join(m.store.Root(), "layers", hex, "diff")
	}
	return dirs
}

// overlay is the container's root file system, which is mounted in a user namespace of its own if userns says so; nil if it is a directory.
func (m *monitor) overlay(cfg *state.Config, userns bool) *launch.Overlay {
	if len(cfg.Layers) == 0 {
		return nil
	}
	dir := m.store.Dir(m.id)
	o := &launch.Overlay{
		Lower: m.layers(cfg), Upper: filepath.Join(dir, "upper"), Work: filepath.Join(dir, "work"),
		Volatile: cfg.Volatile, UserXattr: m.hello.Rootless || userns,
	}
	if o.Volatile {
		// Left by the last run. What is lost with a crash of the machine need not survive one: the mark is of no use.
		os.RemoveAll(filepath.Join(o.Work, "work", "incompat"))
	}
	return o
}

// creates says that the container has a namespace of its own.
func creates(oci *specs.Spec, kind specs.LinuxNamespaceType) bool {
	if oci.Linux == nil {
		return false
	}
	for _, ns := range oci.Linux.Namespaces {
		if ns.Type == kind {
			return ns.Path == ""
		}
	}
	return false
}

// ownPIDs says that the end of the first process is the end of all.
func ownPIDs(oci *specs.Spec) bool { return creates(oci, specs.PIDNamespace) }

func procPath(pid int, name string) string { return "/proc/" + strconv.Itoa(pid) + "/" + name }
