//go:build linux

package files

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// asRoot runs f. Where the container has a user namespace, that is done as its root user, on a thread of
// its own, with this process's capabilities: who has no ID there cannot make files in its mounts with shifted owners.
func (o *Options) asRoot(f func() error) error {
	if len(o.UIDMap) == 0 || os.Geteuid() != 0 {
		return f()
	}
	return onThread(func() error {
		if err := o.becomeRoot(); err != nil {
			return err
		}
		return f()
	})
}

// becomeRoot makes the container's root user this thread's for what concerns files.
func (o *Options) becomeRoot() error {
	if len(o.UIDMap) == 0 || os.Geteuid() != 0 {
		return nil
	}
	first := func(m []engine.IDMap) int {
		if id, err := onHost(m, 0); err == nil || len(m) == 0 {
			return id
		}
		return int(m[0].HostID)
	}
	uid, gid := first(o.UIDMap), first(o.GIDMap)
	if _, err := unix.SetfsgidRetGid(gid); err != nil {
		return fmt.Errorf("set group for files: %w", err)
	}
	if _, err := unix.SetfsuidRetUid(uid); err != nil {
		return fmt.Errorf("set user for files: %w", err)
	}
	// With the user the capabilities for files went.
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return fmt.Errorf("get capabilities: %w", err)
	}
	for i := range data {
		data[i].Effective = data[i].Permitted
	}
	if err := unix.Capset(&hdr, &data[0]); err != nil {
		return fmt.Errorf("set capabilities: %w", err)
	}
	return nil
}
