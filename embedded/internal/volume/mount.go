//go:build linux

package volume

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// usersDir has a file for each user of a volume that is mounted, with the boot ID in it.
const usersDir = "users"

// checkOptions accepts the options of Docker's local driver: type and device, which
// belong together, and o. A size needs quotas, which the store does not have.
func checkOptions(opts map[string]string) error {
	for key, v := range opts {
		switch key {
		case "type", "device", "o":
		case "size":
			return &engine.UnsupportedError{Option: "VolumeCreateOptions.DriverOptions[size]", Value: v, Engine: engineName, Reason: "the store has no quotas; a volume of type tmpfs takes o=size=…"}
		default:
			return &engine.InvalidError{Option: "VolumeCreateOptions.DriverOptions", Value: key, Reason: "the driver local has type, device and o"}
		}
	}
	if len(opts) == 0 {
		return nil
	}
	bind := hasOption(opts["o"], "bind") || hasOption(opts["o"], "rbind")
	switch {
	case opts["device"] == "":
		return &engine.InvalidError{Option: "VolumeCreateOptions.DriverOptions[device]", Reason: "it is missing"}
	case opts["type"] == "" && !bind:
		return &engine.InvalidError{Option: "VolumeCreateOptions.DriverOptions[type]", Reason: "it is missing"}
	case bind && !filepath.IsAbs(opts["device"]):
		return &engine.InvalidError{Option: "VolumeCreateOptions.DriverOptions[device]", Value: opts["device"], Reason: "a bind needs an absolute path"}
	}
	return nil
}

func hasOption(list, want string) bool {
	for o := range strings.SplitSeq(list, ",") {
		if o == want {
			return true
		}
	}
	return false
}

func (c *config) needsMount() bool { return c.Options["device"] != "" }

// NeedsMount tells that the volume has to be mounted before its use: it has the option device.
func (s *Store) NeedsMount(name string) bool {
	c, err := s.load(name)
	return err == nil && c.needsMount()
}

// Mount mounts the volume as its options say, on Path(name), on behalf of user, a
// container's ID, unless it is mounted already. For a volume without such options
// it does nothing. A mount that fails is an error that says what was to be mounted.
func (s *Store) Mount(ctx context.Context, name, user string) error {
	c, err := s.get("mount volume", name)
	if err != nil || !c.needsMount() {
		return err
	}
	if !validName(user) {
		return &engine.InvalidError{Option: "user of a volume", Value: user}
	}
	unlock, err := s.lockVolume(ctx, name)
	if err != nil {
		return err
	}
	// A server that does not answer holds mount(2) for minutes, and nothing interrupts that. Who does not wait for it any more leaves it
	// behind, with the lock: what it mounts after all is unmounted again.
	done, left := make(chan error), make(chan struct{})
	go func() {
		defer unlock()
		err := s.mountFor(ctx, c, user)
		select {
		case done <- err:
		case <-left:
			if err == nil {
				_ = s.release(name, user)
			}
		}
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
		close(left)
	}
	if err != nil {
		return fmt.Errorf("mount volume %s: %w", name, err)
	}
	return nil
}

// mountFor is Mount with the volume's lock held.
func (s *Store) mountFor(ctx context.Context, c *config, user string) error {
	dir := s.Path(c.Name)
	mounted, err := isMount(dir)
	if err == nil && !mounted {
		err = c.mount(ctx, dir)
	}
	if err != nil {
		return err
	}
	if err := s.use(c.Name, user); err != nil {
		if !mounted {
			err = errors.Join(err, detach(dir))
		}
		return err
	}
	return nil
}

func (s *Store) use(name, user string) error {
	boot, err := bootID()
	if err != nil {
		return err
	}
	dir := filepath.Join(s.root, name, usersDir)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.WriteFile(filepath.Join(dir, user), []byte(boot), 0o600)
}

// Unmount takes user's use of the volume back and unmounts it with the last. It is idempotent, and does nothing for a volume that is not there.
func (s *Store) Unmount(ctx context.Context, name, user string) error {
	c, err := s.load(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !c.needsMount() {
		return nil
	}
	if err != nil {
		return fmt.Errorf("unmount volume: %w", err)
	}
	unlock, err := s.lockVolume(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.release(name, user); err != nil {
		return fmt.Errorf("unmount volume %s: %w", name, err)
	}
	return nil
}

func (s *Store) release(name, user string) error {
	dir := filepath.Join(s.root, name, usersDir)
	if err := os.Remove(filepath.Join(dir, user)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	boot, err := bootID()
	if err != nil {
		return err
	}
	for _, e := range list {
		if text, err := os.ReadFile(filepath.Join(dir, e.Name())); err == nil && string(text) == boot {
			return nil
		}
		_ = os.Remove(filepath.Join(dir, e.Name())) // of before a reboot
	}
	return detach(s.Path(name))
}

func (s *Store) lockVolume(ctx context.Context, name string) (func(), error) {
	return flock(ctx, filepath.Join(s.root, name, "lock"), unix.LOCK_EX)
}

func bootID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text)), err
}

// MountPrivate mounts the volume in the calling thread's mount namespace, unless it is
// mounted there already, without a trace elsewhere: the namespace is the caller's own, without propagation.
func (s *Store) MountPrivate(name string) error {
	c, err := s.get("mount volume", name)
	if err != nil || !c.needsMount() {
		return err
	}
	mounted, err := isMount(s.Path(name))
	if err == nil && !mounted {
		err = c.mount(context.Background(), s.Path(name)) // no ctx: it looks a server's name up at most
	}
	if err != nil {
		return fmt.Errorf("mount volume %s: %w", name, err)
	}
	return nil
}
