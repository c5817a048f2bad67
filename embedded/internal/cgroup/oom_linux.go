package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// OOMKills counts the processes of the group that the kernel has killed for want of memory. A
// group without the memory controller has none.
func (g *Group) OOMKills() (uint64, error) {
	d := g.with("memory")
	if d == nil {
		return 0, nil
	}
	file := "/memory.oom_control"
	if d.v2 {
		file = "/memory.events"
	}
	m, err := table(d.path + file)
	if err != nil {
		if g.rootless && isDenied(err) {
			return 0, nil
		}
		return 0, err
	}
	return m["oom_kill"], nil
}

// WatchOOM calls f whenever the group has run out of memory, with the number of [Group.OOMKills] by then, until ctx
// ends; then it returns nil. It sleeps in between. On v1 it also ends when the group is removed, of which v2
// does not tell, and f is called also where the kernel may not kill (OOMKillDisable).
func (g *Group) WatchOOM(ctx context.Context, f func(kills uint64)) error {
	d := g.with("memory")
	if d == nil {
		<-ctx.Done()
		return nil
	}
	var events *os.File
	var err error
	if d.v2 {
		events, err = watchV2(d.path)
	} else {
		events, err = watchV1(d.path)
	}
	if err != nil {
		return fmt.Errorf("watch the memory of %s: %w", g.path, err)
	}
	defer events.Close()
	stop := context.AfterFunc(ctx, func() { events.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()

	known, err := g.OOMKills()
	if err != nil {
		return gone(err)
	}
	buf := make([]byte, 4096)
	for {
		if _, err := events.Read(buf); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		now, err := g.OOMKills()
		// v1 tells before the kernel has killed, and also where one that is ending anyway makes room.
		stuck := false
		for round := 0; err == nil && now == known && !d.v2; round++ {
			short, disabled := shortage(d.path)
			if stuck = short && disabled; stuck || !short && round > 20 {
				break
			}
			if sleep(ctx, 2*time.Millisecond) != nil {
				return nil
			}
			now, err = g.OOMKills()
		}
		if err != nil {
			return gone(err)
		}
		if now != known || stuck {
			known = now
			f(now)
		}
	}
}

// shortage says that processes of a group of v1 wait for memory, and whether the kernel may not kill for it.
func shortage(dir string) (short, disabled bool) {
	m, _ := table(dir + "/memory.oom_control")
	return m["under_oom"] == 1, m["oom_kill_disable"] == 1
}

// gone is nil for the error of a group that has been removed.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return err
}

// watchV1 makes an eventfd that the kernel counts up at each shortage, and when the group is removed.
func watchV1(dir string) (*os.File, error) {
	control, err := open(dir+"/memory.oom_control", unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(control)
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	if err := write(dir+"/cgroup.event_control", fmt.Sprintf("%d %d", fd, control)); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "eventfd"), nil
}

// watchV2 makes an inotify descriptor for the file with the counts.
func watchV2(dir string) (*os.File, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, err
	}
	path := dir + "/memory.events"
	if _, err := unix.InotifyAddWatch(fd, path, unix.IN_MODIFY); err != nil {
		unix.Close(fd)
		return nil, &fs.PathError{Op: "watch", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), "inotify"), nil
}
