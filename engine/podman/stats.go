package podman

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// ContainerStats implements [engine.Containers]. It is one request for all of the containers at a time, and percentages are computed from its answers: what the engine computes of the first one refers to the container's
// whole life.
func (e *Engine) ContainerStats(ctx context.Context, ids []string, opts engine.StatsOptions) iter.Seq2[engine.Stats, error] {
	return func(yield func(engine.Stats, error) bool) {
		if err := checkStats(ids, opts); err != nil {
			yield(engine.Stats{}, err)
			return
		}
		s := &sampler{e: e, opts: opts, named: len(ids) > 0, ids: slices.Clone(ids), last: map[string]engine.Stats{}}
		if err := s.run(ctx, yield); err != nil {
			yield(engine.Stats{}, err)
		}
	}
}

func checkStats(ids []string, opts engine.StatsOptions) error {
	for _, id := range ids {
		if _, err := checkName("container", id); err != nil {
			return err
		}
	}
	switch {
	case opts.OneShot && opts.Stream:
		return &engine.InvalidError{Option: "StatsOptions.OneShot", Value: "true", Reason: "it excludes Stream"}
	case opts.Interval < 0 || opts.Interval%time.Second != 0:
		return &engine.InvalidError{Option: "StatsOptions.Interval", Value: opts.Interval.String(), Reason: "it is no whole number of seconds"}
	}
	return nil
}

// sampler takes samples of containers until there are none left.
type sampler struct {
	e     *Engine
	opts  engine.StatsOptions
	named bool                    // by the caller
	ids   []string                // of the containers that are sampled still
	last  map[string]engine.Stats // by full ID
}

var statsOp = op{verb: "read stats"}

func (s *sampler) run(ctx context.Context, yield func(engine.Stats, error) bool) error {
	if len(s.ids) == 0 {
		list, err := s.e.ContainerList(ctx, engine.ListOptions{})
		if err != nil {
			return err
		}
		for _, c := range list {
			s.ids = append(s.ids, c.ID)
		}
		if len(s.ids) == 0 {
			return nil
		}
	}
	interval := s.opts.Interval
	if interval == 0 {
		interval = time.Second
	}
	for first := true; ; first = false {
		rows, err := s.sample(ctx, first)
		if err != nil {
			return err
		}
		again := s.opts.Stream || first && !s.opts.OneShot
		s.ids = s.ids[:0]
		for _, row := range rows {
			running := !row.Read.IsZero()
			if running {
				s.ids = append(s.ids, row.ID)
			}
			if running && again && !s.opts.Stream {
				continue // the reading that the percentage will refer to
			}
			if !running && s.opts.Stream {
				continue // it has ended
			}
			if !yield(row, nil) {
				return nil
			}
		}
		if !again || len(s.ids) == 0 {
			return nil
		}
		if err := s.e.pause(ctx, statsOp, interval); err != nil {
			return err
		}
	}
}

// sample takes one sample of each container. Those that are gone are left out; the first time it is an error if the caller named them.
func (s *sampler) sample(ctx context.Context, first bool) ([]engine.Stats, error) {
	rows, err := s.e.statsRows(ctx, s.ids)
	if isNotFound(err) {
		all := len(s.ids)
		if s.ids, err = s.e.stillThere(ctx, s.ids, first && s.named); err != nil {
			return nil, err
		}
		switch len(s.ids) {
		case 0:
			return nil, nil
		case all:
			return nil, errStatsUnknown
		}
		rows, err = s.e.statsRows(ctx, s.ids)
	}
	if err != nil {
		return nil, err
	}
	out := make([]engine.Stats, 0, len(rows))
	for _, text := range rows {
		row, err := s.e.decodeStats(text)
		if err != nil {
			return nil, s.e.fail(statsOp, err)
		}
		if prev, ok := s.last[row.ID]; ok && !row.Read.IsZero() {
			row = since(prev, row)
		}
		s.last[row.ID] = row
		out = append(out, row)
	}
	return out, nil
}

// errStatsUnknown is an answer that one of the containers is not known, from an engine that does not say which, or anything.
var errStatsUnknown = &engine.APIError{Engine: Name, Op: statsOp.verb, Message: "the engine gives no reason", Kind: engine.ErrNotFound}

// statsRows asks for one sample of each container.
func (e *Engine) statsRows(ctx context.Context, ids []string) ([]json.RawMessage, error) {
	var out struct {
		Error json.RawMessage // of Go, which encodes as {}
		Stats []json.RawMessage
		Cause string `json:"cause"`

		Message  string `json:"message"`
		Response int    `json:"response"`
	}
	r := wire.Request{Method: http.MethodGet, Path: "/containers/stats", Query: url.Values{"containers": ids, "stream": {"false"}}}
	if err := e.call(ctx, statsOp, r, &out); err != nil {
		return nil, err
	}
	if out.Cause != "" || out.Message != "" {
		return nil, answerError(statsOp, out.Response, out.Cause, out.Message)
	}
	if len(out.Error) > 0 && string(out.Error) != "null" {
		return nil, errStatsUnknown
	}
	return out.Stats, nil
}

// stillThere looks up which of the containers exist. Where all have to, one that does not is an error.
func (e *Engine) stillThere(ctx context.Context, ids []string, all bool) ([]string, error) {
	var out []string
	for _, id := range ids {
		found, err := e.ContainerExists(ctx, id)
		switch {
		case err != nil:
			return nil, err
		case found:
			out = append(out, id)
		case all:
			return nil, &engine.APIError{Engine: Name, Op: statsOp.verb, Object: id, Message: "no such container", Kind: engine.ErrNotFound}
		}
	}
	return out, nil
}
