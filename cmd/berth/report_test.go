package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
)

func TestReport(t *testing.T) {
	orphan := &berth.OrphanError{Container: new(berth.Container), Cause: context.Canceled, Cleanup: io.ErrUnexpectedEOF}
	for name, tt := range map[string]struct {
		err    error
		signal syscall.Signal
		code   int
		text   string
	}{
		"success":        {},
		"failure":        {err: io.ErrUnexpectedEOF, code: 125, text: "berth: unexpected EOF\n"},
		"several":        {err: errors.Join(io.EOF, errors.Join(io.ErrNoProgress)), code: 125, text: "berth: EOF\nberth: multiple Read calls return no data or error\n"},
		"usage":          {err: usageError{errors.New("no such flag")}, code: 125, text: "berth: no such flag\n"},
		"process":        {err: &berth.ExitError{Code: 7, Stderr: []byte("its words")}, code: 7},
		"missing":        {err: &berth.ExitError{Code: 127, Message: "x: no such file"}, code: 127, text: "berth: x: no such file\n"},
		"not executable": {err: exitError{126, errors.New("it is a directory")}, code: 126, text: "berth: it is a directory\n"},
		"process, left behind": {
			err: &berth.OrphanError{Container: new(berth.Container), Cause: &berth.ExitError{Code: 7}, Cleanup: io.EOF}, code: 7,
			text: "berth: exit code 7 (Container() was left behind: EOF)\n",
		},
		"signal":              {err: context.Canceled, signal: syscall.SIGTERM, code: 143},
		"signal, left behind": {err: orphan, signal: syscall.SIGINT, code: 130, text: "berth: context canceled (Container() was left behind: unexpected EOF)\n"},
		"signal, alive": {
			err: &berth.ExecAliveError{ExecID: "e", Container: "c", Cause: context.Canceled, Err: io.EOF}, signal: syscall.SIGINT, code: 130,
			text: "berth: exec e in container c is still running: context canceled (could not be killed: EOF)\n",
		},
		"nobody reads":   {err: fmt.Errorf("copy: %w: %w", errOutput, &os.PathError{Op: "write", Err: syscall.EPIPE}), code: 141},
		"engine's pipe":  {err: syscall.EPIPE, code: 125, text: "berth: broken pipe\n"},
		"one engine":     {err: &berth.ConnectError{Tried: []berth.Attempt{{Host: "unix:///x", Source: "WithHost", Err: io.EOF}}}, code: 125, text: "berth: connect to container engine at unix:///x (--host): EOF\n"},
		"no engine":      {err: &berth.ConnectError{}, code: 125, text: "berth: no container engine found: nothing to try\nberth: start Docker or Podman, or name an engine with --host\n"},
		"named by flags": {err: &berth.UnsupportedError{Option: "Spec.Init", Engine: "docker"}, code: 125, text: "berth: --init is not supported by docker\n"},
	} {
		t.Run(name, func(t *testing.T) {
			stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
			if err != nil {
				t.Fatal(err)
			}
			defer stderr.Close()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if tt.signal != 0 {
				cancel(signalError{tt.signal})
			}
			a := &app{stderr: stderr}
			if code := a.report(ctx, tt.err); code != tt.code {
				t.Errorf("exit code is %d, want %d", code, tt.code)
			}
			text, err := os.ReadFile(stderr.Name())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.text, string(text)); diff != "" {
				t.Errorf("standard error (-want +got):\n%s", diff)
			}
		})
	}
}
