package rig

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/berthdev/berth"
)

func isGone(err error) bool { return errors.Is(err, berth.ErrNotFound) }

// Buffer is a bytes.Buffer that is safe for concurrent use.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Says fails the test unless err says all of these.
func Says(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one that says %q", parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

// Notify is a writer that closes Seen at the first byte.
type Notify struct {
	once sync.Once
	seen chan struct{}
	buf  Buffer
}

// NewNotify makes a Notify.
func NewNotify() *Notify { return &Notify{seen: make(chan struct{})} }

func (n *Notify) Write(p []byte) (int, error) {
	c, err := n.buf.Write(p)
	if len(p) > 0 {
		n.once.Do(func() { close(n.seen) })
	}
	return c, err
}

// Seen is closed once something was written.
func (n *Notify) Seen() <-chan struct{} { return n.seen }

func (n *Notify) String() string { return n.buf.String() }
