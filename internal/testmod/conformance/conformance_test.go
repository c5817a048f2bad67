package conformance

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/engine/enginetest"
	"github.com/berthdev/berth/internal/leaktest"
)

func TestMain(m *testing.M) {
	if code, done := isolate(); done {
		os.Exit(code)
	}
	leaktest.Main(m)
}

// embeddedHost is BERTH_ENGINE_HOST for the engine that is linked in.
const embeddedHost = "embedded"

func TestEngine(t *testing.T) {
	name, host := os.Getenv("BERTH_ENGINE"), os.Getenv("BERTH_ENGINE_HOST")
	if name == "" || host == "" {
		t.Skip("no engine: BERTH_ENGINE and BERTH_ENGINE_HOST are not set (scripts/test conformance NAME sets them)")
	}
	addr, ours := os.Getenv("BERTH_ENGINE_ADDR"), os.Getenv("BERTH_OUR_ADDR")
	cfg := enginetest.Config{
		Name:    name,
		Image:   "docker.io/library/busybox:latest",
		OurAddr: ours,
		Soak:    os.Getenv("BERTH_SOAK") != "",
		Results: os.Getenv("BERTH_RESULTS"),
		Only:    strings.Fields(os.Getenv("BERTH_ONLY")),
		New: func(ctx context.Context, opts ...berth.Option) (*berth.Client, error) {
			base := []berth.Option{berth.WithHost(host)}
			if addr != "" {
				base = append(base, berth.WithPublishedHost(addr))
			}
			return berth.New(ctx, append(base, opts...)...)
		},
	}
	if os.Getenv("BERTH_SOAK") == "only" {
		cfg.Results = "" // they are of all cases
		for _, c := range enginetest.Cases() {
			if c.Soak {
				cfg.Only = append(cfg.Only, c.Name)
			}
		}
	}
	if host == embeddedHost {
		cfg.New = openEmbedded(t, cfg.Image)
		if rootless && os.Getenv("BERTH_RUNTIME") == "" {
			cfg.Results = t.TempDir()
			checkRefusals(t, cfg)
		}
		ours = "127.0.0.1"
		cfg.OurAddr = ours
	}
	if ours != "" {
		cfg.Registry = serveRegistry(t, ours)
	}
	enginetest.Run(t, cfg)
}

// serveRegistry serves an empty registry on one of the ports that the engines
// take plain HTTP from, and returns its address.
func serveRegistry(t *testing.T, ours string) string {
	t.Helper()
	var l net.Listener
	var err error
	for _, port := range []string{"5000", "5001", "5002", "5003"} {
		if l, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(ours, port)); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatalf("listen for the registry: %v", err)
	}
	srv := &http.Server{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(l)
	}()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
	return l.Addr().String()
}
