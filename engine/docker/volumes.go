package docker

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
	"github.com/berthdev/berth/internal/wire"
)

// wireVolume is the answer of GET /volumes/{name}.
type wireVolume struct {
	Name       string
	Driver     string
	Mountpoint string
	CreatedAt  wireTime
	Labels     map[string]string
	Options    map[string]string
	Scope      string
	UsageData  *struct {
		Size     int64
		RefCount int64
	}
}

// anonymousLabel marks the volumes that the engine has named, since Docker 23.
const anonymousLabel = "com.docker.volume.anonymous"

// anonymousName tells that a name is of the form of theirs, which is all that tells for Docker before 23.
func anonymousName(name string) bool {
	return len(name) == 64 && strings.Trim(name, "0123456789abcdef") == ""
}

func volumeAttrs(answer *wire.Raw[wireVolume]) engine.VolumeAttrs {
	w := &answer.Value
	_, labelled := w.Labels[anonymousLabel]
	return engine.VolumeAttrs{
		Name:       w.Name,
		Driver:     w.Driver,
		Mountpoint: w.Mountpoint,
		Created:    w.CreatedAt.Time,
		Labels:     w.Labels,
		Options:    w.Options,
		Scope:      w.Scope,
		Anonymous:  labelled || anonymousName(w.Name),
		Raw:        answer.Text,
	}
}

// volume asks for one volume.
func (e *Engine) volume(ctx context.Context, o op, r wire.Request) (*engine.VolumeAttrs, error) {
	var answer wire.Raw[wireVolume]
	if err := e.call(ctx, o, r, &answer); err != nil {
		return nil, err
	}
	return new(volumeAttrs(&answer)), nil
}

// VolumeCreate implements [engine.Volumes].
func (e *Engine) VolumeCreate(ctx context.Context, opts engine.VolumeCreateOptions) (*engine.VolumeAttrs, error) {
	body := struct {
		Name       string            `json:",omitempty"`
		Driver     string            `json:",omitempty"`
		DriverOpts map[string]string `json:",omitempty"`
		Labels     map[string]string `json:",omitempty"`
	}{opts.Name, opts.Driver, opts.DriverOptions, opts.Labels}
	return e.volume(ctx, op{"create volume", opts.Name}, wire.Request{Method: http.MethodPost, Path: "/volumes/create", JSON: body})
}

// VolumeInspect implements [engine.Volumes].
func (e *Engine) VolumeInspect(ctx context.Context, name string) (*engine.VolumeAttrs, error) {
	path, err := volumePath(name)
	if err != nil {
		return nil, err
	}
	return e.volume(ctx, op{"inspect volume", name}, get(path))
}

// VolumeList implements [engine.Volumes].
func (e *Engine) VolumeList(ctx context.Context, filters engine.Filters) ([]engine.VolumeAttrs, error) {
	query, err := filterQuery(filters)
	if err != nil {
		return nil, err
	}
	o := op{"list volumes", ""}
	var list struct{ Volumes []wire.Raw[wireVolume] }
	if err := e.call(ctx, o, wire.Request{Method: http.MethodGet, Path: "/volumes", Query: query}, &list); err != nil {
		return nil, err
	}
	out := make([]engine.VolumeAttrs, 0, len(list.Volumes))
	for i := range list.Volumes {
		out = append(out, volumeAttrs(&list.Volumes[i]))
	}
	normal.SortBy(out, func(a, b engine.VolumeAttrs) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// VolumeRemove implements [engine.Volumes].
func (e *Engine) VolumeRemove(ctx context.Context, name string, force bool) error {
	path, err := volumePath(name)
	if err != nil {
		return err
	}
	query := url.Values{}
	if force {
		query.Set("force", "1")
	}
	return e.call(ctx, op{"remove volume", name}, wire.Request{Method: http.MethodDelete, Path: path, Query: query}, nil)
}

func volumePath(name string) (string, error) {
	name, err := checkName("volume", name)
	return "/volumes/" + wire.Escape(name), err
}

// VolumePrune implements [engine.Volumes]. Below API 1.42 the engine's own prune removes named volumes as well, unasked: there the anonymous ones are removed one by one.
func (e *Engine) VolumePrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	if e.api < apiPruneAnonymous {
		all := slices.ContainsFunc(filters["all"], isTrue)
		filters = maps.Clone(filters)
		delete(filters, "all") // unknown to it
		if !all {
			return e.pruneAnonymous(ctx, filters)
		}
	}
	w, err := e.prune(ctx, "volumes", "/volumes/prune", filters)
	return engine.PruneReport{Deleted: w.VolumesDeleted, Reclaimed: engine.Bytes(w.SpaceReclaimed)}, err
}

func isTrue(s string) bool {
	return s == "1" || strings.EqualFold(s, "true") || strings.EqualFold(s, "t")
}

func (e *Engine) pruneAnonymous(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	filters = maps.Clone(filters)
	if filters == nil {
		filters = engine.Filters{}
	}
	filters["dangling"] = []string{"true"}
	list, err := e.VolumeList(ctx, filters)
	if err != nil {
		return engine.PruneReport{}, err
	}
	usage, err := e.DiskUsage(ctx)
	if err != nil {
		return engine.PruneReport{}, err
	}
	size := map[string]engine.Bytes{}
	for _, v := range usage.Volumes {
		size[v.Name] = v.Size
	}
	var report engine.PruneReport
	var errs []error
	for _, v := range list {
		if !v.Anonymous {
			continue
		}
		err := e.VolumeRemove(ctx, v.Name, false)
		switch {
		case err == nil:
			report.Deleted = append(report.Deleted, v.Name)
			report.Reclaimed += max(0, size[v.Name])
		case ctx.Err() != nil:
			return report, errors.Join(append(errs, err)...)
		case errors.Is(err, engine.ErrConflict), isNotFound(err): // in use again, or gone
		default:
			if report.Errors == nil {
				report.Errors = map[string]error{}
			}
			report.Errors[v.Name] = err
			errs = append(errs, err)
		}
	}
	return report, errors.Join(errs...)
}
