package inspect

import (
	"time"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// Extra is what inspect shows and state does not know.
type Extra struct {
	Now        time.Time // zero is now
	ExecIDs    []string
	SizeRw     *engine.Bytes
	SizeRootFs *engine.Bytes
	LogPath    string
	Dir        string // containers/ID, for the paths of files that inspect shows
	// NetworkIDs by name, for endpoints of containers that do not run.
	NetworkIDs map[string]string
}

// Attrs is the container as inspect shows it.
func Attrs(s *state.Snapshot, x Extra) (*engine.Attrs, error) { panic("TODO") }

// Summary is the container as the list shows it.
func Summary(s *state.Snapshot, now time.Time) engine.Summary { panic("TODO") }

// Sources answers what filters ask beside containers. A nil member means that nothing is found.
type Sources struct {
	// Ancestors returns the image IDs that the filter ancestor=ref stands for: the image, and those made of it.
	Ancestors func(ref string) (ids []string, err error)
	// Find returns the ID of the container that ref means, or engine.ErrNotFound: state.Store.Find.
	Find func(ref string) (string, error)
	// Network returns ID and name of the network that ref means; "" when there is none.
	Network func(ref string) (id, name string)
}

// List filters, sorts (newest first) and cuts containers as opts says. An unknown filter or a malformed value is an engine.InvalidError.
// opts.Size is the caller's to fill in.
func List(all []*state.Snapshot, opts engine.ListOptions, src Sources, now time.Time) ([]engine.Summary, error) {
	panic("TODO")
}
