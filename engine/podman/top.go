package podman

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
	"github.com/berthdev/berth/internal/wire"
)

// psColumns are Podman's names of the fixed columns USER PID PPID %CPU ELAPSED TTY TIME COMMAND.
const psColumns = "user,pid,ppid,pcpu,etime,tty,time,args"

// ContainerTop implements [engine.Containers]. The process IDs are those in the container, but for what ps of the engine's host prints for TopOptions.Args that Podman itself does not know.
func (e *Engine) ContainerTop(ctx context.Context, id string, opts engine.TopOptions) (*engine.Top, error) {
	args := opts.Args
	if len(args) == 0 {
		args = []string{psColumns}
	}
	top, err := e.top(ctx, id, args)
	if err != nil || len(opts.Args) > 0 {
		return top, err
	}
	if top.Processes, err = normal.TopProcesses(top.Titles, top.Rows); err != nil {
		return nil, e.fail(op{"list processes of container", id}, err)
	}
	return top, nil
}

func (e *Engine) top(ctx context.Context, id string, args []string) (*engine.Top, error) {
	path, err := containerPath(id, "/top")
	if err != nil {
		return nil, err
	}
	o := op{"list processes of container", id}
	query := url.Values{}
	switch {
	case e.version < vTopArgs && isDescriptors(args):
		query.Set("ps_args", strings.Join(args, ",")) // only the first is looked at, and split at commas
	case e.version < vTopArgs:
		query.Set("ps_args", strings.Join(args, " ")) // and run as ps in the container
	case isDescriptors(args):
		// Since 4.8 commas are part of an argument, but to a path of an older version.
		query["ps_args"] = strings.Split(strings.Join(args, ","), ",")
	default:
		query["ps_args"] = args
	}
	var text []byte
	if err := e.call(ctx, o, wire.Request{Method: http.MethodGet, Path: path, Query: query}, &text); err != nil {
		return nil, e.topState(ctx, o, id, err)
	}
	if len(strings.TrimSpace(string(text))) == 0 { // 4.x, of a container that does not run
		return nil, e.topState(ctx, o, id, &engine.APIError{Engine: Name, Op: o.verb, Object: o.object, Message: "the container does not run", Kind: engine.ErrNotRunning})
	}
	if err, ok := bodyError(o, text); ok {
		return nil, err
	}
	var out struct {
		Titles    []string
		Processes [][]string
	}
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, e.fail(o, err)
	}
	return &engine.Top{Titles: out.Titles, Rows: out.Processes}, nil
}

// topState tells a paused container, whose processes Podman does not list, from one that does not run.
func (e *Engine) topState(ctx context.Context, o op, id string, err error) error {
	api, ok := err.(*engine.APIError)
	if !ok || api.Kind != engine.ErrNotRunning {
		return err
	}
	w, ierr := e.inspect(ctx, o, id)
	if ierr != nil {
		return ierr
	}
	if status, _ := statusOf(w.State.Status); status == engine.StatusPaused {
		return &engine.APIError{Engine: Name, Op: o.verb, Object: o.object, Message: "the container is paused", Kind: engine.ErrConflict}
	}
	return err
}

// isDescriptors reports whether args are names of columns rather than options of ps.
func isDescriptors(args []string) bool {
	for _, a := range args {
		if a == "" || strings.HasPrefix(a, "-") || strings.ContainsAny(a, " =") {
			return false
		}
	}
	return true
}

// hasProcess reports whether a process of the engine's pid namespace is one of the container's. A paused container's are taken to be there.
func (e *Engine) hasProcess(ctx context.Context, container string, pid int) (bool, error) {
	top, err := e.top(ctx, container, []string{"hpid"})
	if err != nil {
		api, ok := err.(*engine.APIError)
		switch {
		case ok && api.Kind == engine.ErrConflict:
			return true, nil
		case ok && (api.Kind == engine.ErrNotRunning || api.Kind == engine.ErrNotFound):
			return false, nil
		}
		return false, err
	}
	want := strconv.Itoa(pid)
	for _, row := range top.Rows {
		if len(row) > 0 && row[0] == want {
			return true, nil
		}
	}
	return false, nil
}
