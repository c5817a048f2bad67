package launch

import (
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/engine"
)

func unsupported(option, value, reason string) error {
	return &engine.UnsupportedError{Option: option, Value: value, Engine: "embedded", Reason: reason}
}

func invalid(option, reason string) error {
	return &engine.InvalidError{Option: option, Reason: reason}
}

// refuse names what a configuration asks for and this package does not do.
func refuse(s *specs.Spec) error {
	if s == nil || s.Process == nil || s.Linux == nil {
		return invalid("spec", "process and linux are needed")
	}
	l := s.Linux
	for _, c := range []struct {
		option string
		set    bool
	}{
		{"linux.mountLabel", l.MountLabel != ""},
		{"linux.intelRdt", l.IntelRdt != nil},
		{"linux.timeOffsets", len(l.TimeOffsets) > 0},
		{"linux.netDevices", len(l.NetDevices) > 0},
		{"linux.memoryPolicy", l.MemoryPolicy != nil},
		{"hooks.createContainer", s.Hooks != nil && len(s.Hooks.CreateContainer) > 0},
		{"hooks.startContainer", s.Hooks != nil && len(s.Hooks.StartContainer) > 0},
	} {
		if c.set {
			return unsupported(c.option, "", "")
		}
	}
	return refuseProcess(s.Process)
}

// refuseProcess is refuse for a process.
func refuseProcess(p *specs.Process) error {
	for _, c := range []struct {
		option string
		set    bool
	}{
		{"process.selinuxLabel", p.SelinuxLabel != ""},
		{"process.scheduler", p.Scheduler != nil},
		{"process.ioPriority", p.IOPriority != nil},
		{"process.execCPUAffinity", p.ExecCPUAffinity != nil},
		{"process.commandLine", p.CommandLine != ""},
	} {
		if c.set {
			return unsupported(c.option, "", "")
		}
	}
	switch {
	case len(p.Args) == 0 || p.Args[0] == "":
		return invalid("process.args", "a command is needed")
	case p.Cwd == "" || p.Cwd[0] != '/':
		return invalid("process.cwd", "an absolute path is needed")
	}
	return nil
}
