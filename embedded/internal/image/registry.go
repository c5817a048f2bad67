//go:build linux

package image

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/registryauth"
)

// remoteRepo is a repository of a registry, for the time of one call.
type remoteRepo struct {
	repo   name.Repository
	base   *http.Transport
	plain  http.RoundTripper // without credentials, with retries
	auth   authn.Authenticator
	client *http.Client // authorised for this repository
}

// dial finds out how the registry of a reference is spoken to. from are
// repositories of which those of the same registry are to be read too. The caller closes it.
func dial(ctx context.Context, ref registryauth.Reference, auth *engine.RegistryAuth, insecure bool, scope string, from map[string]bool) (*remoteRepo, error) {
	host := ref.Host
	if host == "docker.io" {
		host = name.DefaultRegistry
	}
	var opts []name.Option
	if insecure {
		opts = append(opts, name.Insecure)
	}
	repo, err := name.NewRepository(host+"/"+ref.Repository, opts...)
	if err != nil {
		return nil, &engine.InvalidError{Option: "image", Value: ref.String(), Err: err}
	}
	r := &remoteRepo{repo: repo, auth: authenticator(auth)}
	r.base = &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   fetchers + 1,
		ExpectContinueTimeout: time.Second,
	}
	if insecure {
		r.base.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	}
	r.plain = transport.NewRetry(&secured{inner: r.base, registry: repo.RegistryStr(), plainHTTP: insecure || isLoopback(repo.RegistryStr())})
	scopes := []string{repo.Scope(scope)}
	for other := range from {
		if o, err := name.NewRepository(other); err == nil && o.RegistryStr() == repo.RegistryStr() && o.RepositoryStr() != repo.RepositoryStr() {
			scopes = insert(scopes, o.Scope(transport.PullScope))
		}
	}
	tr, err := transport.NewWithContext(ctx, repo.Registry, r.auth, r.plain, scopes)
	if err != nil {
		r.close()
		return nil, err
	}
	r.client = &http.Client{Transport: tr}
	return r, nil
}

func (r *remoteRepo) close() { r.base.CloseIdleConnections() }

// url is an address in the repository. The transport puts the right scheme.
func (r *remoteRepo) url(kind, id string) string {
	return fmt.Sprintf("%s://%s/v2/%s/%s/%s", r.repo.Scheme(), r.repo.RegistryStr(), r.repo.RepositoryStr(), kind, id)
}

// get asks for something in the repository; another status than want is an error.
func (r *remoteRepo) get(ctx context.Context, method, url string, header http.Header, want ...int) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, header)
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	if err := transport.CheckError(resp, want...); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// manifest fetches a manifest by tag or digest, and its digest. By digest it is verified.
func (r *remoteRepo) manifest(ctx context.Context, tagOrDigest string) (data []byte, digest string, err error) {
	accept := strings.Join([]string{ociIndex, dockerList, ociManifest, dockerManifest}, ", ")
	resp, err := r.get(ctx, http.MethodGet, r.url("manifests", tagOrDigest), http.Header{"Accept": {accept}}, http.StatusOK)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	data, err = io.ReadAll(io.LimitReader(resp.Body, maxConfig+1))
	if err != nil {
		return nil, "", fmt.Errorf("fetch manifest %s: %w", tagOrDigest, err)
	}
	if len(data) > maxConfig {
		return nil, "", fmt.Errorf("manifest %s is longer than %d bytes", tagOrDigest, maxConfig)
	}
	digest = digestOf(data)
	if isDigest(tagOrDigest) && digest != tagOrDigest {
		return nil, "", fmt.Errorf("manifest %s has the digest %s", tagOrDigest, digest)
	}
	return data, digest, nil
}

// authenticator is the library's form of credentials.
func authenticator(a *engine.RegistryAuth) authn.Authenticator {
	if a == nil || a.Username == "" && a.Password == "" && a.IdentityToken == "" && a.RegistryToken == "" {
		return authn.Anonymous
	}
	return authn.FromConfig(authn.AuthConfig{Username: a.Username, Password: a.Password, IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken})
}

// secured refuses plain HTTP to the registry, whatever the library makes of its
// name: it would take it from any private address.
type secured struct {
	inner     http.RoundTripper
	registry  string
	plainHTTP bool
}

func (s *secured) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "http" && !s.plainHTTP {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, fmt.Errorf("registry %s does not speak TLS at %s", s.registry, req.URL.Host)
	}
	return s.inner.RoundTrip(req)
}

// isLoopback tells whether a registry is on this machine: Docker takes plain HTTP from there.
func isLoopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// registryError gives a registry's refusal its kind. Another error is left to whoever made the call.
func registryError(ctx context.Context, op, ref string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return because(ctx, op, ref, err)
	}
	if _, ok := errors.AsType[*engine.APIError](err); ok {
		return err // said already
	}
	t, ok := errors.AsType[*transport.Error](err)
	if !ok {
		return err
	}
	var kind error
	switch t.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		kind = engine.ErrUnauthorized
	case http.StatusNotFound:
		kind = engine.ErrImageNotFound
	case http.StatusBadRequest:
		kind = engine.ErrInvalid
	}
	return &engine.APIError{Engine: "embedded", Op: op, Object: ref, Status: t.StatusCode, Message: cmp.Or(t.Error(), http.StatusText(t.StatusCode)), Kind: kind}
}

// Unreachable tells whether an error of Pull says that the registry gave no answer,
// which is no error for engine.PullNewer when the image is there.
func Unreachable(err error) bool {
	_, ok := errors.AsType[*url.Error](err)
	return ok && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}
