package server

import (
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/berthdev/berth/embedded/internal/monitor/proto"
)

// A process whose container has gone can be the next one's monitor, if its caller wants one: nothing has to be
// started, initialised, read and compiled again. Only an ordinary life leads there: one run that began and ended well, without another
// runtime and without trouble. And nothing of the container may be left, so the process looks at itself: with
// another goroutine or descriptor than it began with it ends, as it does after every other life.

// residue is what can be left of a container in a process.
type residue struct {
	goroutines int
	files      []string // descriptors
	oomScore   string
}

func (r residue) equal(o residue) bool {
	return r.goroutines == o.goroutines && slices.Equal(r.files, o.files) && r.oomScore == o.oomScore
}

// look looks what there is in this process.
func look() (r residue, err error) {
	r.goroutines = runtime.NumGoroutine()
	adj, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		return r, err
	}
	r.oomScore = string(adj)
	d, err := os.Open("/proc/self/fd")
	if err != nil {
		return r, err
	}
	defer d.Close()
	r.files, err = d.Readdirnames(-1)
	slices.Sort(r.files)
	return r, err
}

// mostYields is how often the goroutines that are just ending are given time to.
const mostYields = 50

// again offers the process to its caller, when the container of m has gone.
func (p *lifetime) again(m *monitor) bool {
	if p.looked != nil || m.hello.Die != "" || m.hello.Rootless || m.runs != 1 || m.cfg.Runtime != "" || m.failure != "" {
		return false
	}
	for range mostYields {
		if runtime.NumGoroutine() == p.begun.goroutines {
			break
		}
		time.Sleep(20 * time.Microsecond)
	}
	now, err := look()
	if err != nil || !now.equal(p.begun) {
		return false
	}
	_, err = p.control.Write([]byte(proto.Free))
	return err == nil
}
