package docker

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// wireImage is the answer of GET /images/{name}/json.
type wireImage struct {
	ID           string `json:"Id"`
	RepoTags     []string
	RepoDigests  []string
	Parent       string
	Comment      string
	Author       string
	Created      wireTime
	Os           string
	Architecture string
	Variant      string
	Size         int64
	Config       *wireImageConfig
	RootFS       struct{ Layers []string }
}

// ImageInspect implements [engine.Images].
func (e *Engine) ImageInspect(ctx context.Context, ref string) (*engine.ImageAttrs, error) {
	path, err := imagePath(ref, "/json")
	if err != nil {
		return nil, err
	}
	var answer wire.Raw[wireImage]
	if err := e.call(ctx, op{"inspect image", ref}, get(path), &answer); err != nil {
		return nil, err
	}
	w := &answer.Value
	a := &engine.ImageAttrs{
		ID:           w.ID,
		RepoTags:     w.RepoTags,
		RepoDigests:  w.RepoDigests,
		Parent:       w.Parent,
		Comment:      w.Comment,
		Author:       w.Author,
		Created:      w.Created.Time,
		OS:           w.Os,
		Architecture: w.Architecture,
		Variant:      w.Variant,
		Size:         engine.Bytes(w.Size),
		Layers:       w.RootFS.Layers,
		Raw:          answer.Text,
	}
	if c := w.Config; c != nil {
		a.Config = engine.ImageConfig{
			User:         c.User,
			ExposedPorts: slices.Sorted(maps.Keys(c.ExposedPorts)),
			Env:          c.Env,
			Entrypoint:   c.Entrypoint,
			Cmd:          c.Cmd,
			Volumes:      slices.Sorted(maps.Keys(c.Volumes)),
			WorkingDir:   c.WorkingDir,
			Labels:       c.Labels,
			StopSignal:   c.StopSignal,
			Healthcheck:  neutralHealthcheck(c.Healthcheck),
		}
	}
	return a, nil
}

// ImageExists implements [engine.Images].
func (e *Engine) ImageExists(ctx context.Context, ref string) (bool, error) {
	path, err := imagePath(ref, "/json")
	if err != nil {
		return false, err
	}
	return exists(e.call(ctx, op{"inspect image", ref}, get(path), nil))
}

// wireImageSummary is an entry of GET /images/json. -1 is not told.
type wireImageSummary struct {
	ID          string `json:"Id"`
	RepoTags    []string
	RepoDigests []string
	ParentID    string `json:"ParentId"`
	Created     int64
	Size        int64
	SharedSize  int64
	Containers  int
	Labels      map[string]string
}

// ImageList implements [engine.Images].
func (e *Engine) ImageList(ctx context.Context, opts engine.ImageListOptions) ([]engine.ImageSummary, error) {
	filters := maps.Clone(opts.Filters)
	if opts.Name != "" {
		if filters == nil {
			filters = engine.Filters{}
		}
		filters["reference"] = append(slices.Clone(filters["reference"]), opts.Name)
	}
	query, err := filterQuery(filters)
	if err != nil {
		return nil, err
	}
	if opts.All {
		query.Set("all", "1")
	}
	var list []wireImageSummary
	if err := e.call(ctx, op{"list images", ""}, wire.Request{Method: http.MethodGet, Path: "/images/json", Query: query}, &list); err != nil {
		return nil, err
	}
	out := make([]engine.ImageSummary, 0, len(list))
	for i := range list {
		out = append(out, imageSummary(&list[i]))
	}
	return out, nil
}

func imageSummary(w *wireImageSummary) engine.ImageSummary {
	named := func(none string) func(string) bool { return func(s string) bool { return s == none } }
	s := engine.ImageSummary{
		ID:          w.ID,
		RepoTags:    slices.DeleteFunc(w.RepoTags, named("<none>:<none>")),
		RepoDigests: slices.DeleteFunc(w.RepoDigests, named("<none>@<none>")),
		ParentID:    w.ParentID,
		Created:     time.Unix(w.Created, 0),
		Size:        engine.Bytes(w.Size),
		Labels:      w.Labels,
	}
	if w.SharedSize >= 0 {
		s.SharedSize = new(engine.Bytes(w.SharedSize))
	}
	if w.Containers >= 0 {
		s.Containers = &w.Containers
	}
	s.Dangling = len(s.RepoTags) == 0
	return s
}

// ImageHistory implements [engine.Images].
func (e *Engine) ImageHistory(ctx context.Context, ref string) ([]engine.HistoryEntry, error) {
	path, err := imagePath(ref, "/history")
	if err != nil {
		return nil, err
	}
	var list []struct {
		ID        string `json:"Id"`
		Created   int64
		CreatedBy string
		Size      int64
		Comment   string
		Tags      []string
	}
	if err := e.call(ctx, op{"get history of image", ref}, get(path), &list); err != nil {
		return nil, err
	}
	out := make([]engine.HistoryEntry, 0, len(list))
	for _, h := range list {
		if h.ID == "<missing>" {
			h.ID = ""
		}
		out = append(out, engine.HistoryEntry{ID: h.ID, Created: time.Unix(h.Created, 0), CreatedBy: h.CreatedBy, Size: engine.Bytes(h.Size), Comment: h.Comment, Tags: h.Tags})
	}
	return out, nil
}

// ImageTag implements [engine.Images].
func (e *Engine) ImageTag(ctx context.Context, source, target string) error {
	path, err := imagePath(source, "/tag")
	if err != nil {
		return err
	}
	name, err := parseReference("target", target)
	if err != nil {
		return err
	}
	query := url.Values{"repo": {name.name}}
	if name.tag != "" {
		query.Set("tag", name.tag)
	}
	return e.call(ctx, op{"tag image", source}, wire.Request{Method: http.MethodPost, Path: path, Query: query}, nil)
}

// wireImageDeleted has one of the two.
type wireImageDeleted struct {
	Untagged string
	Deleted  string
}

// ImageRemove implements [engine.Images].
func (e *Engine) ImageRemove(ctx context.Context, ref string, opts engine.ImageRemoveOptions) (engine.ImageRemoveReport, error) {
	path, err := imagePath(ref, "")
	if err != nil {
		return engine.ImageRemoveReport{}, err
	}
	query := url.Values{}
	if opts.Force {
		query.Set("force", "1")
	}
	if opts.NoPrune {
		query.Set("noprune", "1")
	}
	var list []wireImageDeleted
	err = e.call(ctx, op{"remove image", ref}, wire.Request{Method: http.MethodDelete, Path: path, Query: query}, &list)
	var report engine.ImageRemoveReport
	for _, d := range list {
		if d.Untagged != "" {
			report.Untagged = append(report.Untagged, d.Untagged)
		}
		if d.Deleted != "" {
			report.Deleted = append(report.Deleted, d.Deleted)
		}
	}
	return report, err
}

// ImagePrune implements [engine.Images].
func (e *Engine) ImagePrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	w, err := e.prune(ctx, "images", "/images/prune", filters)
	report := engine.PruneReport{Reclaimed: engine.Bytes(w.SpaceReclaimed)}
	for _, d := range w.ImagesDeleted {
		if d.Deleted != "" {
			report.Deleted = append(report.Deleted, d.Deleted)
		} else {
			report.Deleted = append(report.Deleted, d.Untagged)
		}
	}
	return report, err
}
