package transport

import (
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// TestTCP: everything works over tcp:// and http://, through a proxy on a
// loopback port in front of the engine's socket. Such an engine is not local.
func TestTCP(t *testing.T) {
	e := rig.NeedEngine(t)
	for _, scheme := range []string{"tcp", "http"} {
		t.Run(scheme, func(t *testing.T) {
			leaktest.Check(t)
			rig.NoEnvironment(t)
			p := rig.NewTCPProxy(t, e.Socket)
			host := scheme + "://" + p.Addr()
			cli := rig.Connect(t, berth.WithHost(host))
			if id := cli.Engine(); id.Host != host || id.Local || id.Name != e.Kind() || id.Source != "WithHost" {
				t.Errorf("engine is %+v", id)
			}
			rig.Exercise(t, cli)
		})
	}
}

// TestUnix is the same over the engine's own socket, as the measure of the others.
func TestUnix(t *testing.T) {
	e := rig.NeedEngine(t)
	leaktest.Check(t)
	rig.NoEnvironment(t)
	cli := e.Connect(t)
	if id := cli.Engine(); id.Host != e.Host || id.Name != e.Kind() {
		t.Errorf("engine is %+v", id)
	}
	rig.Exercise(t, cli)
}
