package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/nproc"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/testenv"
)

// TestRefusedProcesses: an ordinary user who may have no more processes is told so, whichever of them it is that cannot be made:
// one of this program, a thread of the monitor or of a worker, newuidmap, or the container's own.
func TestRefusedProcesses(t *testing.T) {
	if os.Getenv(asUser) != "" {
		refusedAsUser(t)
		return
	}
	if os.Getenv("BERTH_EMBEDDED") == "" {
		t.Skip("BERTH_EMBEDDED is not set: containers are started in .ci/run")
	}
	var out bytes.Buffer
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestRefusedProcesses$", "-test.timeout=4m", "-test.v="+fmt.Sprint(testing.Verbose()))
	cmd.Env = []string{asUser + "=limit"}
	cmd.Stdout, cmd.Stderr = &out, &out
	err := testenv.Everything.Run(cmd)
	t.Logf("%s", &out)
	if err != nil {
		t.Fatal(err)
	}
}

func refusedAsUser(t *testing.T) {
	ctx := t.Context()
	e, err := Open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := e.ImageImport(ctx, testenv.Busybox(t), engine.ImportOptions{Reference: image1, Changes: []string{"ENV PATH=/bin"}}); err != nil {
		t.Fatal(err)
	}
	threads := spareThreads(t)
	var most unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &most); err != nil {
		t.Fatal(err)
	}
	limit := func(n uint64) {
		t.Helper()
		if err := unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: min(n, most.Max), Max: most.Max}); err != nil {
			t.Fatal(err)
		}
	}
	create := func() (string, error) {
		res, err := e.ContainerCreate(ctx, &engine.Spec{Image: image1, Command: []string{"sleep", "1000"}, NetworkMode: "none"}, engine.CreateOptions{})
		return res.ID, err
	}
	remove := func(id string) {
		t.Helper()
		err := e.ContainerRemove(ctx, id, engine.RemoveOptions{Force: true})
		if errors.Is(err, engine.ErrUnavailable) { // its monitor keeps the limit, and may have died of a thread that this wanted
			err = e.ContainerRemove(ctx, id, engine.RemoveOptions{Force: true})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	refused := map[string]int{}
	check := func(what string, more int, err error) {
		t.Helper()
		if err == nil {
			return
		}
		refused[what]++
		t.Logf("%s with %d more: %v", what, more, err)
		if !strings.Contains(err.Error(), nproc.Hint) {
			t.Errorf("%s with %d more processes: %v", what, more, err)
		}
	}
	for _, more := range []int{0, 3, 4, 5, 6, 7, 8, 10} {
		id, err := create()
		if err != nil {
			t.Fatal(err)
		}
		limit(uint64(threads + more))
		check("start", more, e.ContainerStart(ctx, id, engine.StartOptions{}))
		other, err := create()
		check("create", more, err)
		limit(most.Cur)
		remove(id)
		if other != "" {
			remove(other)
		}
	}
	if refused["start"] == 0 || refused["create"] == 0 {
		t.Errorf("refused: %v", refused)
	}
	id, err := create()
	if err == nil {
		err = e.ContainerStart(ctx, id, engine.StartOptions{})
	}
	if err != nil {
		t.Fatalf("without the limit: %v", err)
	}
	remove(id)
}

// spareThreads makes so many threads that this process needs no further one, and returns how many it has: without one that it
// needs, the runtime ends it.
func spareThreads(t *testing.T) int {
	const n = 40
	var here, done sync.WaitGroup
	end := make(chan struct{})
	here.Add(n)
	for range n {
		done.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			here.Done()
			<-end
		})
	}
	here.Wait()
	close(end)
	done.Wait()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}
