package transport

import (
	"testing"

	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/testmod/rig"
)

func TestMain(m *testing.M) {
	rig.Main(children)
	leaktest.Main(m)
}
