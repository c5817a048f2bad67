package requests

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEndpoint(t *testing.T) {
	for path, want := range map[string]string{
		"/v1.51/containers/create":                                      "/containers/create",
		"/v5.8.2/libpod/containers/json":                                "/containers/json",
		"/v1.51/containers/0123/json":                                   "/containers/{id}/json",
		"/v1.51/containers/0123":                                        "/containers/{id}",
		"/v1.51/containers/create/json":                                 "/containers/{id}/json",
		"/v1.51/containers/a/attach/ws":                                 "/containers/{id}/attach/ws",
		"/v1.51/images/docker.io/library/busybox:latest/json":           "/images/{id}/json",
		"/v5.8.2/libpod/images/docker.io%2Flibrary%2Fbusybox:1/history": "/images/{id}/history",
		"/v1.51/exec/0123/start":                                        "/exec/{id}/start",
		"/v1.51/info":                                                   "/info",
		"/_ping":                                                        "/_ping",
	} {
		if got := endpoint(path); got != want {
			t.Errorf("endpoint(%q) is %q, want %q", path, got, want)
		}
	}
}

func TestRefreshed(t *testing.T) {
	const inspect = "GET /containers/{id}/json"
	for _, test := range []struct{ list, without, want []string }{
		{[]string{"POST /a", inspect}, []string{"POST /a"}, []string{"POST /a", inspect + refreshMark}},
		{[]string{inspect, "POST /a", inspect}, []string{inspect, "POST /a"}, []string{inspect, "POST /a", inspect + refreshMark}},
		{[]string{"POST /a"}, []string{"POST /a"}, []string{"POST /a"}},
		{nil, nil, nil},
	} {
		if diff := cmp.Diff(test.want, refreshed(test.list, test.without)); diff != "" {
			t.Errorf("%v without %v:\n%s", test.list, test.without, diff)
		}
	}
}

func TestSqueeze(t *testing.T) {
	if diff := cmp.Diff([]string{"a", "b", "a"}, squeeze([]string{"a", "a", "b", "a"})); diff != "" {
		t.Error(diff)
	}
}
