package berth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/registryauth"
)

// pullImage makes an image available as o.Policy says ("" is PullMissing) and
// returns its ID. Credentials that are not given are looked up.
func (cli *Client) pullImage(ctx context.Context, ref string, o engine.PullOptions) (string, error) {
	if err := checkName("pull image", ref); err != nil {
		return "", err
	}
	switch o.Policy {
	case "", engine.PullMissing, engine.PullNever:
		id, err := cli.imagePresent(ctx, ref, o.Platform)
		if err == nil || o.Policy == engine.PullNever || !errors.Is(err, engine.ErrNotFound) {
			return id, err
		}
	case engine.PullAlways, engine.PullNewer:
	default:
		return "", &engine.InvalidError{Option: "pull policy", Value: string(o.Policy), Reason: "not missing, always, never or newer"}
	}
	id, err := cli.pullNow(ctx, ref, o)
	if err == nil || o.Policy != engine.PullNewer || ctx.Err() != nil {
		return id, err
	}
	present, perr := cli.imagePresent(ctx, ref, o.Platform)
	if perr != nil {
		return "", err
	}
	cli.log.InfoContext(ctx, "look for a newer image: using the one that is there", "image", ref, "error", err)
	return present, nil
}

// imagePresent is the ID of an image that the engine has, for that platform if
// one is given; else the error is an ErrImageNotFound.
func (cli *Client) imagePresent(ctx context.Context, ref, platform string) (string, error) {
	attrs, err := cli.e.ImageInspect(ctx, ref)
	if err != nil {
		return "", err
	}
	if platform == "" {
		return attrs.ID, nil
	}
	want, err := engine.ParsePlatform(platform)
	if err != nil {
		return "", err
	}
	if want.OS != "" && !strings.EqualFold(want.OS, attrs.OS) ||
		want.Arch != "" && !strings.EqualFold(want.Arch, attrs.Architecture) ||
		want.Variant != "" && attrs.Variant != "" && !strings.EqualFold(want.Variant, attrs.Variant) {
		have := strings.TrimSuffix(attrs.OS+"/"+attrs.Architecture+"/"+attrs.Variant, "/")
		return "", fmt.Errorf("image %s for %s: %w: it is here for %s", ref, platform, engine.ErrImageNotFound, have)
	}
	return attrs.ID, nil
}

// pullNow pulls, whatever is there already.
func (cli *Client) pullNow(ctx context.Context, ref string, o engine.PullOptions) (string, error) {
	o.Policy = engine.PullAlways
	var lookup error
	if o.Auth == nil {
		o.Auth, lookup = cli.auth(ctx, ref)
		if ctx.Err() != nil {
			return "", contextError(ctx)
		}
	}
	id, err := cli.e.ImagePull(ctx, ref, o)
	if err != nil && lookup != nil {
		err = fmt.Errorf("%w (credentials: %w)", err, lookup)
	}
	return id, err
}

// auth looks the credentials for an image's registry up, nil when there are none.
// What went wrong with that is no failure yet: the registry may not ask for any.
func (cli *Client) auth(ctx context.Context, ref string) (*engine.RegistryAuth, error) {
	c, found, err := registryauth.Lookup(ctx, cli.env, ref)
	if err != nil && ctx.Err() == nil {
		cli.log.WarnContext(ctx, "look up credentials", "image", ref, "error", err)
	}
	if !found {
		return nil, err
	}
	return &engine.RegistryAuth{
		Username: c.Username, Password: c.Password, IdentityToken: c.IdentityToken,
		RegistryToken: c.RegistryToken, ServerAddress: c.ServerAddress,
	}, err
}
