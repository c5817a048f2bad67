package podman

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

// archiveOf is a tar of one file that belongs to 12:13.
func archiveOf(t *testing.T, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o640, Uid: 12, Gid: 13, ModTime: time.Unix(1e9, 0)}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchive(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		for _, running := range []bool{false, true} {
			id := made(t, e, engine.Spec{User: "5:5", Command: []string{"sleep", "1000"}})
			if running {
				if err := e.ContainerStart(ctx, id, engine.StartOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			content := archiveOf(t, "file", "hello")
			if err := e.ContainerPutArchive(ctx, id, "/tmp", bytes.NewReader(content), engine.PutArchiveOptions{}); err != nil {
				t.Fatal(err)
			}
			st, err := e.ContainerStatPath(ctx, id, "/tmp/file")
			if err != nil || st.Name != "file" || st.Size != 5 || st.Mode != 0o640 || st.LinkTarget != "" || !st.ModTime.Equal(time.Unix(1e9, 0)) {
				t.Errorf("stat is %+v, %v", st, err)
			}
			r, st, err := e.ContainerGetArchive(ctx, id, "/tmp/file", engine.ArchiveOptions{})
			if err != nil {
				t.Fatal(err)
			}
			tr := tar.NewReader(r)
			h, err := tr.Next()
			if err != nil || h.Name != "file" || st.Name != "file" {
				t.Errorf("entry is %+v, %v; stat %+v", h, err, st)
			}
			if b, err := io.ReadAll(tr); err != nil || string(b) != "hello" {
				t.Errorf("content %q, %v", b, err)
			}
			r.Close()

			var zipped bytes.Buffer
			zw := gzip.NewWriter(&zipped)
			zw.Write(archiveOf(t, "zipped", "z"))
			zw.Close()
			if err := e.ContainerPutArchive(ctx, id, "/tmp", &zipped, engine.PutArchiveOptions{CopyUIDGID: true}); err != nil {
				t.Error(err)
			}
			r, st, err = e.ContainerGetArchive(ctx, id, "/tmp", engine.ArchiveOptions{})
			if err != nil {
				t.Fatal(err)
			}
			names := map[string]bool{}
			for tr := tar.NewReader(r); ; {
				h, err := tr.Next()
				if err != nil {
					break
				}
				names[strings.TrimSuffix(h.Name, "/")] = true
			}
			r.Close()
			if !st.Mode.IsDir() || !names["tmp/file"] || !names["tmp/zipped"] {
				t.Errorf("stat %+v, names %v", st, names)
			}
			if running {
				if out := execOut(t, e, id, "stat", "-c", "%u:%g", "/tmp/file", "/tmp/zipped"); out != "12:13\n5:5" {
					t.Errorf("owners are %q", out)
				}
			}

			wantKind(t, "put into a missing directory", e.ContainerPutArchive(ctx, id, "/no/such", bytes.NewReader(content), engine.PutArchiveOptions{}), engine.ErrNotFound)
			wantKind(t, "put into a file", e.ContainerPutArchive(ctx, id, "/tmp/file", bytes.NewReader(content), engine.PutArchiveOptions{}), engine.ErrInvalid)
			wantKind(t, "put into a missing container", e.ContainerPutArchive(ctx, "no-such-container", "/", bytes.NewReader(content), engine.PutArchiveOptions{}), engine.ErrNotFound)
			if err := e.ContainerPutArchive(ctx, id, "/tmp", strings.NewReader(strings.Repeat("garbage", 1000)), engine.PutArchiveOptions{}); err == nil {
				t.Error("garbage was unpacked")
			}
			_, err = e.ContainerStatPath(ctx, id, "/no/such")
			wantKind(t, "stat of a missing path", err, engine.ErrNotFound)
			_, _, err = e.ContainerGetArchive(ctx, id, "/no/such", engine.ArchiveOptions{})
			wantKind(t, "get of a missing path", err, engine.ErrNotFound)
			_, err = e.ContainerStatPath(ctx, id, "")
			wantKind(t, "stat of nothing", err, engine.ErrInvalid)
			_, _, err = e.ContainerGetArchive(ctx, id, "/", engine.ArchiveOptions{Compress: true})
			wantUnsupported(t, err, "ArchiveOptions.Compress")
		}
	})
}

func TestStatLink(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{})
		execOut(t, e, id, "sh", "-c", "ln -s /etc/passwd /link; ln -s /no/such /dangling; mkdir /dir; ln -s dir /tolink; echo x >/dir/f")
		for path, want := range map[string]string{"/link": "/etc/passwd", "/dangling": "/no/such", "/tolink": "/dir"} {
			st, err := e.ContainerStatPath(ctx, id, path)
			if err != nil || st.Mode&os.ModeSymlink == 0 || st.LinkTarget != want || "/"+st.Name != path {
				t.Errorf("%s: %+v, %v", path, st, err)
			}
		}
		if st, err := e.ContainerStatPath(ctx, id, "/dir/"); err != nil || !st.Mode.IsDir() || st.LinkTarget != "" || st.Name != "dir" {
			t.Errorf("directory: %+v, %v", st, err)
		}
		if err := e.ContainerPutArchive(ctx, id, "/tolink", bytes.NewReader(archiveOf(t, "g", "y")), engine.PutArchiveOptions{}); err != nil {
			t.Error(err)
		}
		if out := execOut(t, e, id, "cat", "/dir/g"); out != "y" {
			t.Errorf("through a link came %q", out)
		}
		r, _, err := e.ContainerGetArchive(ctx, id, "/link", engine.ArchiveOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		h, err := tar.NewReader(r).Next()
		if err != nil || h.Name != "link" || h.Typeflag != tar.TypeReg {
			t.Errorf("entry of a link: %+v, %v", h, err)
		}
	})
}

func TestStats(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		busy := started(t, e, engine.Spec{Command: []string{"sh", "-c", "while :; do :; done"}, Resources: engine.Resources{Memory: 64 * engine.MiB, CPUs: 0.5}})
		idle := started(t, e, engine.Spec{})
		dead := made(t, e, engine.Spec{})
		n := 0
		for s, err := range e.ContainerStats(ctx, []string{busy}, engine.StatsOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			if s.CPUPercent == nil || *s.CPUPercent < 5 || *s.CPUPercent > 120 || s.PreRead.IsZero() || s.CPU.Total <= s.PreCPU.Total || s.CPU.Kernel == nil {
				t.Errorf("CPU is %+v", s)
			}
			if s.Memory.Limit != uint64(64*engine.MiB) || s.Memory.Used == 0 || s.Memory.Percent <= 0 || s.Pids.Current != 1 || s.ID != busy || s.Name == "" || len(s.Raw) == 0 {
				t.Errorf("sample is %+v", s)
			}
			if net, ok := s.Networks["eth0"]; !ok || net.RxBytes+net.TxBytes == 0 {
				t.Errorf("networks are %+v", s.Networks)
			}
		}
		if n != 1 {
			t.Errorf("%d samples", n)
		}
		n = 0
		for s, err := range e.ContainerStats(ctx, []string{idle[:12], dead}, engine.StatsOptions{OneShot: true}) {
			n++
			if err != nil || s.CPUPercent != nil || !s.PreRead.IsZero() || (s.ID == dead) != s.Read.IsZero() {
				t.Errorf("one shot: %+v, %v", s, err)
			}
		}
		if n != 2 {
			t.Errorf("%d samples", n)
		}
		for _, err := range e.ContainerStats(ctx, []string{"no-such-container"}, engine.StatsOptions{}) {
			wantKind(t, "missing container", err, engine.ErrNotFound)
		}
		seen := map[string]int{}
		for s, err := range e.ContainerStats(ctx, []string{busy, idle}, engine.StatsOptions{Stream: true}) {
			if err != nil {
				t.Fatal(err)
			}
			if seen[s.ID]++; seen[busy] == 2 && s.CPUPercent == nil {
				t.Error("the second sample has no percentage")
			}
			if seen[busy] == 2 && s.ID == busy {
				removeForced(t, e, busy)
			}
			if seen[idle] == 4 {
				if err := e.ContainerKill(ctx, idle, ""); err != nil {
					t.Fatal(err)
				}
			}
		}
		if seen[busy] < 2 || seen[idle] < 4 {
			t.Errorf("samples %v", seen)
		}
		short, cancel := context.WithCancel(ctx)
		var last error
		for _, err := range e.ContainerStats(short, []string{started(t, e, engine.Spec{})}, engine.StatsOptions{Stream: true}) {
			cancel()
			last = err
		}
		cancel()
		wantKind(t, "cancelled", last, context.Canceled)
		for _, opts := range []engine.StatsOptions{{Stream: true, OneShot: true}, {Interval: time.Millisecond}} {
			for _, err := range e.ContainerStats(ctx, nil, opts) {
				wantKind(t, "options", err, engine.ErrInvalid)
			}
		}
	})
}

func TestTop(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{Command: []string{"sh", "-c", "sleep 1000; true"}})
		var top *engine.Top
		eventually(t, "two processes", func() bool {
			var err error
			if top, err = e.ContainerTop(ctx, id, engine.TopOptions{}); err != nil {
				t.Fatal(err)
			}
			return len(top.Processes) == 2
		})
		if want := "USER PID PPID %CPU ELAPSED TTY TIME COMMAND"; strings.Join(top.Titles, " ") != want {
			t.Errorf("titles are %q", top.Titles)
		}
		p := top.Processes
		if p[0].PID != 1 || p[1].PPID != 1 || p[1].Command != "sleep 1000" || p[0].User != "root" || p[0].Elapsed <= 0 || len(top.Rows) != 2 {
			t.Errorf("processes are %+v", p)
		}
		for _, args := range [][]string{{"pid", "args"}, {"pid,args"}} {
			top, err := e.ContainerTop(ctx, id, engine.TopOptions{Args: args})
			if err != nil || strings.Join(top.Titles, " ") != "PID COMMAND" || len(top.Rows) != 2 || top.Rows[1][1] != "sleep 1000" || top.Processes != nil {
				t.Errorf("%q: %+v, %v", args, top, err)
			}
		}
		top, err := e.ContainerTop(ctx, id, engine.TopOptions{Args: []string{"-ef"}})
		if err != nil || !strings.Contains(strings.Join(slices.Concat(top.Rows...), " "), "sleep 1000") {
			t.Errorf("-ef: %+v, %v", top, err)
		}
		_, err = e.ContainerTop(ctx, "no-such-container", engine.TopOptions{})
		wantKind(t, "missing container", err, engine.ErrNotFound)
	})
}

func TestEvents(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		name := unique("events")
		from := time.Now().Add(-time.Second)
		ready := make(chan struct{})
		got := make(chan []engine.Event, 1)
		go func() {
			var list []engine.Event
			defer func() { got <- list }()
			close(ready)
			for ev, err := range e.Events(ctx, engine.EventOptions{Since: from, Filters: engine.Filters{"container": {name}, "type": {"container"}}}) {
				if err != nil {
					t.Error(err)
					return
				}
				list = append(list, ev)
				if ev.Action == "destroy" {
					return
				}
			}
		}()
		<-ready
		id := made(t, e, engine.Spec{Name: name, Command: []string{"sh", "-c", "exit 8"}, Labels: map[string]string{"l": "v"}})
		w, err := e.ContainerWait(ctx, id, engine.WaitNextExit)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := e.ContainerStart(ctx, id, engine.StartOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Wait(); err != nil {
			t.Fatal(err)
		}
		removeForced(t, e, id)
		check := func(what string, list []engine.Event) {
			t.Helper()
			var actions []string
			for _, ev := range list {
				actions = append(actions, ev.Action)
				if ev.Type != "container" || ev.ID != id || ev.Name != name || !strings.Contains(ev.Image, "busybox") || time.Since(ev.Time).Abs() > time.Hour || len(ev.RawJSON) == 0 {
					t.Errorf("%s: %+v", what, ev)
				}
				if (ev.Action == "die") != (ev.ExitCode != nil) || ev.ExitCode != nil && (*ev.ExitCode != 8 || ev.Raw != "died") {
					t.Errorf("%s: exit code %v of %+v", what, ev.ExitCode, ev)
				}
			}
			for _, a := range []string{"create", "start", "die", "destroy"} {
				if !slices.Contains(actions, a) {
					t.Errorf("%s: no %s in %q", what, a, actions)
				}
			}
		}
		check("live", <-got)
		until := time.Now().Add(time.Second)
		var list []engine.Event
		for ev, err := range e.Events(ctx, engine.EventOptions{Since: from, Until: until, Filters: engine.Filters{"container": {name}, "event": {"create", "start", "die", "destroy"}}}) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, ev)
		}
		check("history", list)
		if len(list) != 4 {
			t.Errorf("%d events", len(list))
		}
		short, cancel := context.WithCancel(ctx)
		time.AfterFunc(30*time.Millisecond, cancel)
		var last error
		for _, err := range e.Events(short, engine.EventOptions{Filters: engine.Filters{"container": {name}}}) {
			last = err
		}
		if !errors.Is(last, context.Canceled) {
			t.Errorf("cancelled: %v", last)
		}
		for _, err := range e.Events(ctx, engine.EventOptions{Filters: engine.Filters{"no-such-filter": {"x"}}}) {
			if err == nil {
				t.Error("an unknown filter was accepted")
			}
			break
		}
	})
}

func TestSystem(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		if err := e.Ping(ctx); err != nil {
			t.Error(err)
		}
		v, err := e.Version(ctx)
		if err != nil || v.Engine != Name || v.Version == "" || v.OS != "linux" || v.Arch == "" || v.KernelVersion == "" || v.MinAPIVersion != "4.0.0" || v.Components["Podman Engine"] != v.Version || len(v.Raw) == 0 {
			t.Errorf("version is %+v, %v", v, err)
		}
		id := e.Identity()
		if id.Name != Name || id.Version != v.Version || id.APIVersion != e.version.String() || id.OS != "linux" || id.Arch != v.Arch || id.CgroupVersion == "" || !id.Local {
			t.Errorf("identity is %+v", id)
		}
		i, err := e.Info(ctx)
		if err != nil || i.ServerVersion != v.Version || i.NCPU == 0 || i.MemTotal == 0 || i.StorageDriver == "" || i.CgroupVersion != id.CgroupVersion || i.Images == 0 || len(i.LogDrivers) == 0 {
			t.Errorf("info is %+v, %v", i, err)
		}
		c := made(t, e, engine.Spec{})
		du, err := e.DiskUsage(ctx)
		if err != nil || len(du.Images) == 0 || du.LayersSize == 0 || !slices.ContainsFunc(du.Containers, func(d engine.DiskUsageItem) bool { return d.ID == c && d.Reclaimable }) {
			t.Errorf("disk usage is %+v, %v", du, err)
		}
		for path, want := range map[string]int{"/containers/" + c + "/json": 200, "/libpod/containers/" + c + "/exists": 204, "/v1.41/containers/" + c + "/json?size=1": 200, "/_ping": 200, "/containers/no-such/json": 404} {
			resp, err := e.Do(ctx, "GET", path, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%s: %s", path, resp.Status)
			}
		}
	})
}
