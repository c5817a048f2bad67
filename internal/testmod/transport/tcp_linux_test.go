package transport

import (
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// TestTCP: everything works over tcp://, and so does http://, which is the same,
// through a proxy on a loopback port in front of the engine's socket. Such an
// engine is not local.
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
			if scheme == "tcp" {
				rig.Exercise(t, cli)
				return
			}
			if res, err := cli.Containers.Run(t.Context(), rig.Spec("echo", "hi")); err != nil || string(res.Stdout) != "hi\n" {
				t.Errorf("Run = %+v, %v", res, err)
			}
		})
	}
}
