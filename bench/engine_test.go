package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/berthdev/berth"
)

// target is the engine that BERTH_ENGINE_HOST names, through Berth and through plain net/http.
type target struct {
	cli    *berth.Client
	raw    *http.Client
	dial   func(ctx context.Context) (net.Conn, error)
	prefix string // of the API's paths
	podman bool
}

const image = "docker.io/library/busybox:latest"

func connect(b *testing.B) *target {
	b.Helper()
	host := os.Getenv("BERTH_ENGINE_HOST")
	path, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		b.Skip("no engine: BERTH_ENGINE_HOST is not set to a unix socket")
	}
	cli, err := berth.New(b.Context(), berth.WithHost(host))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { cli.Close() })
	dial := func(ctx context.Context) (net.Conn, error) { return (&net.Dialer{}).DialContext(ctx, "unix", path) }
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }, MaxIdleConnsPerHost: 16, DisableCompression: true}
	b.Cleanup(tr.CloseIdleConnections)
	t := &target{cli: cli, raw: &http.Client{Transport: tr}, dial: dial, podman: cli.Engine().Name == "podman"}
	t.prefix = "http://d/v" + cli.Engine().APIVersion
	if t.podman {
		t.prefix += "/libpod"
	}
	return t
}

// do makes a raw request and reads the answer whole.
func (t *target) do(b *testing.B, method, path, body string) []byte {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, t.prefix+path, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := t.raw.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	if resp.StatusCode >= 400 {
		b.Fatalf("%s %s: %s: %s", method, path, resp.Status, data)
	}
	return data
}

// hijack makes a raw request that upgrades the connection and reads it to its end.
func (t *target) hijack(b *testing.B, path, body string, ready func()) []byte {
	b.Helper()
	conn, err := t.dial(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		strings.TrimPrefix(t.prefix, "http://d")+path, len(body), body)
	if ready != nil {
		buf := make([]byte, 4096)
		n, err := conn.Read(buf) // the head
		if err != nil {
			b.Fatal(err)
		}
		ready()
		rest, _ := io.ReadAll(conn)
		return append(buf[:n], rest...)
	}
	data, err := io.ReadAll(conn)
	if err != nil {
		b.Fatal(err)
	}
	return data
}

// sleeper starts a container that the benchmark's end removes.
func (t *target) sleeper(b *testing.B, command ...string) *berth.Container {
	b.Helper()
	if len(command) == 0 {
		command = []string{"sleep", "36000"}
	}
	c, err := t.cli.Containers.Start(b.Context(), berth.Spec{Image: image, Command: command})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := c.Remove(context.Background(), berth.RemoveOptions{Force: true, Volumes: true}); err != nil {
			b.Error(err)
		}
	})
	return c
}

// resident is the peak of this process's resident memory since reset, in bytes.
func resident(b *testing.B) float64 {
	b.Helper()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := bytes.Cut(data, []byte("VmHWM:"))
	var kb float64
	fmt.Sscan(string(rest), &kb)
	return kb * 1024
}

// resetResident starts a new peak.
func resetResident(b *testing.B) {
	b.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Fatal(err)
	}
}
