//go:build linux

package image

import (
	"sync"

	"github.com/berthdev/berth/engine"
)

// progress adds up how far the layers are, and reports one call at a time.
type progress struct {
	mu     sync.Mutex
	report func(engine.PullProgress) // may be nil
	now    engine.PullProgress
	told   int64 // bytes that were reported
}

// step is how many bytes go by between two reports.
const step = 256 << 10

func (p *progress) change(status, id string, change func(*engine.PullProgress)) {
	if p.report == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.now)
	p.now.Status, p.now.ID = status, id
	p.told = p.now.Current
	p.report(p.now)
}

// add makes layers known that are to be moved.
func (p *progress) add(status, id string, size int64) {
	p.change(status, id, func(n *engine.PullProgress) { n.Total += size; n.Layers++ })
}

// done tells of a layer that is complete.
func (p *progress) done(status, id string) {
	p.change(status, id, func(n *engine.PullProgress) { n.Done++ })
}

// say reports words alone.
func (p *progress) say(status, id string) {
	p.change(status, id, func(*engine.PullProgress) {})
}

// moved returns the function that is told of a layer's bytes.
func (p *progress) moved(status, id string) func(int) {
	if p.report == nil {
		return nil
	}
	return func(n int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.now.Current += int64(n)
		if p.now.Current-p.told >= step || p.now.Current == p.now.Total {
			p.now.Status, p.now.ID = status, id
			p.told = p.now.Current
			p.report(p.now)
		}
	}
}
