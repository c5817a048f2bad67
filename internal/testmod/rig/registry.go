package rig

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
)

// Registry serves an empty registry at ours, on one of the ports that the engines
// take plain HTTP from, until the test ends, and returns its address.
func Registry(t testing.TB, ours string) string {
	t.Helper()
	var l net.Listener
	var err error
	for port := 5000; port < 5010; port++ {
		if l, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(ours, strconv.Itoa(port))); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatalf("listen for the registry: %v", err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	srv := &http.Server{
		Handler:     registry.New(registry.Logger(log.New(io.Discard, "", 0))),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(l)
	}()
	t.Cleanup(func() {
		cancel()
		srv.Close()
		<-done
	})
	return l.Addr().String()
}
