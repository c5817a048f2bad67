package podman

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// wireReport is an entry of what a removal or a prune answers.
type wireReport struct {
	ID   string `json:"Id"`
	Err  wireReportError
	Size int64
}

// wireReportError is an error as text, or as an object that Go made of an error and that tells nothing.
type wireReportError string

// UnmarshalJSON implements json.Unmarshaler.
func (e *wireReportError) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if json.Unmarshal(b, (*string)(e)) != nil {
		*e = "the engine gives no reason"
	}
	return nil
}

// ContainerRemove implements [engine.Containers].
func (e *Engine) ContainerRemove(ctx context.Context, id string, opts engine.RemoveOptions) error {
	if opts.Link {
		return e.unsupported("RemoveOptions.Link", "", "Podman has no links")
	}
	path, err := containerPath(id, "")
	if err != nil {
		return err
	}
	query := url.Values{"force": {boolean(opts.Force)}, "volumes": {boolean(opts.Volumes)}}
	if opts.Depend {
		query.Set("depend", "true")
	}
	switch {
	case opts.Timeout != nil:
		seconds, err := timeoutSeconds("RemoveOptions.Timeout", *opts.Timeout)
		if err != nil {
			return err
		}
		query.Set("timeout", seconds)
	case opts.Force:
		query.Set("timeout", "0") // else the container's StopTimeout
	}
	o := op{"remove container", id}
	var text []byte
	r := wire.Request{Method: http.MethodDelete, Path: path, Query: query}
	if err := e.call(ctx, o, r, &text); err != nil {
		if strings.Contains(err.Error(), "device or resource busy") {
			// 4.x says so of what it could not unmount although the container is removed.
			if found, ferr := e.ContainerExists(ctx, id); ferr == nil && !found {
				return nil
			}
		}
		return err
	}
	if len(text) == 0 {
		return nil
	}
	var reports []wireReport
	if err := json.Unmarshal(text, &reports); err != nil {
		if err, ok := bodyError(o, text); ok {
			return err
		}
		return nil // removed, in words of a version that is not known
	}
	var errs []error
	for _, r := range reports {
		if r.Err != "" {
			errs = append(errs, answerError(op{o.verb, r.ID}, 0, "", string(r.Err)))
		}
	}
	return errors.Join(errs...)
}

// ContainerPrune implements [engine.Containers].
func (e *Engine) ContainerPrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	return e.prune(ctx, op{verb: "prune containers"}, "/containers/prune", filters)
}

// prune removes what is not in use. The report is filled also when some of it could not be removed.
func (e *Engine) prune(ctx context.Context, o op, path string, filters engine.Filters) (engine.PruneReport, error) {
	var report engine.PruneReport
	query, err := filterQuery(filters)
	if err != nil {
		return report, err
	}
	r := post(path)
	r.Query = query
	var list []wireReport
	if err := e.call(ctx, o, r, &list); err != nil {
		return report, err
	}
	return pruned(o, list)
}

func pruned(o op, list []wireReport) (engine.PruneReport, error) {
	var report engine.PruneReport
	var errs []error
	for _, r := range list {
		if r.Err != "" {
			err := answerError(op{o.verb, r.ID}, 0, "", string(r.Err))
			if report.Errors == nil {
				report.Errors = map[string]error{}
			}
			report.Errors[r.ID] = err
			errs = append(errs, err)
			continue
		}
		report.Deleted = append(report.Deleted, r.ID)
		report.Reclaimed += engine.Bytes(r.Size)
	}
	return report, errors.Join(errs...)
}
