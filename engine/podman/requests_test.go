package podman

import (
	"net/http"
	"strings"
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
