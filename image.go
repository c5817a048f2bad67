package berth

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync/atomic"
)

// Image is a handle of one image. It stays usable for as long as the image
// exists; its calls fail with [ErrImageNotFound] afterwards. It need not be closed.
//
// What has a context asks the engine. What has none answers from what is known
// already: the last inspect, or the one request of the list.
//
// An Image is safe for concurrent use.
type Image struct {
	cli     *Client
	id      string
	ref     string // it was found by, may be ""
	summary *ImageSummary
	attrs   atomic.Pointer[ImageAttrs]
}

// image makes the handle of an image by its ID; ref is the name it was found by.
func (cli *Client) image(id, ref string) *Image { return &Image{cli: cli, id: id, ref: ref} }

// ID is the image's ID, sha256:….
func (i *Image) ID() string { return i.id }

// ShortID is the first 12 characters of the ID, which is how people know it.
func (i *Image) ShortID() string {
	hex := i.id[strings.LastIndexByte(i.id, ':')+1:]
	return hex[:min(12, len(hex))]
}

// Ref is what to put into Spec.Image: the name that the image was found by, else its first
// tag, else its ID.
func (i *Image) Ref() string {
	if i.ref != "" {
		return i.ref
	}
	if tags := i.Tags(); len(tags) > 0 {
		return tags[0]
	}
	return i.id
}

// Tags are the image's names, "repository:tag". The slice must not be written to.
func (i *Image) Tags() []string {
	if a := i.attrs.Load(); a != nil {
		return a.RepoTags
	}
	if i.summary != nil {
		return i.summary.RepoTags
	}
	return nil
}

// Labels are the image's labels. The map must not be written to.
func (i *Image) Labels() map[string]string {
	if a := i.attrs.Load(); a != nil {
		return a.Config.Labels
	}
	if i.summary != nil {
		return i.summary.Labels
	}
	return nil
}

// Attrs is the last snapshot, nil when there is none yet: after List. It is
// immutable, and the same pointer until the next Reload.
func (i *Image) Attrs() *ImageAttrs { return i.attrs.Load() }

// Summary is the image as the list showed it, nil when the handle did not come
// from [Images.List]. It is immutable.
func (i *Image) Summary() *ImageSummary { return i.summary }

// Reload takes a new snapshot.
func (i *Image) Reload(ctx context.Context) error {
	attrs, err := i.cli.Images.Inspect(ctx, i.id)
	if err != nil {
		return err
	}
	i.attrs.Store(attrs)
	return nil
}

// History lists the steps of the image's making, the newest first.
func (i *Image) History(ctx context.Context) ([]HistoryEntry, error) {
	return i.cli.Images.History(ctx, i.id)
}

// Tag gives the image the further name target, "repository[:tag]".
func (i *Image) Tag(ctx context.Context, target string) error {
	if err := i.cli.Images.Tag(ctx, i.id, target); err != nil {
		return err
	}
	if !i.cli.noRefresh {
		if err := i.Reload(ctx); err != nil {
			i.cli.log.DebugContext(ctx, "refresh image", "image", i.id, "error", err)
		}
	}
	return nil
}

// Save streams the image, under the name it was found by, as a docker-archive. See [Images.Save].
func (i *Image) Save(ctx context.Context, opts ...SaveOptions) (io.ReadCloser, error) {
	return i.cli.Images.Save(ctx, []string{i.Ref()}, opts...)
}

// Remove removes the image. One that has several names is an [ErrConflict]
// without ImageRemoveOptions.Force. See [Images.Remove].
func (i *Image) Remove(ctx context.Context, opts ...ImageRemoveOptions) (ImageRemoveReport, error) {
	return i.cli.Images.Remove(ctx, i.id, opts...)
}

// Equal tells whether both are handles of the same image of the same engine.
func (i *Image) Equal(o *Image) bool {
	if i == nil || o == nil {
		return i == o
	}
	return i.id == o.id && i.cli.sameEngine(o.cli)
}

// String is Image(0123456789ab name).
func (i *Image) String() string {
	name := i.ref
	if tags := i.Tags(); len(tags) > 0 && (name == "" || !slices.Contains(tags, name)) {
		name = tags[0]
	}
	return "Image(" + strings.TrimSpace(i.ShortID()+" "+name) + ")"
}

// sameEngine tells whether both clients speak to the same engine.
func (cli *Client) sameEngine(o *Client) bool {
	return cli == o || cli.e.Identity().Host == o.e.Identity().Host
}
