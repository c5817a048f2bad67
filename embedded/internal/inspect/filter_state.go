package inspect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// status matches a state. One that is stopping still runs. It is also about containers that do not run, without All.
func (f *filter) status(v string) (func(*state.Snapshot) bool, error) {
	want := engine.Status(v)
	switch want {
	case engine.StatusCreated, engine.StatusInitialized, engine.StatusRunning, engine.StatusPaused, engine.StatusRestarting,
		engine.StatusStopping, engine.StatusRemoving, engine.StatusExited, engine.StatusDead:
	default:
		return nil, invalid("status", v, "want created, initialized, running, paused, restarting, stopping, removing, exited or dead")
	}
	f.all = true
	return func(s *state.Snapshot) bool {
		have := s.Status()
		return have == want || have == engine.StatusStopping && want == engine.StatusRunning
	}, nil
}

func (f *filter) health(v string) (func(*state.Snapshot) bool, error) {
	want := engine.HealthStatus(v)
	switch want {
	case engine.HealthNone, engine.HealthStarting, engine.HealthHealthy, engine.HealthUnhealthy:
	default:
		return nil, invalid("health", v, "want none, starting, healthy or unhealthy")
	}
	return func(s *state.Snapshot) bool {
		have := engine.HealthNone
		if h := health(s, s.Status()); h != nil {
			have = h.Status
		}
		return have == want
	}, nil
}

// exited matches the exit code of a container that has run and does not any more.
func (f *filter) exited(v string) (func(*state.Snapshot) bool, error) {
	code, err := strconv.Atoi(v)
	if err != nil {
		return nil, invalid("exited", v, "want an exit code")
	}
	return func(s *state.Snapshot) bool {
		st := stateOf(s)
		return !st.Running() && st.Status != engine.StatusRestarting && !st.StartedAt.IsZero() && st.ExitCode == code
	}, nil
}

// ancestor matches the image that a container was made of, or one that that was made of. One that is not there matches nothing.
func (f *filter) ancestor(v string) (func(*state.Snapshot) bool, error) {
	var ids []string
	if f.src.Ancestors != nil {
		var err error
		if ids, err = f.src.Ancestors(v); err != nil {
			return nil, err
		}
	}
	return func(s *state.Snapshot) bool { return slices.Contains(ids, s.Config.ImageID) }, nil
}

// volume matches the name of a volume, the source of another mount, and the target of either.
func (f *filter) volume(v string) (func(*state.Snapshot) bool, error) {
	return func(s *state.Snapshot) bool {
		return slices.ContainsFunc(s.Config.Mounts, func(m state.Mount) bool {
			return m.Target == v || m.Name == v || m.Name == "" && m.Source == v
		})
	}, nil
}

// network matches a network's name, or a prefix of its ID.
func (f *filter) network(v string) (func(*state.Snapshot) bool, error) {
	name := v
	if f.src.Network != nil {
		if _, n := f.src.Network(v); n != "" {
			name = n
		}
	}
	return func(s *state.Snapshot) bool {
		for have, e := range endpoints(s, Extra{}) {
			if have == name || v != "" && strings.HasPrefix(e.NetworkID, v) {
				return true
			}
		}
		return false
	}, nil
}

// ofPorts matches PORT[-PORT][/PROTOCOL] against ports of the container.
func ofPorts(key, v string, of func(*state.Snapshot) []string) (func(*state.Snapshot) bool, error) {
	list, err := engine.ExpandExpose(v)
	if err != nil {
		return nil, &engine.InvalidError{Option: "filter " + key, Value: v, Err: err}
	}
	want := map[string]bool{}
	for _, p := range list {
		want[fmt.Sprintf("%d/%s", p.ContainerPort, p.Protocol)] = true
	}
	return func(s *state.Snapshot) bool {
		return slices.ContainsFunc(of(s), func(have string) bool { return want[have] })
	}, nil
}

// isTask is about services of a swarm: no container here is part of one.
func (f *filter) isTask(v string) (func(*state.Snapshot) bool, error) {
	task, err := strconv.ParseBool(v)
	if err != nil {
		return nil, invalid("is-task", v, "want true or false")
	}
	return func(*state.Snapshot) bool { return !task }, nil
}

// isolation is about Windows: every container here has the default one.
func (f *filter) isolation(v string) (func(*state.Snapshot) bool, error) {
	switch v {
	case "", "default":
		return func(*state.Snapshot) bool { return true }, nil
	case "process", "hyperv":
		return func(*state.Snapshot) bool { return false }, nil
	}
	return nil, invalid("isolation", v, "want default, process or hyperv")
}
