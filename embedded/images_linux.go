package embedded

import (
	"context"
	"errors"
	"io"
	"maps"

	"github.com/berthdev/berth/embedded/internal/image"
	"github.com/berthdev/berth/engine"
)

// ImageInspect implements [engine.Images].
func (e *Engine) ImageInspect(ctx context.Context, ref string) (*engine.ImageAttrs, error) {
	if err := ctx.Err(); err != nil {
		return nil, because(ctx, "inspect image", ref, err)
	}
	a, err := e.images.Inspect(ref)
	return a, because(ctx, "inspect image", ref, err)
}

// ImageExists implements [engine.Images].
func (e *Engine) ImageExists(ctx context.Context, ref string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, because(ctx, "find image", ref, err)
	}
	_, err := e.images.Resolve(ref)
	if errors.Is(err, engine.ErrNotFound) {
		return false, nil
	}
	return err == nil, because(ctx, "find image", ref, err)
}

// ImageList implements [engine.Images].
func (e *Engine) ImageList(ctx context.Context, opts engine.ImageListOptions) ([]engine.ImageSummary, error) {
	users, err := e.imageUsers(ctx, false)
	if err != nil {
		return nil, because(ctx, "list images", "", err)
	}
	list, err := e.images.List(ctx, opts, users)
	return list, because(ctx, "list images", "", err)
}

// ImageHistory implements [engine.Images].
func (e *Engine) ImageHistory(ctx context.Context, ref string) ([]engine.HistoryEntry, error) {
	if err := ctx.Err(); err != nil {
		return nil, because(ctx, "get history of image", ref, err)
	}
	list, err := e.images.History(ref)
	return list, because(ctx, "get history of image", ref, err)
}

// ImageTag implements [engine.Images].
func (e *Engine) ImageTag(ctx context.Context, source, target string) error {
	if err := e.images.Tag(ctx, source, target); err != nil {
		return because(ctx, "tag image", source, err)
	}
	e.imageEvent("tag", target, nil)
	return nil
}

// ImageRemove implements [engine.Images]. Forced, it is still refused when a container that runs is of the image.
func (e *Engine) ImageRemove(ctx context.Context, ref string, opts engine.ImageRemoveOptions) (engine.ImageRemoveReport, error) {
	users, err := e.imageUsers(ctx, opts.Force)
	if err != nil {
		return engine.ImageRemoveReport{}, because(ctx, "remove image", ref, err)
	}
	if opts.Force {
		if err := e.refuseInUse(ref, users); err != nil {
			return engine.ImageRemoveReport{}, err
		}
	}
	report, err := e.images.Remove(ctx, ref, opts, users)
	e.removedImages(report)
	return report, because(ctx, "remove image", ref, err)
}

// refuseInUse is an ErrConflict when ref is the last name, or the ID, of an image that containers run of.
func (e *Engine) refuseInUse(ref string, running image.InUse) error {
	img, err := e.images.Resolve(ref)
	if err != nil {
		return err
	}
	users := running(img.ID)
	byName := false
	for _, n := range img.Names {
		byName = byName || n == ref || image.Familiar(n) == ref || image.Familiar(n) == ref+":latest"
	}
	if len(users) == 0 || byName && len(img.Names) > 1 {
		return nil
	}
	return fail("remove image", ref, engine.ErrConflict, "container %s runs of the image: this cannot be forced", shortID(users[0]))
}

func (e *Engine) removedImages(report engine.ImageRemoveReport) {
	for _, ref := range report.Untagged {
		e.imageEvent("untag", ref, nil)
	}
	for _, id := range report.Deleted {
		e.imageEvent("delete", id, nil)
	}
}

// ImagePrune implements [engine.Images].
func (e *Engine) ImagePrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	users, err := e.imageUsers(ctx, false)
	if err != nil {
		return engine.PruneReport{}, because(ctx, "prune images", "", err)
	}
	report, err := e.images.Prune(ctx, filters, users)
	for _, id := range report.Deleted {
		e.imageEvent("delete", id, nil)
	}
	return report, because(ctx, "prune images", "", err)
}

// ImageImport implements [engine.Images].
func (e *Engine) ImageImport(ctx context.Context, tar io.Reader, opts engine.ImportOptions) (string, error) {
	img, err := e.images.Import(ctx, tar, opts)
	if err != nil {
		return "", because(ctx, "import image", opts.Reference, err)
	}
	e.imageEvent("import", img.ID, map[string]string{"name": opts.Reference})
	return img.ID, nil
}

// ImageLoad implements [engine.Images].
func (e *Engine) ImageLoad(ctx context.Context, tar io.Reader) ([]string, error) {
	refs, err := e.images.Load(ctx, tar)
	if err != nil {
		return nil, because(ctx, "load images", "", err)
	}
	for _, ref := range refs {
		e.imageEvent("load", ref, nil)
	}
	return refs, nil
}

// imageEvent tells of something that happened to an image.
func (e *Engine) imageEvent(action, ref string, attributes map[string]string) {
	attrs := maps.Clone(attributes)
	if attrs == nil {
		attrs = map[string]string{}
	}
	id := ref
	if img, err := e.images.Resolve(ref); err == nil {
		id = img.ID
		maps.Copy(attrs, img.Config.Config.Labels)
	}
	if attrs["name"] == "" {
		attrs["name"] = ref
	}
	e.emit(engine.Event{Type: "image", Action: action, ID: id, Name: attrs["name"], Attributes: attrs})
}
