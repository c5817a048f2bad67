package registryauth

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestParseReference(t *testing.T) {
	hub := func(repository, tag, digest string) Reference {
		return Reference{"docker.io", repository, tag, digest}
	}
	for image, want := range map[string]Reference{
		"busybox":                            hub("library/busybox", "", ""),
		"busybox:1.36":                       hub("library/busybox", "1.36", ""),
		"docker.io/busybox":                  hub("library/busybox", "", ""),
		"index.docker.io/busybox":            hub("library/busybox", "", ""),
		"docker.io/library/busybox:latest":   hub("library/busybox", "latest", ""),
		"user/app":                           hub("user/app", "", ""),
		"user/app@" + digest:                 hub("user/app", "", digest),
		"user/app:v1@" + digest:              hub("user/app", "v1", digest),
		"a/b/c/d":                            hub("a/b/c/d", "", ""),
		"a__b/c---d/e.f_g":                   hub("a__b/c---d/e.f_g", "", ""),
		"localhost":                          hub("library/localhost", "", ""),
		"localhost/app":                      {"localhost", "app", "", ""},
		"localhost:5000/app:1":               {"localhost:5000", "app", "1", ""},
		"192.0.2.1:5000/app":                 {"192.0.2.1:5000", "app", "", ""},
		"quay.io/podman/hello":               {"quay.io", "podman/hello", "", ""},
		"[fd00::1]:5000/app:1":               {"[fd00::1]:5000", "app", "1", ""},
		"[::1]/app":                          {"[::1]", "app", "", ""},
		"Host/app":                           {"Host", "app", "", ""},
		"gcr.io/a/b/c:_x.Y-1":                {"gcr.io", "a/b/c", "_x.Y-1", ""},
		"host:80/a@sha512:" + hexes(128):     {"host:80", "a", "", "sha512:" + hexes(128)},
		"a@other+x:" + hexes(32):             hub("library/a", "", "other+x:"+hexes(32)),
		"registry.example.com:443/x/y:1.2.3": {"registry.example.com:443", "x/y", "1.2.3", ""},
	} {
		got, err := ParseReference(image)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("ParseReference(%q): %v\n%s", image, err, diff)
		}
		host, repository, last := RegistryOf(image)
		wantLast := want.Digest
		if wantLast == "" {
			wantLast = want.Tag
		}
		if host != want.Host || repository != want.Repository || last != wantLast {
			t.Errorf("RegistryOf(%q) = %q, %q, %q", image, host, repository, last)
		}
	}
}

func hexes(n int) string { return strings.Repeat("a", n) }

func TestParseReferenceErrors(t *testing.T) {
	for image, say := range map[string]string{
		"":                            "empty",
		hexes(64):                     "image ID",
		"Busybox":                     "lower case",
		"user/App":                    "lower case",
		"quay.io/App":                 "lower case",
		"busybox:":                    "tag is empty",
		"busybox:@" + digest:          "tag is empty",
		"busybox:-x":                  "valid tag",
		"busybox:.x":                  "valid tag",
		"busybox:a b":                 "valid tag",
		"busybox:" + hexes(129):       "valid tag",
		"busybox@":                    "valid digest",
		"busybox@sha256":              "valid digest",
		"busybox@sha256:abc":          "valid digest",
		"busybox@sha256:" + hexes(65): "valid digest",
		"busybox@sha384:" + hexes(64): "valid digest",
		"busybox@x:" + hexes(31):      "valid digest",
		"busybox@1x:" + hexes(32):     "valid digest",
		"busybox@é:" + hexes(32):      "valid digest",
		"busybox@sha256:" + strings.Repeat("g", 64): "valid digest",
		"a@b@" + digest:         "valid digest",
		"/busybox":              "valid part",
		"busybox/":              "valid part",
		"a//b":                  "valid part",
		"a/../b":                "valid part",
		"quay.io/":              "valid part",
		"-a":                    "valid part",
		"a-":                    "valid part",
		"a..b":                  "valid part",
		"a___b":                 "valid part",
		"a._b":                  "valid part",
		"a b":                   "valid part",
		"é":                     "valid part",
		"a\n":                   "valid part",
		"http://quay.io/a":      "registry",
		"-h.io/a":               "registry",
		"h-.io/a":               "registry",
		"h..io/a":               "registry",
		"h.io:/a":               "registry",
		"h.io:x/a":              "registry",
		"h.io:99999/a":          "registry",
		"[::1/a":                "registry",
		"[1.2.3.4]:1/a":         "registry",
		"[::1]x:1/a":            "registry",
		"[fe80::1%eth0]:1/a":    "registry",
		"h_h.io/a":              "registry",
		"quay.io/" + hexes(256): "255",
	} {
		if got, err := ParseReference(image); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("ParseReference(%q) = %+v, %v; want an error with %q", image, got, err, say)
		}
	}
}

func FuzzParseReference(f *testing.F) {
	for _, s := range []string{"busybox", "quay.io/a/b:c", "a@" + digest, "[::1]:5/a:b", "A/b", "index.docker.io/x", ":", "@", "/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, image string) {
		host, repository, _ := RegistryOf(image)
		if host == "" && repository == "" {
			t.Errorf("RegistryOf(%q) is empty", image)
		}
		r, err := ParseReference(image)
		if err != nil {
			return
		}
		again, err := ParseReference(r.String())
		if err != nil || again != r {
			t.Errorf("%q -> %q -> %+v, %v", image, r, again, err)
		}
		if strings.ContainsAny(r.String(), " \t\n?#%\\") {
			t.Errorf("%q was accepted", image)
		}
	})
}
