package conformance

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/embedded"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/testenv"
)

// isolate runs the tests of the embedded engine in namespaces of their own.
func isolate() (code int, done bool) {
	if os.Getenv("BERTH_ENGINE_HOST") != embeddedHost {
		return 0, false
	}
	return testenv.Isolate()
}

// openEmbedded makes a state directory with the image in it, and returns what
// opens an engine on it.
func openEmbedded(t *testing.T, image string) func(ctx context.Context, opts ...berth.Option) (*berth.Client, error) {
	t.Helper()
	dir := testenv.StateDir(t)
	open := func(ctx context.Context) (engine.Engine, error) {
		return embedded.Open(ctx, embedded.WithRoot(filepath.Join(dir, "root")), embedded.WithRunRoot(filepath.Join(dir, "run")), embedded.WithRuntime(os.Getenv("BERTH_RUNTIME")))
	}
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
