package leaktest

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m) }

func TestGoroutineIsSeen(t *testing.T) {
	before := take()
	stop := make(chan struct{})
	go func() { <-stop }()
	if left := before.left(time.Millisecond); !strings.Contains(left, "TestGoroutineIsSeen") {
		t.Errorf("left = %q, want the goroutine of this test", left)
	}
	close(stop)
	if left := before.left(patience); left != "" {
		t.Errorf("left after its end: %s", left)
	}
}

func TestDescriptorIsSeen(t *testing.T) {
	if descriptors() == nil {
		t.Log("this system has no /proc/self/fd")
		return
	}
	before := take()
	f, err := os.Create(t.TempDir() + "/leak")
	if err != nil {
		t.Fatal(err)
	}
	if left := before.left(time.Millisecond); !strings.Contains(left, "/leak") {
		t.Errorf("left = %q, want the open file", left)
	}
	f.Close()
	if left := before.left(patience); left != "" {
		t.Errorf("left after Close: %s", left)
	}
}

// recorder is a TB that keeps failures and cleanups.
type recorder struct {
	testing.TB
	failed   string
	cleanups []func()
}

func (r *recorder) Helper()                   {}
func (r *recorder) Name() string              { return "recorder" }
func (r *recorder) Cleanup(f func())          { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(s string, _ ...any) { r.failed = s }

func TestCheckPassesCleanTests(t *testing.T) {
	r := new(recorder)
	Check(r)
	done := make(chan struct{})
	go func() { time.Sleep(20 * time.Millisecond); close(done) }() // ends by itself, late
	for _, f := range r.cleanups {
		f()
	}
	<-done
	if r.failed != "" || len(r.cleanups) != 1 {
		t.Errorf("failed %q with %d cleanups, want one that passes", r.failed, len(r.cleanups))
	}
}

func TestRunKeepsTheCodeOfFailedTests(t *testing.T) {
	if code := run(func() int { return 3 }, nil); code != 3 {
		t.Errorf("code = %d, want 3", code)
	}
	if code := run(func() int { return 0 }, nil); code != 0 {
		t.Errorf("code of clean tests = %d, want 0", code)
	}
}
