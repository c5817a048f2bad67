//go:build !linux

package conformance

import (
	"context"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/engine/enginetest"
)

const rootless = false

func checkRefusals(*testing.T, enginetest.Config) {}

func isolate() (code int, done bool) { return 0, false }

func openEmbedded(t *testing.T, image string) func(ctx context.Context, opts ...berth.Option) (*berth.Client, error) {
	t.Skip("the embedded engine is for Linux")
	return nil
}
