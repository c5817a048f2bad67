//go:build linux

package config

import (
	"os"

	"github.com/berthdev/berth/engine"
)

// UserNamespace makes a user namespace with these maps that nobody is in, for mounts with shifted owners. The caller closes it.
func UserNamespace(uids, gids []engine.IDMap) (*os.File, error) { return userNamespace(uids, gids) }
