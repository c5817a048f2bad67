//go:build !linux

package conformance

import (
	"context"
	"testing"

	"github.com/berthdev/berth"
)

func isolate() (code int, done bool) { return 0, false }

func openEmbedded(t *testing.T, image string) func(ctx context.Context, opts ...berth.Option) (*berth.Client, error) {
	t.Skip("the embedded engine is for Linux")
	return nil
}
