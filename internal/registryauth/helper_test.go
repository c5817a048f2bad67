//go:build unix

package registryauth

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// machine is an Env over real files, for credential helpers that really run.
type machine struct {
	t    *testing.T
	dir  string
	vars map[string]string
}

func newMachine(t *testing.T, config string) *machine {
	m := &machine{t: t, dir: t.TempDir(), vars: make(map[string]string)}
	m.write("home/.docker/config.json", config, 0o600)
	m.write("bin/keep", "", 0o600)
	m.vars["PATH"] = filepath.Join(m.dir, "bin") + ":/usr/bin:/bin"
	return m
}

func (m *machine) write(name, content string, mode os.FileMode) string {
	m.t.Helper()
	file := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		m.t.Fatal(err)
	}
	return file
}

// helper installs a credential helper: a shell script, which finds the server
// in $server, and every call of which is appended to the file "calls".
func (m *machine) helper(suffix, script string) {
	m.t.Helper()
	m.write("bin/docker-credential-"+suffix, `#!/bin/sh
server=$(cat)
echo "$1 $server" >>`+m.dir+`/calls
`+script+"\n", 0o755)
}

func (m *machine) calls() string {
	data, err := os.ReadFile(filepath.Join(m.dir, "calls"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		m.t.Fatal(err)
	}
	return string(data)
}

func (m *machine) env() Env {
	return Env{
		Getenv: func(key string) string { return m.vars[key] },
		Environ: func() []string {
			var l []string
			for k, v := range m.vars {
				l = append(l, k+"="+v)
			}
			return l
		},
		Home:     filepath.Join(m.dir, "home"),
		GOOS:     "linux",
		UID:      4242,
		Stat:     os.Stat,
		ReadFile: os.ReadFile,
		ReadDir:  os.ReadDir,
	}
}

func TestHelper(t *testing.T) {
	m := newMachine(t, `{"credsStore": "store", "credHelpers": {"gcr.io": "gcr", "file.example": "", "index.docker.io": "hub"},
		"auths": {"file.example": {"auth": "ZmlsZTpw"}, "quay.io": {}, "gcr.io": {"auth": "bm9ib2R5OnA="}}}`)
	m.vars["SECRET_FROM_ENV"] = "env"
	m.helper("store", `echo '{"ServerURL":"'$server'","Username":"'$SECRET_FROM_ENV'","Secret":"s"}'`)
	m.helper("gcr", `echo '{"Username":"<token>","Secret":"tok"}'`)
	m.helper("hub", `echo '{"Username":"hub","Secret":"s"}'`)
	for image, want := range map[string]Credentials{
		"quay.io/a":      {Username: "env", Password: "s", ServerAddress: "quay.io"},
		"h:5000/a":       {Username: "env", Password: "s", ServerAddress: "h:5000"},
		"gcr.io/a":       {IdentityToken: "tok", ServerAddress: "gcr.io"},
		"busybox":        {Username: "hub", Password: "s", ServerAddress: "https://index.docker.io/v1/"},
		"file.example/a": {Username: "file", Password: "p", ServerAddress: "file.example"},
	} {
		c, found, err := Lookup(t.Context(), m.env(), image)
		if c != want || !found || err != nil {
			t.Errorf("Lookup(%q) = %+v, %v, %v", image, [5]string{c.Username, c.Password, c.IdentityToken, c.RegistryToken, c.ServerAddress}, found, err)
		}
	}
	for _, call := range []string{"get quay.io", "get h:5000", "get gcr.io", "get https://index.docker.io/v1/"} {
		if !strings.Contains(m.calls(), call+"\n") {
			t.Errorf("no call %q in:\n%s", call, m.calls())
		}
	}
	if strings.Contains(m.calls(), "file.example") {
		t.Error("a helper was asked about a registry whose helper is the file")
	}
}

// docker-py #2482: a helper that words "not found" in its own way made pulls of
// public images fail.
func TestHelperWithoutCredentialsIsAnonymous(t *testing.T) {
	for name, script := range map[string]string{
		"docker's own":   `echo "credentials not found in native keychain"; exit 1`,
		"windows":        `echo "Element not found."; exit 1`,
		"macos":          `echo "The specified item could not be found in the keychain."; exit 1`,
		"capitals":       `echo "Credentials Not Found"; exit 2`,
		"on stderr":      `echo "no credentials for this registry" >&2; exit 1`,
		"no such secret": `echo "Error: no such secret"; exit 3`,
		"empty answer":   `echo '{"Username":"","Secret":""}'`,
		"empty object":   `echo '{}'`,
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, `{"credsStore": "x"}`)
			m.helper("x", script)
			c, found, err := Lookup(t.Context(), m.env(), "quay.io/a")
			if found || err != nil || c != (Credentials{}) {
				t.Errorf("Lookup() = %v, %v, %v", c, found, err)
			}
			if m.calls() != "get quay.io\n" {
				t.Errorf("calls: %q", m.calls())
			}
		})
	}
}

func TestMissingHelperIsIgnorable(t *testing.T) {
	for name, install := range map[string]func(*machine){
		"not installed":      func(*machine) {},
		"not executable":     func(m *machine) { m.write("bin/docker-credential-x", "#!/bin/sh\n", 0o644) },
		"of another system":  func(m *machine) { m.write("bin/docker-credential-x", "MZ\x00\x01", 0o755) },
		"no interpreter":     func(m *machine) { m.write("bin/docker-credential-x", "#!/no/such/shell\n", 0o755) },
		"lacks what it runs": func(m *machine) { m.helper("x", `echo 'exec: "pass": executable file not found in $PATH'; exit 1`) },
		"lacks a command":    func(m *machine) { m.helper("x", `echo 'x: pass: command not found' >&2; exit 127`) },
		"not set up":         func(m *machine) { m.helper("x", `echo 'pass store is not initialized'; exit 1`) },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, `{"credsStore": "x"}`)
			install(m)
			_, found, err := Lookup(t.Context(), m.env(), "quay.io/a")
			missing, ok := errors.AsType[*MissingHelperError](err)
			if found || !ok || !Ignorable(err) {
				t.Fatalf("Lookup() = %v, %v", found, err)
			}
			if missing.Helper != "docker-credential-x" || missing.Server != "quay.io" || !strings.HasSuffix(missing.File, "/.docker/config.json") {
				t.Errorf("error = %+v", missing)
			}
			for _, s := range []string{"docker-credential-x", "config.json", "quay.io"} {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("error does not say %q: %v", s, err)
				}
			}
		})
	}

	// What the file itself holds is found all the same.
	m := newMachine(t, `{"credsStore": "x", "auths": {"quay.io": {"auth": "dTpw"}}}`)
	if c, found, err := Lookup(t.Context(), m.env(), "quay.io/a"); c.Username != "u" || !found || err != nil {
		t.Errorf("Lookup() = %v, %v, %v", c, found, err)
	}
}

func TestFailingHelper(t *testing.T) {
	for name, tt := range map[string]struct{ script, say string }{
		"locked":       {`echo "the keychain is locked"; exit 1`, "the keychain is locked"},
		"on stderr":    {`echo "panic: oops" >&2; exit 2`, "panic: oops"},
		"silent":       {`exit 1`, "exit status 1"},
		"killed":       {`kill -9 $$`, "killed"},
		"not JSON":     {`echo hello`, "not JSON"},
		"empty":        {`:`, "not JSON"},
		"endless":      {`head -c 3000000 /dev/zero`, "too long"},
		"long message": {`head -c 5000 /dev/zero | tr '\0' x; exit 1`, "…"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, `{"credsStore": "x"}`)
			m.helper("x", tt.script)
			_, found, err := Lookup(t.Context(), m.env(), "quay.io/a")
			if _, ok := errors.AsType[*HelperError](err); !ok || found || Ignorable(err) {
				t.Fatalf("Lookup() = %v, %v", found, err)
			}
			if !strings.Contains(err.Error(), tt.say) || !strings.Contains(err.Error(), "docker-credential-x") || len(err.Error()) > 500 {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestCancelledHelper(t *testing.T) {
	m := newMachine(t, `{"credsStore": "x"}`)
	started, hold := filepath.Join(m.dir, "started"), filepath.Join(m.dir, "hold")
	if err := syscall.Mkfifo(hold, 0o600); err != nil {
		t.Fatal(err)
	}
	// A child of the helper's keeps its output open until the end of the test.
	m.helper("x", `echo >`+started+`; cat <`+hold)
	t.Cleanup(func() {
		f, err := os.OpenFile(hold, os.O_RDWR|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Error(err)
		}
		f.Close()
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, _, err := Lookup(ctx, m.env(), "quay.io/a")
		done <- err
	}()
	for {
		if _, err := os.Stat(started); err == nil {
			break
		}
		select {
		case err := <-done:
			t.Fatalf("Lookup ended by itself: %v", err)
		default:
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || Ignorable(err) {
		t.Errorf("error = %v", err)
	}
	if _, _, err := Lookup(ctx, m.env(), "quay.io/a"); !errors.Is(err, context.Canceled) || Ignorable(err) {
		t.Errorf("cancelled before: %v", err)
	}
}

func TestPodmanHelper(t *testing.T) {
	m := newMachine(t, "{}")
	m.write("home/.config/containers/auth.json", `{"credHelpers": {"quay.io": "x"}, "auths": {"quay.io/a": {"auth": "dTpw"}}}`, 0o600)
	m.helper("x", `echo "credentials not found"; exit 1`)
	c, found, err := Lookup(t.Context(), m.env(), "quay.io/a/b")
	if c.Username != "u" || !found || err != nil || m.calls() != "get quay.io\n" {
		t.Errorf("Lookup() = %v, %v, %v; calls %q", c, found, err, m.calls())
	}
}

func TestAllOfHelpers(t *testing.T) {
	m := newMachine(t, `{"credsStore": "store", "credHelpers": {"gcr.io": "gcr", "none.example": "gone", "file.example": ""},
		"auths": {"file.example": {"auth": "ZmlsZTpw"}, "quay.io": {}}}`)
	m.helper("store", `case $1 in
list) echo '{"https://index.docker.io/v1/": "hub", "https://index.docker.io/v1/access-token": "hub", "quay.io": "q"}' ;;
get) echo '{"Username":"store","Secret":"'$server'"}' ;;
esac`)
	m.helper("gcr", `echo '{"Username":"g","Secret":"s"}'`)
	got, err := All(t.Context(), m.env())
	if _, ok := errors.AsType[*MissingHelperError](err); !ok {
		t.Errorf("All() says nothing of the helper that is missing: %v", err)
	}
	const hub = "https://index.docker.io/v1/"
	want := map[string]Credentials{
		hub:            {Username: "store", Password: hub, ServerAddress: hub},
		"quay.io":      {Username: "store", Password: "quay.io", ServerAddress: "quay.io"},
		"gcr.io":       {Username: "g", Password: "s", ServerAddress: "gcr.io"},
		"file.example": {Username: "file", Password: "p", ServerAddress: "file.example"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	m = newMachine(t, `{"credsStore": "store"}`)
	m.helper("store", `echo locked; exit 1`)
	if got, err := All(t.Context(), m.env()); got != nil || err == nil || Ignorable(err) {
		t.Errorf("All() = %v, %v", got, err)
	}
}
