//go:build linux

package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
)

// Accounts remembers who users are in images, which do not change: to look one up takes a question for each layer. The
// zero value is ready; its methods are safe for concurrent use.
type Accounts struct {
	mu    sync.Mutex
	known map[string]identity // by image ID, user and further groups
}

// account is what of an identity is kept with the container: what its image says alone, and no link there leads elsewhere.
func (id identity) account() *state.Account {
	if id.linked {
		return nil
	}
	return &state.Account{UID: id.user.UID, GID: id.user.GID, Groups: id.user.AdditionalGids, Home: id.home}
}

// keptIdentity is what was kept when the container was made; false where that may be no longer so, as the upper directory has
// something where the accounts are. To look them up takes a question for each layer.
func keptIdentity(a *state.Account, upper string) (identity, bool) {
	if a == nil || hidesAccounts(upper) {
		return identity{}, false
	}
	return identity{home: a.Home, user: specs.User{UID: a.UID, GID: a.GID, AdditionalGids: slices.Clone(a.Groups)}}, true
}

// hidesAccounts says that the image's /etc/passwd and /etc/group may not be the container's.
func hidesAccounts(upper string) bool {
	etc := filepath.Join(upper, "etc")
	info, err := os.Lstat(etc)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err != nil || !info.IsDir() || isOpaque(etc) {
		return true
	}
	for _, name := range []string{"passwd", "group"} {
		if _, err := os.Lstat(filepath.Join(etc, name)); !errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

// maxKnown bounds how many are remembered.
const maxKnown = 256

// imageUser is who the container's user is in the image.
func (b *builder) imageUser() (identity, error) {
	find := func() (identity, error) {
		linked := false
		id, err := lookupUser(userOf(b.cfg), b.s.GroupAdd, layers{b.in.LayerDirs, &linked})
		id.linked = linked
		return id, err
	}
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
