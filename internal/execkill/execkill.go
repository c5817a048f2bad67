package execkill

import (
	"context"
	"errors"

	"github.com/berthdev/berth/engine"
)

// Kill sends signal ("" is SIGKILL) to the process of st. marker is NAME=VALUE that the process has in its environment, or "".
func Kill(ctx context.Context, e engine.Engine, st *engine.ExecState, signal, marker string) error {
	return &engine.ExecAliveError{ExecID: st.ID, Container: st.ContainerID, PID: st.PID, Err: errors.New("not written yet")}
}
