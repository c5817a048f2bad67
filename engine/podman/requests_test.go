package podman

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

// TestRequests holds the requests of calls that have a default of their own.
func TestRequests(t *testing.T) {
	f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/x/json"):
			answer(w, 200, `{"Id":"0123","State":{"Status":"running"},"Config":{"StopTimeout":7},"NetworkSettings":{}}`)
		case r.Method == "HEAD":
			w.Header().Set(statHeader, "eyJuYW1lIjoiLyIsInNpemUiOjAsIm1vZGUiOjIxNDc0ODQxNDF9")
		case strings.HasSuffix(r.URL.Path, "/commit"):
			answer(w, 200, `{"Id":"0123"}`)
		case strings.HasSuffix(r.URL.Path, "/top"):
			answer(w, 200, `{"Titles":["PID","COMMAND"],"Processes":[]}`)
		case strings.HasSuffix(r.URL.Path, "/exec"):
			answer(w, 201, `{"Id":"e"}`)
		case strings.HasSuffix(r.URL.Path, "/changes"):
			answer(w, 200, `null`)
		case strings.HasSuffix(r.URL.Path, "/stats"):
			answer(w, 200, `{"Error":null,"Stats":[]}`)
		default:
			answer(w, 200, `[]`)
		}
	}}
	e := openFake(t, f)
	ctx := t.Context()
	tests := []struct {
		name string
		call func() error
		want string
	}{
		{"stop", func() error { return e.ContainerStop(ctx, "x", engine.StopOptions{}) }, "POST /containers/x/stop"},
		{"stop with a timeout", func() error { return e.ContainerStop(ctx, "x", engine.StopOptions{Timeout: new(time.Duration(0))}) }, "POST /containers/x/stop?timeout=0"},
		{"stop that never kills", func() error { return e.ContainerStop(ctx, "x", engine.StopOptions{Timeout: new(-time.Second)}) }, "POST /containers/x/stop?timeout=2147483647"},
		{"restart", func() error { return e.ContainerRestart(ctx, "x", engine.StopOptions{}) }, "GET /containers/x/json POST /containers/x/restart?timeout=7"},
		{"restart with a timeout", func() error { return e.ContainerRestart(ctx, "x", engine.StopOptions{Timeout: new(time.Minute)}) }, "POST /containers/x/restart?timeout=60"},
		{"kill", func() error { return e.ContainerKill(ctx, "x", "") }, "POST /containers/x/kill?signal=9 POST /containers/x/wait?interval=20ms"},
		{"kill by name", func() error { return e.ContainerKill(ctx, "x", "rtmin+3") }, "POST /containers/x/kill?signal=37"},
		{"remove", func() error { return e.ContainerRemove(ctx, "x", engine.RemoveOptions{}) }, "DELETE /containers/x?force=false&volumes=false"},
		{"remove by force", func() error {
			return e.ContainerRemove(ctx, "x", engine.RemoveOptions{Force: true, Volumes: true, Depend: true})
		}, "DELETE /containers/x?depend=true&force=true&timeout=0&volumes=true"},
		{"remove in time", func() error {
			return e.ContainerRemove(ctx, "x", engine.RemoveOptions{Force: true, Timeout: new(3 * time.Second)})
		}, "DELETE /containers/x?force=true&timeout=3&volumes=false"},
		{"logs", func() error { return second(e.ContainerLogs(ctx, "x", engine.LogOptions{})) }, "GET /containers/x/logs?follow=false&stderr=true&stdout=true&timestamps=false"},
		{"commit", func() error { return second(e.ContainerCommit(ctx, "x", engine.CommitOptions{})) }, "POST /commit?container=x&pause=true"},
		{"commit with a message", func() error {
			return second(e.ContainerCommit(ctx, "x", engine.CommitOptions{Message: "m", Pause: new(false), Changes: []string{"A", "B"}}))
		}, "POST /commit?changes=A&changes=B&comment=m&container=x&format=docker&pause=false"},
		{"put", func() error {
			return e.ContainerPutArchive(ctx, "x", "/d", strings.NewReader(""), engine.PutArchiveOptions{})
		}, "HEAD /containers/x/archive?path=%2Fd PUT /containers/x/archive?copyUIDGID=false&noOverwriteDirNonDir=false&path=%2Fd"},
		{"top", func() error { return second(e.ContainerTop(ctx, "x", engine.TopOptions{})) }, "GET /containers/x/top?ps_args=user&ps_args=pid&ps_args=ppid&ps_args=pcpu&ps_args=etime&ps_args=tty&ps_args=time&ps_args=args"},
		{"list", func() error { return second(e.ContainerList(ctx, engine.ListOptions{})) }, "GET /containers/json?all=false"},
		{"list a number", func() error { return second(e.ContainerList(ctx, engine.ListOptions{Limit: 2, Since: "s"})) }, "GET /containers/json?all=true&filters=%7B%22since%22%3A%5B%22s%22%5D%7D&limit=2"},
		{"prune images", func() error { return second(e.ImagePrune(ctx, engine.Filters{"dangling": {"false"}})) }, "POST /images/prune?all=true"},
		{"prune volumes", func() error { return second(e.VolumePrune(ctx, engine.Filters{"all": {"true"}, "label": {"l"}})) }, "GET /volumes/json?filters=%7B%22dangling%22%3A%5B%22true%22%5D%7D GET /volumes/json?filters=%7B%22label%22%3A%5B%22l%22%5D%7D"},
		{"prune anonymous volumes", func() error { return second(e.VolumePrune(ctx, nil)) }, "GET /volumes/json?filters=%7B%22dangling%22%3A%5B%22true%22%5D%7D"},
		{"diff", func() error { return second(e.ContainerDiff(ctx, "x")) }, "GET /containers/x/changes"},
		{"stats", func() error {
			return second(lastError(e.ContainerStats(ctx, []string{"x", "y"}, engine.StatsOptions{OneShot: true})))
		}, "GET /containers/stats?containers=x&containers=y&stream=false"},
	}
	for _, tt := range tests {
		f.requests()
		err := tt.call()
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		var got []string
		for _, r := range f.requests() {
			got = append(got, strings.Replace(r.String(), "/v5.8.2/libpod", "", 1))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, s, tt.want)
		}
	}
}

// TestResizes: a size that follows another is told a second time, and those that come at once are kept apart.
func TestResizes(t *testing.T) {
	var mu sync.Mutex
	var told []string
	var last time.Time
	f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/start"):
			conn, rw, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			rw.WriteString("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
			rw.Flush()
			conn.Close()
		case strings.HasSuffix(r.URL.Path, "/gone/resize"):
			answer(w, 404, `{"message":"no container with name or ID \"gone\" found: no such container","response":404}`)
		default:
			mu.Lock()
			defer mu.Unlock()
			if gap := time.Since(last); gap < resizeGap*9/10 {
				t.Errorf("%s comes %v after the one before", r.URL, gap)
			}
			last = time.Now()
			told = append(told, r.URL.Query().Get("h"))
			w.WriteHeader(201)
		}
	}}
	e := openFake(t, f)
	ctx := t.Context()
	size := func(rows uint16) engine.Size { return engine.Size{Rows: rows, Cols: 1} }
	want := func(what, sizes string) {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if got := strings.Join(told, " "); got != sizes {
			t.Errorf("%s: told %q, want %q", what, got, sizes)
		}
		told, last = nil, time.Time{}
	}
	for _, rows := range []uint16{1, 2} {
		if err := e.ContainerResize(ctx, "x", size(rows)); err != nil {
			t.Error(err)
		}
	}
	want("one after another", "1 2 2")
	s, err := e.ExecStart(ctx, "y", engine.ExecStartOptions{TTY: true, Size: size(3)})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if err := e.ExecResize(ctx, "y", size(4)); err != nil {
		t.Error(err)
	}
	want("after a start with a size", "4 4")
	for range 2 {
		if err := e.ContainerResize(ctx, "same", size(7)); err != nil {
			t.Error(err)
		}
	}
	want("the same again", "7 7")
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := e.ContainerResize(ctx, "z", size(5)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	want("the same three times at once", "5 5 5")
	wantKind(t, "of a container that is not there", e.ContainerResize(ctx, "gone", size(1)), engine.ErrNotFound)
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if err := e.ContainerResize(ctx, "z", size(6)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestPauseAgain: a container that runc does not get to freeze is paused by another try; what else fails is not tried again.
func TestPauseAgain(t *testing.T) {
	for message, tries := range map[string]int{
		"`/usr/bin/runc pause 0123` failed: exit status 1":                                pauseTries,
		"container 0123 is not running, can't pause: container state improper":            1,
		"\"exited\" is not running, can't pause: failed: exit status 1 of something else": 1,
	} {
		asked := 0
		f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) {
			asked++
			answer(w, 500, fmt.Sprintf(`{"message":%q,"response":500}`, message))
		}}
		if err := openFake(t, f).ContainerPause(t.Context(), "x"); err == nil || asked != tries {
			t.Errorf("%s: %v after %d tries, want %d", message, err, asked, tries)
		}
	}
	asked := 0
	f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		if asked++; asked < 3 {
			answer(w, 500, "{\"message\":\"`/usr/bin/runc pause 0123` failed: exit status 1\",\"response\":500}")
			return
		}
		w.WriteHeader(204)
	}}
	if err := openFake(t, f).ContainerPause(t.Context(), "x"); err != nil || asked != 3 {
		t.Errorf("%v after %d tries", err, asked)
	}
}
