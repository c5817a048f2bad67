package berth

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/internal/leaktest"
)

// onEngines runs a test on every real engine of BERTH_ENGINES, which is
// "docker28=/path/of/socket[,ENGINE-ADDRESS[,OUR-ADDRESS]] podman58=…", as
// scripts/engines prints it. All of them have the image busybox.
func onEngines(t *testing.T, test func(t *testing.T, cli *Client, name string)) {
	t.Helper()
	list := strings.Fields(os.Getenv("BERTH_ENGINES"))
	if len(list) == 0 {
		t.Skip("no engines: BERTH_ENGINES is not set (see CONTRIBUTING.md)")
	}
	for _, word := range list {
		name, socket, ok := strings.Cut(word, "=")
		if !ok {
			t.Fatalf("BERTH_ENGINES has %q, want NAME=SOCKET", word)
		}
		t.Run(name, func(t *testing.T) {
			leaktest.Check(t)
			path, addrs, _ := strings.Cut(strings.TrimPrefix(socket, "unix://"), ",")
			addr, _, _ := strings.Cut(addrs, ",")
			cli, err := New(t.Context(), WithHost("unix://"+path), WithPublishedHost(addr))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := cli.Close(); err != nil {
					t.Error(err)
				}
			})
			test(t, cli, name)
		})
	}
}

// sleeper starts a container that does nothing, and removes it with the test.
func sleeper(t *testing.T, cli *Client) *Container {
	t.Helper()
	s := spec("sleep", "600")
	s.Name = "berth-test-" + strings.ToLower(rand.Text()[:10])
	s.Env = map[string]string{"KEPT": "kept"}
	s.Labels = map[string]string{"dev.berth.test": "root"}
	c, err := cli.Containers.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := c.Remove(ctx, RemoveOptions{Force: true, Volumes: true}); err != nil {
			t.Error(err)
		}
	})
	return c
}
