package podman

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/registryauth"
	"github.com/berthdev/berth/internal/wire"
)

// ImagePull implements [engine.Images]. A name without a registry is Docker Hub's, as on Docker, whatever registries the engine is configured to search; but an image that is
// here is found by the engine's own rules, where the policy allows it.
func (e *Engine) ImagePull(ctx context.Context, ref string, opts engine.PullOptions) (string, error) {
	o := op{"pull image", ref}
	name, err := registryauth.ParseReference(ref)
	switch opts.Policy {
	case "", engine.PullAlways, engine.PullNewer:
	case engine.PullMissing, engine.PullNever:
		id, found, ferr := e.localImage(ctx, ref, opts.Platform)
		if ferr != nil || found {
			return id, ferr
		}
		if opts.Policy == engine.PullNever {
			return "", &engine.APIError{Engine: Name, Op: o.verb, Object: ref, Message: "it is not there, and the policy is never to pull", Kind: engine.ErrImageNotFound}
		}
	default:
		return "", &engine.InvalidError{Option: "PullOptions.Policy", Value: string(opts.Policy), Reason: "want missing, always, never or newer"}
	}
	if err != nil {
		return "", &engine.InvalidError{Option: "image", Value: ref, Err: err}
	}
	query := url.Values{"reference": {name.String()}, "policy": {"always"}}
	if opts.Policy == engine.PullNewer {
		query.Set("policy", "newer")
	}
	if opts.AllTags {
		if name.Tag != "" || name.Digest != "" {
			return "", &engine.InvalidError{Option: "PullOptions.AllTags", Value: "true", Reason: "the reference has a tag or a digest"}
		}
		query.Set("allTags", "true")
	}
	if err := setPlatform(query, opts.Platform); err != nil {
		return "", err
	}
	if opts.TLSVerify != nil {
		query.Set("tlsVerify", boolean(*opts.TLSVerify))
	}
	header, err := e.authHeader("PullOptions.Auth", opts.Auth)
	if err != nil {
		return "", err
	}
	r := wire.Request{Method: http.MethodPost, Path: "/images/pull", Query: query, Header: header}
	if opts.Progress != nil && e.version >= vCompatPull && opts.Policy != engine.PullNewer && !opts.AllTags {
		query.Set("compatMode", "true")
	}
	id, err := e.transfer(ctx, o, r, opts.Progress)
	if err != nil || id != "" {
		return imageID(id), err
	}
	img, err := e.ImageInspect(ctx, name.String())
	if err != nil {
		return "", err
	}
	return img.ID, nil
}

func setPlatform(query url.Values, platform string) error {
	if platform == "" {
		return nil
	}
	p, err := engine.ParsePlatform(platform)
	if err != nil {
		return err
	}
	for key, value := range map[string]string{"OS": p.OS, "Arch": p.Arch, "Variant": p.Variant} {
		if value != "" {
			query.Set(key, value)
		}
	}
	return nil
}

// localImage looks for an image here; one for another platform than the one that is wanted is not it.
func (e *Engine) localImage(ctx context.Context, ref, platform string) (id string, found bool, err error) {
	img, err := e.ImageInspect(ctx, ref)
	if isNotFound(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	if platform != "" {
		p, err := engine.ParsePlatform(platform)
		if err != nil {
			return "", false, err
		}
		if p.OS != "" && p.OS != img.OS || p.Arch != "" && p.Arch != img.Architecture || p.Variant != "" && img.Variant != "" && p.Variant != img.Variant {
			return "", false, nil
		}
	}
	return img.ID, true, nil
}

// authHeader is the header that carries credentials: JSON in URL-safe base64.
func (e *Engine) authHeader(option string, auth *engine.RegistryAuth) (http.Header, error) {
	if auth == nil || auth.IsZero() {
		return nil, nil
	}
	if auth.RegistryToken != "" {
		return nil, e.unsupported(option, "", "Podman takes no registry tokens")
	}
	b, err := json.Marshal(auth)
	if err != nil {
		return nil, err
	}
	return http.Header{"X-Registry-Auth": {base64.URLEncoding.EncodeToString(b)}}, nil
}

// ImagePush implements [engine.Images].
func (e *Engine) ImagePush(ctx context.Context, ref string, opts engine.PushOptions) error {
	if opts.AllTags {
		return e.unsupported("PushOptions.AllTags", "true", "Podman pushes one name at a time")
	}
	name, err := registryauth.ParseReference(ref)
	if err != nil {
		return &engine.InvalidError{Option: "image", Value: ref, Err: err}
	}
	path, err := imagePath(ref, "/push")
	if err != nil {
		return err
	}
	// Errors of a push that is quiet have the wrong status; one that is not is answered as a pull is, since 4.0.
	query := url.Values{"quiet": {"false"}, "destination": {name.String()}}
	if opts.TLSVerify != nil {
		query.Set("tlsVerify", boolean(*opts.TLSVerify))
	}
	header, err := e.authHeader("PushOptions.Auth", opts.Auth)
	if err != nil {
		return err
	}
	_, err = e.transfer(ctx, op{"push image", ref}, wire.Request{Method: http.MethodPost, Path: path, Query: query, Header: header}, opts.Progress)
	return err
}

// wireProgress is a line of what a pull or push answers: Podman's own, or Docker's.
type wireProgress struct {
	Stream string `json:"stream"`
	Error  string `json:"error"`
	ID     string `json:"id"` // of the image in Podman's last line; of a layer in Docker's

	Images []string `json:"images"`

	Status         string `json:"status"`
	ProgressDetail *struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
	ErrorDetail *struct {
		Message string `json:"message"`
	} `json:"errorDetail"`

	Cause   string `json:"cause"`
	Message string `json:"message"`
}

// failure is the error in a line, if it is one.
func (w *wireProgress) failure() string {
	switch {
	case w.ErrorDetail != nil && w.ErrorDetail.Message != "":
		return w.ErrorDetail.Message
	case w.Error != "":
		return w.Error
	}
	return w.Message
}

// transfer sends a request that is answered with a stream of progress, and returns the ID that it ends with, if there is one. An answer of 200 says nothing of success: an error is a line of it.
func (e *Engine) transfer(ctx context.Context, o op, r wire.Request, report func(engine.PullProgress)) (id string, err error) {
	resp, err := e.stream(ctx, o, r)
	if err != nil {
		return "", imageNotFound(err)
	}
	defer resp.Body.Close()
	var l layers
	for w, err := range wire.Values[wireProgress](resp.Body) {
		if err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) || ctx.Err() == nil {
				return "", e.fail(o, err)
			}
			return "", e.fail(o, contextError(ctx))
		}
		if text := w.failure(); text != "" {
			return "", answerError(o, 0, w.Cause, text)
		}
		if len(w.Images) > 0 && w.ID != "" {
			id = w.ID
			continue
		}
		p, ok := l.add(&w)
		if ok && report != nil {
			report(p)
		}
	}
	return id, nil
}

// layers adds the progress of the layers of an image up to one total.
type layers struct {
	byID map[string]*layer
	sum  engine.PullProgress
}

type layer struct {
	current, total int64
	done           bool
}

// add takes in one line and returns the total; ok is false for a line that tells nothing.
func (l *layers) add(w *wireProgress) (p engine.PullProgress, ok bool) {
	if w.Status == "" { // Podman's own words: "Copying blob sha256:…\n"
		l.sum.Status, l.sum.ID = strings.TrimSpace(w.Stream), ""
		if id, ok := strings.CutPrefix(l.sum.Status, "Copying blob "); ok {
			l.sum.ID = id
			l.layer(id)
		}
		return l.sum, l.sum.Status != ""
	}
	l.sum.Status, l.sum.ID = w.Status, w.ID
	moving, done := w.Status == "Downloading" || w.Status == "Pulling fs layer", w.Status == "Download complete" || w.Status == "Pull complete" || w.Status == "Already exists"
	if w.ID == "" || !moving && !done {
		return l.sum, true
	}
	y := l.layer(w.ID)
	current, total := y.current, y.total
	if d := w.ProgressDetail; d != nil && d.Total > 0 {
		current, total = max(current, d.Current), d.Total
	}
	if done {
		current = total
		if !y.done {
			y.done = true
			l.sum.Done++
		}
	}
	l.sum.Current += current - y.current
	l.sum.Total += total - y.total
	y.current, y.total = current, total
	return l.sum, true
}

// layer finds a layer, or begins to count it.
func (l *layers) layer(id string) *layer {
	if y := l.byID[id]; y != nil {
		return y
	}
	if l.byID == nil {
		l.byID = map[string]*layer{}
	}
	y := &layer{}
	l.byID[id] = y
	l.sum.Layers++
	return y
}
