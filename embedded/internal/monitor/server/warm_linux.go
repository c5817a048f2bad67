package server

import (
	"encoding/json"
	"reflect"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/config"
	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/embedded/internal/reexec"
	"github.com/berthdev/berth/embedded/internal/seccomp"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// warmed is what a monitor has made while it waited for its first message.
type warmed struct {
	profile *specs.LinuxSeccomp // the default one, as read from a config.json
	filter  []seccomp.Instruction
}

// warm prepares what most starts need, if nobody waits for it: there is no message yet.
func warm() (w warmed) {
	var b [1]byte
	if _, _, err := unix.Recvfrom(reexec.FD, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT); err != unix.EAGAIN {
		return w
	}
	var h proto.Hello
	var q proto.Request
	json.Unmarshal([]byte(`{"root":"","run":"","id":""}`), &h)
	json.Unmarshal([]byte(`{"op":"start"}`), &q)
	json.Marshal(proto.Response{Exit: &engine.Exit{}})
	profile, err := config.DefaultSeccomp()
	if err != nil {
		return w
	}
	w.profile = state.Rehearse(profile)
	if w.filter, err = seccomp.Compile(w.profile); err != nil {
		w.profile = nil
	}
	return w
}

// filterOf is the filter of a profile, if it is there already.
func (w *warmed) filterOf(profile *specs.LinuxSeccomp) []seccomp.Instruction {
	if profile == nil || w.profile == nil || !reflect.DeepEqual(profile, w.profile) {
		return nil
	}
	return w.filter
}
