package berth

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/berthdev/berth/engine"
)

// Images finds, pulls, pushes, makes and removes images. It is [Client].Images.
//
// Arguments named ref take a name ("alpine", "registry:5000/a/b:tag",
// "a@sha256:…") or an image ID. It is safe for concurrent use.
type Images struct{ cli *Client }

// Get looks an image up. A missing one is an [ErrImageNotFound]; nothing is pulled.
func (s *Images) Get(ctx context.Context, ref string) (*Image, error) {
	attrs, err := s.Inspect(ctx, ref)
	if err != nil {
		return nil, err
	}
	i := s.cli.image(attrs.ID, ref)
	i.attrs.Store(attrs)
	return i, nil
}

// Inspect looks an image up and returns what the engine knows of it.
func (s *Images) Inspect(ctx context.Context, ref string) (*ImageAttrs, error) {
	if err := checkName("Images.Inspect", ref); err != nil {
		return nil, err
	}
	return s.cli.e.ImageInspect(ctx, ref)
}

// Exists tells whether the engine has the image.
func (s *Images) Exists(ctx context.Context, ref string) (bool, error) {
	if err := checkName("Images.Exists", ref); err != nil {
		return false, err
	}
	return s.cli.e.ImageExists(ctx, ref)
}

// List lists images with one request. Each has its [Image.Summary], and no
// [Image.Attrs].
func (s *Images) List(ctx context.Context, opts ...ImageListOptions) ([]*Image, error) {
	o, err := atMostOne("Images.List", opts)
	if err != nil {
		return nil, err
	}
	sums, err := s.cli.e.ImageList(ctx, o)
	if err != nil {
		return nil, err
	}
	list := make([]*Image, len(sums))
	for n := range sums {
		list[n] = s.cli.image(sums[n].ID, "")
		list[n].summary = &sums[n]
	}
	return list, nil
}

// History lists the steps of an image's making, the newest first.
func (s *Images) History(ctx context.Context, ref string) ([]HistoryEntry, error) {
	if err := checkName("Images.History", ref); err != nil {
		return nil, err
	}
	return s.cli.e.ImageHistory(ctx, ref)
}

// Tag gives the image source the further name target, "repository[:tag]".
func (s *Images) Tag(ctx context.Context, source, target string) error {
	if err := checkName("Images.Tag", source); err != nil {
		return err
	}
	if err := checkName("Images.Tag", target); err != nil {
		return err
	}
	return s.cli.e.ImageTag(ctx, source, target)
}

// Remove removes a name of an image, and the image with its last name; given an ID, the image with its one name. One that a
// container uses is an [ErrConflict], unless ImageRemoveOptions.Force.
func (s *Images) Remove(ctx context.Context, ref string, opts ...ImageRemoveOptions) (ImageRemoveReport, error) {
	o, err := atMostOne("Images.Remove", opts)
	if err == nil {
		err = checkName("Images.Remove", ref)
	}
	if err != nil {
		return ImageRemoveReport{}, err
	}
	return s.cli.e.ImageRemove(ctx, ref, o)
}

// Prune removes images that nothing uses: those without a name, or with the
// filter dangling=false all. At most one Filters value chooses some (label, until). The
// report holds what was removed also when the error is not nil.
func (s *Images) Prune(ctx context.Context, filters ...Filters) (PruneReport, error) {
	f, err := atMostOne("Images.Prune", filters)
	if err != nil {
		return PruneReport{}, err
	}
	return s.cli.e.ImagePrune(ctx, f)
}

// Pull pulls an image and returns it: always, unless PullOptions.Policy says
// otherwise. Progress is one total over all layers. Credentials come from PullOptions.Auth, else from
// Docker's and Podman's configuration files and credential helpers.
func (s *Images) Pull(ctx context.Context, ref string, opts ...PullOptions) (*Image, error) {
	o, err := atMostOne("Images.Pull", opts)
	if err != nil {
		return nil, err
	}
	if o.Policy == "" {
		o.Policy = engine.PullAlways
	}
	id, err := s.cli.pullImage(ctx, ref, o)
	if err != nil {
		return nil, err
	}
	i := s.cli.image(id, ref)
	if err := i.Reload(ctx); err != nil {
		return nil, fmt.Errorf("pull image %s: %w", ref, err)
	}
	return i, nil
}

// Pulling is Pull as an iterator over its progress, with the error, if there is one,
// at the end. Nothing is pulled unless it is iterated over; leaving the loop
// gives the pull up. It is single use.
func (s *Images) Pulling(ctx context.Context, ref string, opts ...PullOptions) iter.Seq2[PullProgress, error] {
	o, err := atMostOne("Images.Pulling", opts)
	if err != nil {
		return failed[PullProgress](err)
	}
	return func(yield func(PullProgress, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		progress := make(chan PullProgress)
		pulled := make(chan error, 1)
		report := o.Progress
		o := o
		o.Progress = func(p PullProgress) {
			if report != nil {
				report(p)
			}
			select {
			case progress <- p:
			case <-ctx.Done():
			}
		}
		go func() {
			_, err := s.Pull(ctx, ref, o)
			pulled <- err
		}()
		for {
			select {
			case p := <-progress:
				if !yield(p, nil) {
					cancel()
					<-pulled
					return
				}
			case err := <-pulled:
				if err != nil {
					yield(PullProgress{}, err)
				}
				return
			}
		}
	}
}

// Push pushes an image to the registry that its name says. Credentials are found as in Pull.
func (s *Images) Push(ctx context.Context, ref string, opts ...PushOptions) error {
	o, err := atMostOne("Images.Push", opts)
	if err == nil {
		err = checkName("Images.Push", ref)
	}
	if err != nil {
		return err
	}
	var lookup error
	if o.Auth == nil {
		o.Auth, lookup = s.cli.auth(ctx, ref)
		if ctx.Err() != nil {
			return contextError(ctx)
		}
	}
	err = s.cli.e.ImagePush(ctx, ref, o)
	if err != nil && lookup != nil {
		err = fmt.Errorf("%w (credentials: %w)", err, lookup)
	}
	return err
}

// Load makes the images of a docker-archive or oci-archive, which is streamed.
func (s *Images) Load(ctx context.Context, tar io.Reader) ([]*Image, error) {
	if tar == nil {
		return nil, &InvalidError{Option: "Images.Load", Reason: "the archive is nil"}
	}
	refs, err := s.cli.e.ImageLoad(ctx, tar)
	if err != nil {
		return nil, err
	}
	list := make([]*Image, 0, len(refs))
	for _, ref := range refs {
		i, err := s.Get(ctx, ref)
		if err != nil {
			return list, fmt.Errorf("load images: %w", err)
		}
		list = append(list, i)
	}
	return list, nil
}

// Save streams the images as one docker-archive, or as SaveOptions.Format says.
// The caller closes the reader; ctx governs it until then.
func (s *Images) Save(ctx context.Context, refs []string, opts ...SaveOptions) (io.ReadCloser, error) {
	o, err := atMostOne("Images.Save", opts)
	if err != nil {
		return nil, err
	}
	if len(refs) == 0 {
		return nil, &InvalidError{Option: "Images.Save", Reason: "no images"}
	}
	for _, ref := range refs {
		if err := checkName("Images.Save", ref); err != nil {
			return nil, err
		}
	}
	return s.cli.e.ImageSave(ctx, refs, o)
}

// Import makes an image of the tar of a root file system, which is streamed.
func (s *Images) Import(ctx context.Context, tar io.Reader, opts ...ImportOptions) (*Image, error) {
	o, err := atMostOne("Images.Import", opts)
	if err != nil {
		return nil, err
	}
	if tar == nil {
		return nil, &InvalidError{Option: "Images.Import", Reason: "the tar is nil"}
	}
	id, err := s.cli.e.ImageImport(ctx, tar, o)
	if err != nil {
		return nil, err
	}
	i := s.cli.image(id, o.Reference)
	if err := i.Reload(ctx); err != nil {
		return nil, fmt.Errorf("import image: %w", err)
	}
	return i, nil
}
