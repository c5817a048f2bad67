package conformance

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/embedded"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/testenv"
)

// rootless says that the embedded engine is an ordinary user's.
var rootless = os.Getenv("BERTH_ENGINE") == "embedded-rootless"

// isolate runs the tests of the embedded engine in namespaces of their own, those of the ordinary user's as him.
func isolate() (code int, done bool) {
	switch {
	case os.Getenv("BERTH_ENGINE_HOST") != embeddedHost:
		return 0, false
	case !rootless:
		return testenv.Isolate()
	case os.Geteuid() != 0:
		return 0, false
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "BERTH_") && !strings.HasPrefix(v, "BERTH_RESULTS=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	user := testenv.Everything
	user.Delegated = true // which counts where cgroup v2 is alone
	if list := strings.Fields(os.Getenv("BERTH_PROGRAMS")); len(list) > 0 {
		user.Programs = list
	}
	user.CgroupV1 = filepath.Base(os.Getenv("BERTH_RUNTIME")) == "crun"
	err := user.Run(cmd)
	if ee, ok := err.(*exec.ExitError); ok && ee.ExitCode() > 0 {
		return ee.ExitCode(), true
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "run the tests as an ordinary user:", err)
		return 1, true
	}
	return 0, true
}

// openEmbedded makes a state directory with the image in it, and returns what
// opens an engine on it.
func openEmbedded(t *testing.T, image string) func(ctx context.Context, opts ...berth.Option) (*berth.Client, error) {
	t.Helper()
	opts := []embedded.Option{embedded.WithRuntime(os.Getenv("BERTH_RUNTIME"))}
	if !rootless { // the user's are below his home
		dir := testenv.StateDir(t)
		opts = append(opts, embedded.WithRoot(filepath.Join(dir, "root")), embedded.WithRunRoot(filepath.Join(dir, "run")))
	}
	open := func(ctx context.Context) (engine.Engine, error) { return embedded.Open(ctx, opts...) }
	e, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	_, err = e.ImageImport(t.Context(), testenv.Busybox(t), engine.ImportOptions{Reference: image, Changes: []string{"ENV PATH=/bin:/usr/bin", `CMD ["sh"]`}})
	if err != nil {
		t.Fatalf("make the image: %v", err)
	}
	return func(ctx context.Context, opts ...berth.Option) (*berth.Client, error) {
		e, err := open(ctx)
		if err != nil {
			return nil, err
		}
		return berth.New(ctx, append([]berth.Option{berth.WithEngine(e)}, opts...)...)
	}
}
