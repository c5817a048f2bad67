package embedded

import (
	"context"
	"os/user"
	"strconv"

	"github.com/berthdev/berth/embedded/internal/top"
	"github.com/berthdev/berth/engine"
)

// ContainerTop implements [engine.Containers]. Process IDs and users are the host's, as on Docker.
func (e *Engine) ContainerTop(ctx context.Context, id string, opts engine.TopOptions) (*engine.Top, error) {
	const op = "list processes of container"
	s, err := e.snapshot(ctx, op, id)
	if err != nil {
		return nil, err
	}
	if !live(s) {
		return nil, fail(op, id, engine.ErrNotRunning, "container %s is not running", s.Config.Name)
	}
	g, err := e.group(s.Config)
	if err != nil {
		return nil, because(ctx, op, id, err)
	}
	pids, err := g.PIDs()
	if err != nil {
		return nil, because(ctx, op, id, err)
	}
	t, err := top.Top(pids, opts.Args, userName)
	return t, because(ctx, op, id, err)
}

// userName is the host's name of a user, else the number.
func userName(uid int) string {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return strconv.Itoa(uid)
	}
	return u.Username
}
