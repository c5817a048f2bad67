package nproc

import (
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestExplain(t *testing.T) {
	for _, err := range []error{nil, io.EOF, syscall.ENOMEM} {
		if got := Explain(err); got != err {
			t.Errorf("%v is explained as %v", err, got)
		}
	}
	err := Explain(os.NewSyscallError("clone", syscall.EAGAIN))
	if !errors.Is(err, syscall.EAGAIN) || strings.Count(err.Error(), Hint) != 1 || Explain(err) != err {
		t.Error(err)
	}
}

func TestTold(t *testing.T) {
	for words, want := range map[string]bool{
		"":      false,
		"panic": false,
		"runtime: failed to create new OS thread (have 2 already; errno=12)":                                                                                       false,
		"runtime: failed to create new OS thread (have 2 already; errno=11)\nruntime: may need to increase max user processes (ulimit -u)\nfatal error: newosproc": true,
		"runtime/cgo: pthread_create failed: Resource temporarily unavailable\nSIGABRT: abort":                                                                     true,
	} {
		if got := Told(words); got != want {
			t.Errorf("%q: %v", words, got)
		}
	}
}
