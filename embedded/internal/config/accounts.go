//go:build linux

package config

import (
	"slices"
	"strings"
	"sync"
)

// Accounts remembers who users are in images, which do not change: to look one up takes a question for each layer. The
// zero value is ready; its methods are safe for concurrent use.
type Accounts struct {
	mu    sync.Mutex
	known map[string]identity // by image ID, user and further groups
}

// maxKnown bounds how many are remembered.
const maxKnown = 256

// imageUser is who the container's user is in the image.
func (b *builder) imageUser() (identity, error) {
	find := func() (identity, error) { return lookupUser(userOf(b.cfg), b.s.GroupAdd, layers{b.in.LayerDirs}) }
	if b.in.Accounts == nil || b.in.Image == nil || b.in.Image.ID == "" {
		return find()
	}
	key := strings.Join(append([]string{b.in.Image.ID, userOf(b.cfg)}, b.s.GroupAdd...), "\x00")
	return b.in.Accounts.get(key, find)
}

// get is what is known, or what find says.
func (a *Accounts) get(key string, find func() (identity, error)) (identity, error) {
	a.mu.Lock()
	id, ok := a.known[key]
	a.mu.Unlock()
	if !ok {
		var err error
		if id, err = find(); err != nil {
			return id, err
		}
		a.mu.Lock()
		if a.known == nil || len(a.known) >= maxKnown {
			a.known = make(map[string]identity)
		}
		a.known[key] = id
		a.mu.Unlock()
	}
	id.user.AdditionalGids = slices.Clone(id.user.AdditionalGids)
	return id, nil
}
