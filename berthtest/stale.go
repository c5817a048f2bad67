package berthtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/berthdev/berth"
)

// session names this process.
func session() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

// RemoveStale removes the containers, running or not, with their anonymous volumes,
// that test binaries other than this one have started here and that are older than age. Choose an age
// that no test run reaches, since another run may be in progress. It returns the IDs of what was removed, also with an error.
func RemoveStale(ctx context.Context, cli *berth.Client, age time.Duration) ([]string, error) {
	list, err := cli.Containers.List(ctx, berth.ListOptions{All: true, Filters: berth.Filters{"label": {SessionLabel}}})
	if err != nil {
		return nil, err
	}
	var removed []string
	var errs []error
	oldest := time.Now().Add(-age)
	for _, c := range list {
		if s := c.Summary(); s.Labels[SessionLabel] == session() || s.Created.After(oldest) {
			continue
		}
		err := c.Remove(ctx, berth.RemoveOptions{Force: true, Volumes: true})
		switch {
		case err == nil:
			removed = append(removed, c.ID())
		case !errors.Is(err, berth.ErrNotFound):
			errs = append(errs, err)
		}
	}
	return removed, errors.Join(errs...)
}
