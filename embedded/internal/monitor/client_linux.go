package monitor

import (
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/embedded/internal/userns"
)

// Client talks to monitors. Its fields are set before the first call and not
// changed after. Its methods are safe for concurrent use. Arguments named id
// are full IDs ([state.Store.Find]). Errors are those of package engine.
//
// No method wants the container's lock ([state.Store.Lock]) held, and none may be
// called while the caller holds it, but [Client.Recover] and [Client.Update]: Start, Restart and Retire
// take it themselves.
type Client struct {
	Store *state.Store
	// Exe is the program that monitors run, which must import this package; "" is this program itself.
	Exe string
	// NoForwardCheck and Rootless are options of the monitors' network.
	NoForwardCheck bool
	Rootless       bool
	// User are the IDs of the user namespace that monitors are started in; nil: they stay in that of this process.
	User *userns.Maps
	// Log gets what is worth telling; nil is nothing.
	Log *slog.Logger

	mu        sync.Mutex
	seal      *sealed
	die       string   // the step at which monitors kill themselves
	stderr    *os.File // of monitors; nil is /dev/null. Tests want to see panics.
	execs     execs
	children  []int        // monitors that this process has started, and not reaped
	spare     *child       // the monitor that waits for the first start; nil is none
	kept      []*child     // monitors that may wait for another container when theirs have gone, the last one last
	let       time.Time    // when a monitor was let go last
	preparing bool         // a spare is being started
	starts    atomic.Int32 // calls of Start that are under way
}

// Close releases the sealed program file. Monitors go on.
func (c *Client) Close() error { return c.closeSeal() }
