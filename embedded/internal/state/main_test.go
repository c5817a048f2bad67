//go:build linux

package state

import (
	"os"
	"testing"
)

// roles are what this program does when it is started again by a test.
var roles = map[string]func(args []string){}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if role := roles[os.Args[1]]; role != nil {
			role(os.Args[2:])
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}
