package lifetime

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/testenv"
)

// victims are who is killed.
var victims = []string{"caller", "monitor", "init"}

// steps are what goes on meanwhile. Each is a job that begins anew until it is killed or has an error; told
// the name of a container that runs, if it says so, it gets the names of others by adding to it.
var steps = []struct {
	name    string
	running bool // the container is there, and runs
}{
	{"create", false}, {"load", false}, {"pull", false}, {"start", false}, {"autoremove", false}, {"restart", false}, {"rotate", false},
	{"exec", true}, {"attach", true}, {"stop", true}, {"remove", true}, {"connect", true},
}

// TestKill kills callers, monitors and first processes with SIGKILL while they are at work. Whatever the moment, the next
// call finds a true state, everything can be removed, and nothing is left.
func TestKill(t *testing.T) {
	w := newWorld(t)
	serveRegistry(t)
	before := w.settled(t)
	seed := uint64(20261121)
	if s := os.Getenv("BERTH_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	rounds := 1
	if os.Getenv("BERTH_SOAK") == "1" {
		rounds = 12
	}
	t.Logf("BERTH_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	cli := w.client(t) // one for all rounds: it sees what others do
	if _, err := cli.Networks.Create(t.Context(), berth.NetworkCreateOptions{Name: "other"}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for range rounds {
		for _, s := range steps {
			for _, victim := range victims {
				n++
				delay := time.Duration(random.IntN(30_000)) * time.Microsecond
				name := fmt.Sprintf("kill%d", n)
				ok := t.Run(fmt.Sprintf("%s of %s after %v", s.name, victim, delay), func(t *testing.T) {
					r := &round{World: w, T: t, cli: cli, name: name, victim: victim, delay: delay, random: random}
					r.run(s.name, s.running)
				})
				if !ok && t.Context().Err() != nil {
					return
				}
			}
		}
	}
	if err := cli.Networks.Remove(t.Context(), "other"); err != nil {
		t.Error(err)
	}
	if len(testenv.Monitors(t)) == 0 {
		// The last monitor was killed: the next container's removes what it has left of the bridge.
		if _, err := cli.Containers.Run(t.Context(), sleeperThatEnds()); err != nil {
			t.Error(err)
		}
	}
	w.nothingNew(t, before)
}

// round is one kill.
type round struct {
	World  *world
	T      *testing.T
	cli    *berth.Client
	name   string
	victim string
	delay  time.Duration
	random *rand.Rand
}

func (r *round) run(step string, running bool) {
	t := r.T
	if running {
		spec := sleeper(r.name)
		spec.Command = berth.Shell("while :; do echo 0123456789; usleep 1000; done")
		if _, err := r.cli.Containers.Start(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
	}
	p := r.World.start(t, "step", step, r.name)
	p.begin()
	time.Sleep(r.delay)
	switch r.victim {
	case "caller":
		p.kill()
	case "monitor":
		r.shoot(func() []int { return monitors(t) })
		r.over(p)
	case "init":
		r.shoot(func() []int { return r.inits() })
		r.over(p)
	}
	r.look()
	r.clear()
}

// shoot kills what it finds, a moment after it is there.
func (r *round) shoot(find func() []int) {
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if len(find()) == 0 {
			continue // a caller that starts none, or none yet
		}
		time.Sleep(time.Duration(r.random.IntN(10_000)) * time.Microsecond)
		for _, pid := range find() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		return
	}
}

// inits are the first processes of the containers.
func (r *round) inits() []int {
	var pids []int
	list, err := r.cli.Containers.List(r.T.Context())
	if err != nil {
		r.T.Error("list: ", err)
	}
	for _, c := range list {
		a, err := c.Inspect(r.T.Context())
		if err == nil && a.State.PID > 0 {
			pids = append(pids, a.State.PID)
		}
	}
	return pids
}

// over waits for the end of the caller, which sees an error of a kind that says what happened, or none.
func (r *round) over(p *program) {
	time.Sleep(r.delay)
	p.in.Close() // its job ends with the next turn
	switch kind, text := p.end(); kind {
	case "ok", "not running", "not found", "unavailable", "cut", "exit", "conflict":
	default:
		r.T.Errorf("the caller: %s: %s", kind, text)
	}
}

// look compares what the engine says with what there is.
func (r *round) look() {
	t := r.T
	list, err := r.cli.Containers.List(t.Context(), berth.ListOptions{All: true})
	if err != nil {
		t.Errorf("list: %v", err)
	}
	for _, c := range list {
		a, err := c.Inspect(t.Context())
		if errors.Is(err, berth.ErrNotFound) {
			continue // it removes itself
		}
		if err != nil {
			t.Errorf("inspect: %v", err)
			continue
		}
		switch st := a.State; st.Status {
		case berth.StatusRunning:
			err := c.Command("true").Run(t.Context())
			switch kind(err) {
			case "ok", "not running", "not found", "exit": // it ends, and its commands with it
			default:
				t.Errorf("%s: said to run: exec: %v", c.Name(), err)
			}
			if err != nil {
				eventually(t, c.Name(), func() error { // its end is recorded after it
					now, err := c.Inspect(t.Context())
					if err == nil && now.State.Status == berth.StatusRunning && alive(now.State.PID) != nil {
						return fmt.Errorf("said to run, but its first process %d is no more", now.State.PID)
					}
					return nil
				})
			}
		case berth.StatusExited, berth.StatusCreated:
			if st.PID != 0 {
				t.Errorf("%s: %s, with process %d", c.Name(), st.Status, st.PID)
			}
			if m := members([]string{c.ID()}); len(m) > 0 {
				if now, err := c.Inspect(t.Context()); err == nil && now.State.Status == st.Status {
					eventually(t, c.Name()+" has ended", func() error {
						if m := members([]string{c.ID()}); len(m) > 0 {
							return fmt.Errorf("%s: it has processes %v", st.Status, m)
						}
						return nil
					})
				}
			}
		}
	}
}

// clear removes everything of the round. What the engine refuses is a failure.
func (r *round) clear() {
	t := r.T
	list, err := r.cli.Containers.List(t.Context(), berth.ListOptions{All: true})
	if err != nil {
		t.Errorf("list: %v", err)
	}
	for _, c := range list {
		err := c.Remove(t.Context(), berth.RemoveOptions{Force: true, Volumes: true})
		if errors.Is(err, berth.ErrConflict) { // it is removing itself
			eventually(t, "remove "+c.Name(), func() error {
				if err := c.Remove(t.Context(), berth.RemoveOptions{Force: true, Volumes: true}); !errors.Is(err, berth.ErrNotFound) {
					return err
				}
				return nil
			})
		} else if err != nil && !errors.Is(err, berth.ErrNotFound) {
			t.Errorf("remove %s: %v", c.Name(), err)
		}
	}
	if _, err := r.cli.Volumes.Prune(t.Context(), berth.Filters{"all": {"true"}}); err != nil {
		t.Errorf("prune volumes: %v", err)
	}
	images, err := r.cli.Images.List(t.Context())
	if err != nil {
		t.Errorf("list images: %v", err)
	}
	for _, img := range images {
		for _, tag := range img.Tags() {
			if strings.Contains(tag, "kill") {
				if _, err := r.cli.Images.Remove(t.Context(), tag); err != nil {
					t.Errorf("remove image %s: %v", tag, err)
				}
			}
		}
	}
	if _, err := r.cli.Images.Prune(t.Context()); err != nil {
		t.Errorf("prune images: %v", err)
	}
}
