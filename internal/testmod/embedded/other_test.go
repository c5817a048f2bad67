//go:build !linux

package embedded

import "testing"

func TestEmbedded(t *testing.T) { t.Skip("the embedded engine is for Linux") }
