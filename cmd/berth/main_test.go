package main

import (
	"flag"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// update rewrites the expected results: go test -update.
var update = flag.Bool("update", false, "rewrite what is expected")

// TestMain makes the test binary the command, for scripts and for tests that
// start it.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"berth": main})
}
