package podman

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// wireVolume is a volume.
type wireVolume struct {
	Name       string
	Driver     string
	Mountpoint string
	CreatedAt  time.Time
	Labels     map[string]string
	Options    map[string]string
	Scope      string
	Anonymous  bool
}

func volumeAttrs(w *wire.Raw[wireVolume]) *engine.VolumeAttrs {
	v := w.Value
	return &engine.VolumeAttrs{
		Name: v.Name, Driver: v.Driver, Mountpoint: v.Mountpoint, Created: v.CreatedAt, Labels: v.Labels, Options: v.Options, Scope: v.Scope, Anonymous: v.Anonymous, Raw: w.Text,
	}
}

// VolumeCreate implements [engine.Volumes]. A name that is taken is an error unless the volume is as it would be made, as on Docker.
func (e *Engine) VolumeCreate(ctx context.Context, opts engine.VolumeCreateOptions) (*engine.VolumeAttrs, error) {
	if opts.Name != "" {
		if _, err := checkName("volume", opts.Name); err != nil {
			return nil, err
		}
	}
	body := struct {
		Name    string            `json:",omitempty"`
		Driver  string            `json:",omitempty"`
		Options map[string]string `json:",omitempty"`
		Labels  map[string]string `json:",omitempty"`
	}{opts.Name, opts.Driver, opts.DriverOptions, opts.Labels}
	var w wire.Raw[wireVolume]
	o := op{"create volume", opts.Name}
	err := e.call(ctx, o, wire.Request{Method: http.MethodPost, Path: "/volumes/create", JSON: body}, &w)
	if err == nil {
		return volumeAttrs(&w), nil
	}
	if opts.Name == "" || !errors.Is(err, engine.ErrConflict) {
		return nil, err
	}
	v, ierr := e.VolumeInspect(ctx, opts.Name)
	if ierr != nil || !sameVolume(v, opts) {
		return nil, err
	}
	return v, nil
}

// sameVolume reports whether a volume is what opts would make.
func sameVolume(v *engine.VolumeAttrs, opts engine.VolumeCreateOptions) bool {
	driver := opts.Driver
	if driver == "" {
		driver = "local"
	}
	return v.Driver == driver && maps.Equal(v.Options, opts.DriverOptions) && (len(opts.Labels) == 0 || maps.Equal(v.Labels, opts.Labels))
}

// VolumeInspect implements [engine.Volumes].
func (e *Engine) VolumeInspect(ctx context.Context, name string) (*engine.VolumeAttrs, error) {
	path, err := objectPath("volume", "/volumes/", name, "/json")
	if err != nil {
		return nil, err
	}
	var w wire.Raw[wireVolume]
	if err := e.call(ctx, op{"inspect volume", name}, get(path), &w); err != nil {
		return nil, err
	}
	return volumeAttrs(&w), nil
}

// VolumeList implements [engine.Volumes]. It is a request for each key of filters: of several at once, Podman lists what any of them matches.
func (e *Engine) VolumeList(ctx context.Context, filters engine.Filters) ([]engine.VolumeAttrs, error) {
	if len(filters) < 2 {
		return e.volumes(ctx, filters)
	}
	var all []engine.VolumeAttrs
	for i, key := range slices.Sorted(maps.Keys(filters)) {
		some, err := e.volumes(ctx, engine.Filters{key: filters[key]})
		if err != nil {
			return nil, err
		}
		if i == 0 {
			all = some
			continue
		}
		names := map[string]bool{}
		for _, v := range some {
			names[v.Name] = true
		}
		all = slices.DeleteFunc(all, func(v engine.VolumeAttrs) bool { return !names[v.Name] })
	}
	return all, nil
}

// volumes lists what filters of one key match.
func (e *Engine) volumes(ctx context.Context, filters engine.Filters) ([]engine.VolumeAttrs, error) {
	query, err := filterQuery(filters)
	if err != nil {
		return nil, err
	}
	var list []wire.Raw[wireVolume]
	if err := e.call(ctx, op{verb: "list volumes"}, wire.Request{Method: http.MethodGet, Path: "/volumes/json", Query: query}, &list); err != nil {
		return nil, err
	}
	out := make([]engine.VolumeAttrs, 0, len(list))
	for i := range list {
		out = append(out, *volumeAttrs(&list[i]))
	}
	return out, nil
}

// VolumeRemove implements [engine.Volumes]. Forced, Podman would remove the volume's containers with it, running ones too, which Docker never does: a volume that is in use is ErrConflict here, and force lets a missing volume be.
func (e *Engine) VolumeRemove(ctx context.Context, name string, force bool) error {
	path, err := objectPath("volume", "/volumes/", name, "")
	if err != nil {
		return err
	}
	err = e.call(ctx, op{"remove volume", name}, wire.Request{Method: http.MethodDelete, Path: path}, nil)
	if force && isNotFound(err) {
		return nil
	}
	return err
}

// VolumePrune implements [engine.Volumes]. The volumes are removed one by one: Podman's own prune would remove named ones too, and those that any of several filters matches.
func (e *Engine) VolumePrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	filters = maps.Clone(filters)
	if filters == nil {
		filters = engine.Filters{}
	}
	all := false
	for _, w := range filters["all"] {
		b, err := strconv.ParseBool(w)
		if err != nil {
			return engine.PruneReport{}, &engine.InvalidError{Option: "filter all", Value: w, Reason: "want true or false"}
		}
		all = all || b
	}
	delete(filters, "all")
	filters["dangling"] = []string{"true"}
	list, err := e.VolumeList(ctx, filters)
	if err != nil {
		return engine.PruneReport{}, err
	}
	if !all {
		list = slices.DeleteFunc(list, func(v engine.VolumeAttrs) bool { return !v.Anonymous })
	}
	sizes := e.volumeSizes(ctx, len(list) > 0)
	var report engine.PruneReport
	var errs []error
	for _, v := range list {
		switch err := e.VolumeRemove(ctx, v.Name, true); {
		case ctx.Err() != nil:
			return report, errors.Join(append(errs, err)...)
		case errors.Is(err, engine.ErrConflict): // in use by now
		case err != nil:
			if report.Errors == nil {
				report.Errors = map[string]error{}
			}
			report.Errors[v.Name] = err
			errs = append(errs, err)
		default:
			report.Deleted = append(report.Deleted, v.Name)
			report.Reclaimed += sizes[v.Name]
		}
	}
	return report, errors.Join(errs...)
}

// volumeSizes are the sizes of volumes, as far as the engine tells.
func (e *Engine) volumeSizes(ctx context.Context, wanted bool) map[string]engine.Bytes {
	if !wanted {
		return nil
	}
	sizes := map[string]engine.Bytes{}
	if d, err := e.DiskUsage(ctx); err == nil {
		for _, v := range d.Volumes {
			sizes[v.Name] = v.Size
		}
	}
	return sizes
}
