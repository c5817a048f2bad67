//go:build linux

package image

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/berthdev/berth/engine"
)

// A registry sends to a token server, which wants credentials and gives what they are good for.
func TestBearer(t *testing.T) {
	f, s := startRegistry(t), open(t)
	var scopes []string
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/token" {
			user, password, _ := r.BasicAuth()
			r.ParseForm()
			if user != "u" || password != "p" {
				w.WriteHeader(http.StatusUnauthorized)
				return true
			}
			scopes = append(scopes, strings.Join(r.Form["scope"], ","))
			io.WriteString(w, `{"token":"secret"}`)
			return true
		}
		if r.Header.Get("Authorization") == "Bearer secret" {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+f.host+`/token",service="test"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}
	auth := &engine.RegistryAuth{Username: "u", Password: "p"}
	ref := f.host + "/some/img"
	img := imported(t, s, ref, "a", "1")
	if err := s.Push(t.Context(), ref, PushOptions{Auth: auth}); err != nil {
		t.Fatal(err)
	}
	into := open(t)
	if got, err := into.Pull(t.Context(), ref, PullOptions{Auth: auth}); err != nil || got.ID != img.ID {
		t.Fatal(err)
	}
	if len(scopes) != 2 || scopes[0] != "repository:some/img:push,pull" || scopes[1] != "repository:some/img:pull" {
		t.Errorf("scopes are %q", scopes)
	}
	for _, auth := range []*engine.RegistryAuth{nil, {Username: "u", Password: "wrong"}} {
		if _, err := open(t).Pull(t.Context(), ref, PullOptions{Auth: auth}); !errors.Is(err, engine.ErrUnauthorized) {
			t.Errorf("%v: %v", auth, err)
		}
	}
	if _, err := open(t).Pull(t.Context(), ref, PullOptions{Auth: &engine.RegistryAuth{RegistryToken: "secret"}}); err != nil {
		t.Errorf("a token of the caller's: %v", err)
	}
}

// A certificate that nobody vouches for is taken with Insecure only.
func TestUnknownCertificate(t *testing.T) {
	srv := httptest.NewUnstartedServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	ref := strings.TrimPrefix(srv.URL, "https://") + "/img"
	s := open(t)
	imported(t, s, ref, "a", "1")
	if err := s.Push(t.Context(), ref, PushOptions{}); err == nil || !strings.Contains(err.Error(), "certificate") && !strings.Contains(err.Error(), "HTTP") {
		t.Errorf("error is %v", err)
	}
	if err := s.Push(t.Context(), ref, PushOptions{Insecure: true}); err != nil {
		t.Error(err)
	}
	if _, err := open(t).Pull(t.Context(), ref, PullOptions{Insecure: true}); err != nil {
		t.Error(err)
	}
}
