package registryauth

import (
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth/internal/clientconfig"
	"github.com/google/go-cmp/cmp"
)

func TestBest(t *testing.T) {
	for _, tt := range []struct {
		image  string
		podman bool
		keys   []string
		want   []string
	}{
		{"busybox", false,
			[]string{"docker.io", "index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1/", "index.docker.io/v1/", "http://docker.io", "quay.io", "notdocker.io"},
			[]string{"https://index.docker.io/v1/", "docker.io", "http://docker.io", "index.docker.io", "index.docker.io/v1/", "registry-1.docker.io"}},
		{"quay.io/a/b/c:1", true,
			[]string{"quay.io", "quay.io/a", "quay.io/a/b", "quay.io/a/b/c", "quay.io/a/b/c/d", "quay.io/ab", "https://quay.io/x"},
			[]string{"quay.io/a/b/c", "quay.io/a/b", "quay.io/a", "quay.io", "https://quay.io/x"}},
		{"quay.io/a/b", false,
			[]string{"quay.io/other", "https://quay.io/v2/", "quay.io"},
			[]string{"quay.io", "https://quay.io/v2/", "quay.io/other"}},
		{"localhost:5000/a", false,
			[]string{"localhost", "localhost:5001", "http://LOCALHOST:5000/v2/", "localhost:5000"},
			[]string{"localhost:5000", "http://LOCALHOST:5000/v2/"}},
		{"docker.io/user/app", true,
			[]string{"docker.io/user", "docker.io/use", "docker.io"},
			[]string{"docker.io/user", "docker.io"}},
	} {
		m := make(map[string]int)
		for _, key := range tt.keys {
			m[key] = 0
		}
		if diff := cmp.Diff(tt.want, best(targetOf(tt.image), m, tt.podman)); diff != "" {
			t.Errorf("%s (podman %v): %s", tt.image, tt.podman, diff)
		}
	}
}

func TestDecodeEntry(t *testing.T) {
	for _, tt := range []struct {
		entry clientconfig.Auth
		want  Credentials
	}{
		{clientconfig.Auth{}, Credentials{}},
		{clientconfig.Auth{Auth: "dTpw"}, Credentials{Username: "u", Password: "p"}},
		{clientconfig.Auth{Auth: " dTpw\n"}, Credentials{Username: "u", Password: "p"}},
		{clientconfig.Auth{Auth: "dTpwdw=="}, Credentials{Username: "u", Password: "pw"}},
		{clientconfig.Auth{Auth: "dTpwdw"}, Credentials{Username: "u", Password: "pw"}},    // no padding
		{clientconfig.Auth{Auth: "dTpwOnE="}, Credentials{Username: "u", Password: "p:q"}}, // colon in the password
		{clientconfig.Auth{Auth: "dTpwAAA="}, Credentials{Username: "u", Password: "p"}},   // NULs after it
		{clientconfig.Auth{Auth: "dTo="}, Credentials{Username: "u"}},                      // no password
		{clientconfig.Auth{Auth: "dTpw", Username: "x"}, Credentials{Username: "u", Password: "p"}},
		{clientconfig.Auth{Username: "u", Password: "p"}, Credentials{Username: "u", Password: "p"}},
		{clientconfig.Auth{Auth: "dTo=", IdentityToken: "t"}, Credentials{Username: "u", IdentityToken: "t"}},
		{clientconfig.Auth{Auth: "Og==", IdentityToken: "t"}, Credentials{IdentityToken: "t"}},
		{clientconfig.Auth{RegistryToken: "t"}, Credentials{RegistryToken: "t"}},
	} {
		tt.want.ServerAddress = "h"
		got, err := decodeEntry(tt.entry, "h")
		if got != tt.want || err != nil {
			t.Errorf("decodeEntry(%+v) = %#v, %v", tt.entry, got, err)
		}
	}
	for _, auth := range []string{"!", "dQ==", "OnA=", "dTpw=x", "c2VjcmV0"} {
		_, err := decodeEntry(clientconfig.Auth{Auth: auth}, "h")
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "c2VjcmV0") {
			t.Errorf("decodeEntry(%q): %v", auth, err)
		}
	}
}

func FuzzAuthEntry(f *testing.F) {
	for _, s := range []string{"dTpw", "dTpwdw", "", "====", "OnA=", "quay.io/a", "https://index.docker.io/v1/", "[::1]:5"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, key, auth string) {
		c, err := decodeEntry(clientconfig.Auth{Auth: auth}, "server")
		if err == nil && strings.TrimRight(strings.TrimSpace(auth), "=") != "" && c.Username == "" {
			t.Errorf("auth %q: no user and no error", auth)
		}
		if err != nil && c != (Credentials{}) {
			t.Errorf("auth %q: credentials with an error", auth)
		}
		// A key always fits the registry that it names.
		host, namespace := canonical(key)
		tg := target{host, namespace}
		if tg.match(key, true) == noMatch || !slices.Contains(best(tg, map[string]int{key: 0}, false), key) {
			t.Errorf("key %q does not fit %+v", key, tg)
		}
		if again := serverOf(serverOf(key)); again != serverOf(key) {
			t.Errorf("serverOf(%q) = %q, again %q", key, serverOf(key), again)
		}
	})
}
