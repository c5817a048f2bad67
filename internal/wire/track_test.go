package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
)

func TestTracker(t *testing.T) {
	var peers []net.Conn
	tracker := Track(func(context.Context) (net.Conn, error) {
		ours, theirs := net.Pipe()
		peers = append(peers, theirs)
		return ours, nil
	})
	first, err := tracker.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, half := first.(halfCloser); half {
		t.Error("a pipe has no half-close")
	}
	second, err := tracker.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if n := len(tracker.conns); n != 1 {
		t.Errorf("%d connections", n)
	}
	for range 2 {
		tracker.Close()
	}
	if _, err := second.Read(make([]byte, 1)); err == nil {
		t.Error("read from a closed connection")
	}
	if _, err := peers[1].Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the peer reads %v", err)
	}
	if _, err := tracker.Dial(t.Context()); !errors.Is(err, ErrClosed) || len(peers) != 2 {
		t.Errorf("dialled after Close: %v", err)
	}
}

// TestTrackerHalfClose keeps the half-close of what it wraps, and what carries it.
func TestTrackerHalfClose(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tracker := Track(DialTCP(l.Addr().String()))
	defer tracker.Close()
	c, err := tracker.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	if err := c.(halfCloser).CloseWrite(); err != nil {
		t.Error(err)
	}
	if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the peer reads %v", err)
	}
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if n, err := c.Read(make([]byte, 2)); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, ok := c.(interface{ NetConn() net.Conn }).NetConn().(*net.TCPConn); !ok {
		t.Error("NetConn is none of TCP")
	}
}
