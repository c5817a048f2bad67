package berth

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/berthdev/berth/engine"
)

// serviceEngine records the calls of the services, as text, and answers them
// with what depends on the arguments alone. err fails every call.
type serviceEngine struct {
	engine.Engine
	calls []string
	err   error
}

func (e *serviceEngine) call(name string, args ...any) error {
	var words []string
	for _, a := range args {
		words = append(words, strings.ReplaceAll(fmt.Sprintf("%+v", a), "map[]", ""))
	}
	e.calls = append(e.calls, strings.TrimSpace(name+" "+strings.Join(words, " ")))
	return e.err
}

func (e *serviceEngine) Identity() engine.Identity {
	return engine.Identity{Name: "fake", Host: "fake"}
}

func (e *serviceEngine) Close() error { return nil }

func (e *serviceEngine) ImageInspect(_ context.Context, ref string) (*engine.ImageAttrs, error) {
	if err := e.call("ImageInspect", ref); err != nil {
		return nil, err
	}
	return imageAttrs(ref), nil
}

const imageID = "sha256:0123456789abcdef0123456789abcdef"

func imageAttrs(ref string) *engine.ImageAttrs {
	return &engine.ImageAttrs{ID: imageID, RepoTags: []string{"name:tag"}, Comment: ref, Config: engine.ImageConfig{Labels: map[string]string{"a": "b"}}}
}

func (e *serviceEngine) ImageExists(_ context.Context, ref string) (bool, error) {
	return true, e.call("ImageExists", ref)
}

func (e *serviceEngine) ImageList(_ context.Context, o engine.ImageListOptions) ([]engine.ImageSummary, error) {
	return []engine.ImageSummary{{ID: imageID, RepoTags: []string{"x:y"}, Labels: map[string]string{"c": "d"}}, {ID: "other"}}, e.call("ImageList", o)
}

func (e *serviceEngine) ImageHistory(_ context.Context, ref string) ([]engine.HistoryEntry, error) {
	return []engine.HistoryEntry{{ID: ref}}, e.call("ImageHistory", ref)
}

func (e *serviceEngine) ImagePull(_ context.Context, ref string, o engine.PullOptions) (string, error) {
	err := e.call("ImagePull", ref, o.Policy, o.Platform, o.AllTags)
	if o.Progress != nil {
		for i := range 3 {
			o.Progress(engine.PullProgress{Current: int64(i), Total: 3})
		}
	}
	return imageID, err
}

func (e *serviceEngine) ImagePush(_ context.Context, ref string, o engine.PushOptions) error {
	return e.call("ImagePush", ref, o.AllTags)
}

func (e *serviceEngine) ImageLoad(_ context.Context, tar io.Reader) ([]string, error) {
	data, _ := io.ReadAll(tar)
	return []string{"a", "b"}, e.call("ImageLoad", string(data))
}

func (e *serviceEngine) ImageSave(_ context.Context, refs []string, o engine.SaveOptions) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("tar")), e.call("ImageSave", refs, o.Format)
}

func (e *serviceEngine) ImageImport(_ context.Context, tar io.Reader, o engine.ImportOptions) (string, error) {
	data, _ := io.ReadAll(tar)
	return imageID, e.call("ImageImport", string(data), o.Reference)
}

func (e *serviceEngine) ImageTag(_ context.Context, source, target string) error {
	return e.call("ImageTag", source, target)
}

func (e *serviceEngine) ImageRemove(_ context.Context, ref string, o engine.ImageRemoveOptions) (engine.ImageRemoveReport, error) {
	return engine.ImageRemoveReport{Deleted: []string{ref}}, e.call("ImageRemove", ref, o)
}

func (e *serviceEngine) prune(name string, f engine.Filters) (engine.PruneReport, error) {
	return engine.PruneReport{Deleted: []string{"x"}}, e.call(name, f)
}

func (e *serviceEngine) ImagePrune(_ context.Context, f engine.Filters) (engine.PruneReport, error) {
	return e.prune("ImagePrune", f)
}

func (e *serviceEngine) VolumeCreate(_ context.Context, o engine.VolumeCreateOptions) (*engine.VolumeAttrs, error) {
	return &engine.VolumeAttrs{Name: o.Name, Labels: o.Labels}, e.call("VolumeCreate", o.Name, o.Driver)
}

func (e *serviceEngine) VolumeInspect(_ context.Context, name string) (*engine.VolumeAttrs, error) {
	return &engine.VolumeAttrs{Name: name, Labels: map[string]string{"n": fmt.Sprint(len(e.calls))}}, e.call("VolumeInspect", name)
}

func (e *serviceEngine) VolumeList(_ context.Context, f engine.Filters) ([]engine.VolumeAttrs, error) {
	return []engine.VolumeAttrs{{Name: "a"}, {Name: "b"}}, e.call("VolumeList", f)
}

func (e *serviceEngine) VolumeRemove(_ context.Context, name string, force bool) error {
	return e.call("VolumeRemove", name, force)
}

func (e *serviceEngine) VolumePrune(_ context.Context, f engine.Filters) (engine.PruneReport, error) {
	return e.prune("VolumePrune", f)
}

func (e *serviceEngine) NetworkCreate(_ context.Context, o engine.NetworkCreateOptions) (*engine.NetworkAttrs, error) {
	return &engine.NetworkAttrs{ID: "id of " + o.Name, Name: o.Name}, e.call("NetworkCreate", o.Name)
}

func (e *serviceEngine) NetworkInspect(_ context.Context, name string) (*engine.NetworkAttrs, error) {
	return &engine.NetworkAttrs{ID: "0123456789abcdef", Name: name, Labels: map[string]string{"n": fmt.Sprint(len(e.calls))}}, e.call("NetworkInspect", name)
}

func (e *serviceEngine) NetworkList(_ context.Context, f engine.Filters) ([]engine.NetworkAttrs, error) {
	return []engine.NetworkAttrs{{ID: "1", Name: "a"}, {ID: "2", Name: "b"}}, e.call("NetworkList", f)
}

func (e *serviceEngine) NetworkConnect(_ context.Context, network, container string, ep engine.Endpoint) error {
	return e.call("NetworkConnect", network, container, ep.Aliases)
}

func (e *serviceEngine) NetworkDisconnect(_ context.Context, network, container string, force bool) error {
	return e.call("NetworkDisconnect", network, container, force)
}

func (e *serviceEngine) NetworkRemove(_ context.Context, name string, force bool) error {
	return e.call("NetworkRemove", name, force)
}

func (e *serviceEngine) NetworkPrune(_ context.Context, f engine.Filters) (engine.PruneReport, error) {
	return e.prune("NetworkPrune", f)
}

func (e *serviceEngine) SecretCreate(_ context.Context, name string, data []byte, o engine.SecretCreateOptions) (*engine.SecretAttrs, error) {
	return &engine.SecretAttrs{ID: "id of " + name, Name: name, Labels: o.Labels}, e.call("SecretCreate", name, string(data), o.Replace)
}

func (e *serviceEngine) SecretInspect(_ context.Context, name string) (*engine.SecretAttrs, error) {
	return &engine.SecretAttrs{ID: "id of " + name, Name: name}, e.call("SecretInspect", name)
}

func (e *serviceEngine) SecretList(_ context.Context, f engine.Filters) ([]engine.SecretAttrs, error) {
	return []engine.SecretAttrs{{ID: "1", Name: "a"}}, e.call("SecretList", f)
}

func (e *serviceEngine) SecretRemove(_ context.Context, name string) error {
	return e.call("SecretRemove", name)
}
