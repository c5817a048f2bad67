package bench

import (
	"archive/tar"
	"io"
	"net/http"
	"os"
	"strconv"
	"testing"

	"github.com/berthdev/berth"
)

// size of the streams: 1 GiB, or BERTH_BENCH_BYTES.
func size() int64 {
	if n, err := strconv.ParseInt(os.Getenv("BERTH_BENCH_BYTES"), 10, 64); err == nil {
		return n
	}
	return 1 << 30
}

// measured runs f per iteration and reports throughput and peak memory.
func measured(b *testing.B, bytes int64, f func()) {
	b.SetBytes(bytes)
	resetResident(b)
	for b.Loop() {
		f()
	}
	b.ReportMetric(resident(b)/(1<<20), "MiB-resident")
}

// drain reads a raw answer to its end.
func (t *target) drain(b *testing.B, path string) {
	req, err := http.NewRequestWithContext(b.Context(), "GET", t.prefix+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	resp, err := t.raw.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkGetArchive(b *testing.B) {
	t := connect(b)
	c := t.sleeper(b, "sh", "-c", "head -c "+strconv.FormatInt(size(), 10)+" /dev/zero >/big; touch /ready; sleep 36000")
	await(b, c)
	b.Run("raw", func(b *testing.B) {
		measured(b, size(), func() { t.drain(b, "/containers/"+c.ID()+"/archive?path=/big") })
	})
	b.Run("berth", func(b *testing.B) {
		measured(b, size(), func() {
			r, _, err := c.GetArchive(b.Context(), "/big")
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			if _, err := io.Copy(io.Discard, r); err != nil {
				b.Fatal(err)
			}
		})
	})
}

func BenchmarkExport(b *testing.B) {
	t := connect(b)
	c := t.sleeper(b, "sh", "-c", "head -c "+strconv.FormatInt(size(), 10)+" /dev/zero >/big; touch /ready; sleep 36000")
	await(b, c)
	b.Run("raw", func(b *testing.B) {
		measured(b, size(), func() { t.drain(b, "/containers/"+c.ID()+"/export") })
	})
	b.Run("berth", func(b *testing.B) {
		measured(b, size(), func() {
			r, err := c.Export(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			if _, err := io.Copy(io.Discard, r); err != nil {
				b.Fatal(err)
			}
		})
	})
}

func BenchmarkPutArchive(b *testing.B) {
	t := connect(b)
	c := t.sleeper(b)
	b.Run("raw", func(b *testing.B) {
		measured(b, size(), func() {
			req, err := http.NewRequestWithContext(b.Context(), "PUT", t.prefix+"/containers/"+c.ID()+"/archive?path=/tmp", bigTar())
			if err != nil {
				b.Fatal(err)
			}
			resp, err := t.raw.Do(req)
			if err != nil {
				b.Fatal(err)
			}
			resp.Body.Close()
		})
	})
	b.Run("berth", func(b *testing.B) {
		measured(b, size(), func() {
			if err := c.PutArchive(b.Context(), "/tmp", bigTar()); err != nil {
				b.Fatal(err)
			}
		})
	})
}

func BenchmarkLogsTo(b *testing.B) {
	t := connect(b)
	// A log of whole lines; what comes back is what the log driver kept.
	c, err := t.cli.Containers.Start(b.Context(), berth.Spec{Image: image, Command: []string{"sh", "-c",
		"yes 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789 | head -c " + strconv.FormatInt(size()/4, 10)}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Remove(b.Context(), berth.RemoveOptions{Force: true}) })
	if _, err := c.Wait(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Run("raw", func(b *testing.B) {
		measured(b, size()/4, func() { t.drain(b, "/containers/"+c.ID()+"/logs?stdout=true&stderr=true") })
	})
	b.Run("berth", func(b *testing.B) {
		measured(b, size()/4, func() {
			if err := c.LogsTo(b.Context(), io.Discard, io.Discard); err != nil {
				b.Fatal(err)
			}
		})
	})
}

// await waits for /ready.
func await(b *testing.B, c *berth.Container) {
	b.Helper()
	if err := c.Command("sh", "-c", "while ! test -e /ready; do sleep 0.1; done").Run(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// bigTar is a tar of one file of zeros.
func bigTar() io.Reader {
	r, w := io.Pipe()
	go func() {
		tw := tar.NewWriter(w)
		err := tw.WriteHeader(&tar.Header{Name: "big", Mode: 0o600, Size: size()})
		if err == nil {
			_, err = io.CopyN(tw, zeros{}, size())
		}
		if err == nil {
			err = tw.Close()
		}
		w.CloseWithError(err)
	}()
	return r
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
