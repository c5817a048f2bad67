package embedded

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/berthdev/berth/embedded/internal/image"
	"github.com/berthdev/berth/engine"
)

// ImagePull implements [engine.Images].
func (e *Engine) ImagePull(ctx context.Context, ref string, opts engine.PullOptions) (string, error) {
	const op = "pull image"
	switch opts.Policy {
	case "", engine.PullAlways, engine.PullNewer:
	case engine.PullMissing, engine.PullNever:
		id, err := e.localImage(op, ref, opts.Platform)
		if err == nil || opts.Policy == engine.PullNever || !errors.Is(err, engine.ErrNotFound) {
			return id, because(ctx, op, ref, err)
		}
	default:
		return "", &engine.InvalidError{Option: "PullOptions.Policy", Value: string(opts.Policy), Reason: "none of missing, always, never, newer"}
	}
	img, err := e.images.Pull(ctx, ref, image.PullOptions{
		Platform: opts.Platform, AllTags: opts.AllTags, Auth: opts.Auth,
		Insecure: opts.TLSVerify != nil && !*opts.TLSVerify, Progress: opts.Progress,
	})
	if err != nil {
		if opts.Policy == engine.PullNewer && ctx.Err() == nil && image.Unreachable(err) {
			if id, here := e.localImage(op, ref, opts.Platform); here == nil {
				return id, nil
			}
		}
		return "", because(ctx, op, ref, err)
	}
	e.imageEvent("pull", img.ID, map[string]string{"name": ref})
	return img.ID, nil
}

// localImage is the ID of an image of the store, for that platform if one is given.
func (e *Engine) localImage(op, ref, platform string) (string, error) {
	img, err := e.images.Resolve(ref)
	if err != nil {
		return "", err
	}
	return img.ID, checkPlatform(op, ref, img, platform)
}

// checkPlatform is an ErrImageNotFound for an image of another platform than the
// one that is asked for, "" for any.
func checkPlatform(op, ref string, img *image.Image, platform string) error {
	if platform == "" {
		return nil
	}
	want, err := engine.ParsePlatform(platform)
	if err != nil {
		return err
	}
	c := img.Config
	if want.OS != "" && !strings.EqualFold(want.OS, c.OS) || want.Arch != "" && !strings.EqualFold(want.Arch, c.Architecture) ||
		want.Variant != "" && c.Variant != "" && !strings.EqualFold(want.Variant, c.Variant) {
		return fail(op, ref, engine.ErrImageNotFound, "the image is here for %s, not for %s", platformOf(img), platform)
	}
	return nil
}

// platformOf is os/arch[/variant].
func platformOf(img *image.Image) string {
	p := fmt.Sprintf("%s/%s", img.Config.OS, img.Config.Architecture)
	if img.Config.Variant != "" {
		p += "/" + img.Config.Variant
	}
	return p
}

// ImagePush implements [engine.Images].
func (e *Engine) ImagePush(ctx context.Context, ref string, opts engine.PushOptions) error {
	err := e.images.Push(ctx, ref, image.PushOptions{
		AllTags: opts.AllTags, Auth: opts.Auth,
		Insecure: opts.TLSVerify != nil && !*opts.TLSVerify, Progress: opts.Progress,
	})
	if err != nil {
		return because(ctx, "push image", ref, err)
	}
	e.imageEvent("push", ref, nil)
	return nil
}
