package docker

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// psColumns are the fixed columns: USER PID PPID %CPU ELAPSED TTY TIME COMMAND. The engine runs its host's ps, needs PID among them, and refuses a title for a column in one list with it.
const psColumns = "-eo user:32,pid,ppid,pcpu,etime -o tty=TTY -o time,args"

// ContainerTop implements [engine.Containers].
func (e *Engine) ContainerTop(ctx context.Context, id string, opts engine.TopOptions) (*engine.Top, error) {
	args := psColumns
	if len(opts.Args) > 0 {
		args = strings.Join(opts.Args, " ")
	}
	var out struct {
		Titles    []string
		Processes [][]string
	}
	if err := e.container(ctx, "list processes of container", id, http.MethodGet, "/top", url.Values{"ps_args": {args}}, nil, &out); err != nil {
		return nil, err
	}
	top := &engine.Top{Titles: out.Titles, Rows: out.Processes}
	if len(opts.Args) > 0 {
		return top, nil
	}
	var err error
	if top.Processes, err = normal.TopProcesses(out.Titles, out.Processes); err != nil {
		return nil, e.fail(op{"list processes of container", id}, err)
	}
	return top, nil
}
