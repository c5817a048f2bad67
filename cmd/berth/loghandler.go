package main

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// logHandler shows the library's warnings to the user as "berth: warning: …", and
// with debug all that it logs.
type logHandler struct {
	mu    *sync.Mutex
	w     io.Writer
	debug bool
	attrs []slog.Attr
}

func newLogHandler(w io.Writer, debug bool) *logHandler {
	return &logHandler{mu: new(sync.Mutex), w: w, debug: debug}
}

func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return h.debug || level >= slog.LevelWarn
}

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString("berth: ")
	if level := r.Level; level >= slog.LevelWarn {
		b.WriteString("warning: ")
	} else {
		b.WriteString(strings.ToLower(level.String()) + ": ")
	}
	b.WriteString(r.Message)
	add := func(a slog.Attr) bool {
		b.WriteString(", " + a.Key + " " + a.Value.String())
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	b.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.w, b.String())
	return err
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = append(c.attrs[:len(c.attrs):len(c.attrs)], attrs...)
	return &c
}

// WithGroup keeps the names flat: the library does not group.
func (h *logHandler) WithGroup(string) slog.Handler { return h }
