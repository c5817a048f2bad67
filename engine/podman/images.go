package podman

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/registryauth"
	"github.com/berthdev/berth/internal/wire"
)

// imageID is an image's ID with its algorithm, which Podman leaves off.
func imageID(id string) string {
	if isHexID(id) {
		return "sha256:" + id
	}
	return id
}

func isHexID(s string) bool { return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" }

// wireImage is the answer of GET /images/{n}/json.
type wireImage struct {
	ID           string `json:"Id"`
	RepoTags     []string
	RepoDigests  []string
	Parent       string
	Comment      string
	Author       string
	Created      time.Time
	Os           string
	Architecture string
	Variant      string
	Size         int64
	Config       wireImageConfig
	Labels       map[string]string
	HealthCheck  *wireHealthcheck `json:"Healthcheck"`
	RootFS       struct{ Layers []string }
}

type wireImageConfig struct {
	User         string
	ExposedPorts map[string]json.RawMessage
	Env          []string
	Entrypoint   []string
	Cmd          []string
	Volumes      map[string]json.RawMessage
	WorkingDir   string
	Labels       map[string]string
	StopSignal   string
	Healthcheck  *wireHealthcheck
}

// ImageInspect implements [engine.Images].
func (e *Engine) ImageInspect(ctx context.Context, ref string) (*engine.ImageAttrs, error) {
	path, err := imagePath(ref, "/json")
	if err != nil {
		return nil, err
	}
	var w wire.Raw[wireImage]
	if err := e.call(ctx, op{"inspect image", ref}, get(path), &w); err != nil {
		return nil, imageNotFound(err)
	}
	i := w.Value
	a := &engine.ImageAttrs{
		ID:           imageID(i.ID),
		RepoTags:     i.RepoTags,
		RepoDigests:  i.RepoDigests,
		Comment:      i.Comment,
		Author:       i.Author,
		Created:      i.Created,
		OS:           i.Os,
		Architecture: i.Architecture,
		Variant:      i.Variant,
		Size:         engine.Bytes(i.Size),
		Layers:       i.RootFS.Layers,
		Raw:          w.Text,
		Config: engine.ImageConfig{
			User:         i.Config.User,
			ExposedPorts: sortedKeys(i.Config.ExposedPorts),
			Env:          i.Config.Env,
			Entrypoint:   i.Config.Entrypoint,
			Cmd:          i.Config.Cmd,
			Volumes:      sortedKeys(i.Config.Volumes),
			WorkingDir:   i.Config.WorkingDir,
			Labels:       i.Config.Labels,
			StopSignal:   i.Config.StopSignal,
		},
	}
	if i.Parent != "" {
		a.Parent = imageID(i.Parent)
	}
	if a.Config.Labels == nil {
		a.Config.Labels = i.Labels
	}
	h := i.HealthCheck
	if h == nil {
		h = i.Config.Healthcheck
	}
	if h != nil && len(h.Test) > 0 {
		a.Config.Healthcheck = &engine.Healthcheck{
			Test: h.Test, Interval: h.Interval, Timeout: h.Timeout, StartPeriod: h.StartPeriod, StartInterval: h.StartInterval, Retries: h.Retries,
		}
	}
	return a, nil
}

// imageNotFound makes the not-found of an image's endpoint, which not every version puts into words, that of an image.
func imageNotFound(err error) error {
	if api, ok := err.(*engine.APIError); ok && api.Kind == engine.ErrNotFound {
		api.Kind = engine.ErrImageNotFound
	}
	return err
}

// ImageExists implements [engine.Images].
func (e *Engine) ImageExists(ctx context.Context, ref string) (bool, error) {
	path, err := imagePath(ref, "/exists")
	if err != nil {
		return false, err
	}
	return e.exists(ctx, op{"look for image", ref}, path)
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
	query.Set("all", boolean(opts.All))
	var list []struct {
		ID          string `json:"Id"`
		ParentID    string `json:"ParentId"`
		RepoTags    []string
		RepoDigests []string
		Created     int64
		Size        int64
		SharedSize  int64
		Containers  int
		Labels      map[string]string
		Dangling    bool
	}
	if err := e.call(ctx, op{verb: "list images"}, wire.Request{Method: http.MethodGet, Path: "/images/json", Query: query}, &list); err != nil {
		return nil, err
	}
	out := make([]engine.ImageSummary, 0, len(list))
	for _, i := range list {
		s := engine.ImageSummary{
			ID: imageID(i.ID), RepoTags: i.RepoTags, RepoDigests: i.RepoDigests, Created: unixTime(i.Created), Size: engine.Bytes(i.Size),
			SharedSize: new(engine.Bytes(i.SharedSize)), Containers: &i.Containers, Labels: i.Labels, Dangling: i.Dangling,
		}
		if i.ParentID != "" {
			s.ParentID = imageID(i.ParentID)
		}
		out = append(out, s)
	}
	return out, nil
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
	if err := e.call(ctx, op{"read history of image", ref}, get(path), &list); err != nil {
		return nil, imageNotFound(err)
	}
	out := make([]engine.HistoryEntry, 0, len(list))
	for _, h := range list {
		out = append(out, engine.HistoryEntry{ID: imageID(h.ID), Created: unixTime(h.Created), CreatedBy: h.CreatedBy, Size: engine.Bytes(h.Size), Comment: h.Comment, Tags: h.Tags})
	}
	return out, nil
}

// ImageTag implements [engine.Images]. A target without a registry gets the prefix localhost/.
func (e *Engine) ImageTag(ctx context.Context, source, target string) error {
	path, err := imagePath(source, "/tag")
	if err != nil {
		return err
	}
	repo, tag, err := splitTarget("target", target)
	if err != nil {
		return err
	}
	r := post(path)
	r.Query = url.Values{"repo": {repo}, "tag": {tag}}
	return imageNotFound(e.call(ctx, op{"tag image", source}, r, nil))
}

// splitTarget splits the name that something is to be given; without a tag it is latest.
func splitTarget(option, target string) (repo, tag string, err error) {
	ref, err := registryauth.ParseReference(target)
	if err != nil {
		return "", "", &engine.InvalidError{Option: option, Value: target, Err: err}
	}
	if ref.Digest != "" {
		return "", "", &engine.InvalidError{Option: option, Value: target, Reason: "a name that is given has no digest"}
	}
	if ref.Tag == "" {
		return target, "latest", nil
	}
	return strings.TrimSuffix(target, ":"+ref.Tag), ref.Tag, nil
}

// ImageRemove implements [engine.Images]. Forced, Podman would remove an image's containers with it, running ones too, which Docker never does: an image that containers use is ErrConflict here.
func (e *Engine) ImageRemove(ctx context.Context, ref string, opts engine.ImageRemoveOptions) (engine.ImageRemoveReport, error) {
	var report engine.ImageRemoveReport
	if _, err := imagePath(ref, ""); err != nil {
		return report, err
	}
	if opts.NoPrune {
		if err := e.need(vNoPrune, "ImageRemoveOptions.NoPrune"); err != nil {
			return report, err
		}
	}
	o := op{"remove image", ref}
	if opts.Force {
		if err := e.unusedImage(ctx, o, ref); err != nil {
			return report, err
		}
	}
	query := url.Values{"images": {ref}, "force": {boolean(opts.Force)}}
	if opts.NoPrune {
		query.Set("noprune", "true")
	}
	var out struct {
		Untagged []string
		Deleted  []string
		Errors   []string
	}
	r := wire.Request{Method: http.MethodDelete, Path: "/images/remove", Query: query}
	if err := e.call(ctx, o, r, &out); err != nil {
		return report, imageNotFound(err)
	}
	report.Untagged = out.Untagged
	for _, id := range out.Deleted {
		report.Deleted = append(report.Deleted, imageID(id))
	}
	if len(out.Errors) > 0 {
		return report, answerError(o, 0, "", strings.Join(out.Errors, "; "))
	}
	return report, nil
}

// unusedImage is an error if a container uses an image.
func (e *Engine) unusedImage(ctx context.Context, o op, ref string) error {
	img, err := e.ImageInspect(ctx, ref)
	if err != nil {
		return err
	}
	id := strings.TrimPrefix(img.ID, "sha256:")
	list, err := e.ContainerList(ctx, engine.ListOptions{All: true, Filters: engine.Filters{"ancestor": {id}}})
	if err != nil {
		return err
	}
	// A container of an image made from this one is one of the list too, but needs no more than the layers.
	list = slices.DeleteFunc(list, func(s engine.Summary) bool { return s.ImageID != img.ID })
	if len(list) == 0 || len(img.RepoTags) > 1 && !strings.HasPrefix(id, strings.TrimPrefix(ref, "sha256:")) {
		return nil // with further names, only this one goes
	}
	return &engine.APIError{
		Engine: Name, Op: o.verb, Object: ref, Kind: engine.ErrConflict,
		Message: "the image is in use by container " + list[0].ID + ", which Podman would remove with it",
	}
}

// ImagePrune implements [engine.Images]. The filter dangling=false removes all unused images, as on Docker.
func (e *Engine) ImagePrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	o := op{verb: "prune images"}
	all := false
	if words, ok := filters["dangling"]; ok {
		filters = maps.Clone(filters)
		delete(filters, "dangling")
		for _, w := range words {
			switch w {
			case "false", "0":
				all = true
			case "true", "1":
			default:
				return engine.PruneReport{}, &engine.InvalidError{Option: "filter dangling", Value: w, Reason: "want true or false"}
			}
		}
	}
	query, err := filterQuery(filters)
	if err != nil {
		return engine.PruneReport{}, err
	}
	query.Set("all", boolean(all))
	r := post("/images/prune")
	r.Query = query
	var list []wireReport
	if err := e.call(ctx, o, r, &list); err != nil {
		return engine.PruneReport{}, err
	}
	for i := range list {
		list[i].ID = imageID(list[i].ID)
	}
	return pruned(o, list)
}
