package userns

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
)

// Maps are the IDs of a user namespace: ContainerID counts from 0 without gaps, and 0 is the user.
type Maps struct {
	UIDs, GIDs []engine.IDMap
	// Reason is why there is no ID but the user's own; "" where there are others.
	Reason string

	uidTool, gidTool string // newuidmap and newgidmap
}

// Single says that the user's own ID is the only one.
func (m *Maps) Single() bool { return m.Reason != "" }

// Inside are the maps as a process in the namespace gives them to a namespace within: all that there is, each as itself.
func (m *Maps) Inside() (uids, gids []engine.IDMap) { return identity(m.UIDs), identity(m.GIDs) }

// identity keeps the ranges apart: the kernel wants each that is given on to lie in one.
func identity(list []engine.IDMap) []engine.IDMap {
	var out []engine.IDMap
	for _, e := range list {
		out = append(out, engine.IDMap{ContainerID: e.ContainerID, HostID: e.ContainerID, Size: e.Size})
	}
	return out
}

// Detect finds the IDs of this process's user.
func Detect() (*Maps, error) { return detect("/etc/subuid", "/etc/subgid") }

func detect(subuid, subgid string) (*Maps, error) {
	uid, gid := os.Geteuid(), os.Getegid()
	m := &Maps{
		UIDs: []engine.IDMap{{HostID: uint32(uid), Size: 1}},
		GIDs: []engine.IDMap{{HostID: uint32(gid), Size: 1}},
	}
	var err error
	if m.uidTool, err = exec.LookPath("newuidmap"); err == nil {
		m.gidTool, err = exec.LookPath("newgidmap")
	}
	if err != nil {
		m.Reason = "newuidmap and newgidmap are not installed (package uidmap or shadow-utils)"
		return m, nil
	}
	name := strconv.Itoa(uid)
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	uids, err := ranges(subuid, name, uid)
	if err != nil {
		return nil, err
	}
	gids, err := ranges(subgid, name, uid)
	if err != nil {
		return nil, err
	}
	if len(uids) == 0 || len(gids) == 0 {
		m.Reason = fmt.Sprintf("the user %s has no range in %s and %s", name, subuid, subgid)
		return m, nil
	}
	m.UIDs, m.GIDs = stack(m.UIDs, uids), stack(m.GIDs, gids)
	return m, nil
}

// stack puts ranges behind each other.
func stack(list, more []engine.IDMap) []engine.IDMap {
	for _, r := range more {
		last := list[len(list)-1]
		r.ContainerID = last.ContainerID + last.Size
		list = append(list, r)
	}
	return list
}

// ranges reads the lines "user:first:count" of one user, by name or number (subuid(5)).
func ranges(path, name string, uid int) ([]engine.IDMap, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read subordinate IDs: %w", err)
	}
	defer f.Close()
	var out []engine.IDMap
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Split(strings.TrimSpace(lines.Text()), ":")
		if len(fields) != 3 || fields[0] != name && fields[0] != strconv.Itoa(uid) {
			continue
		}
		first, err1 := strconv.ParseUint(fields[1], 10, 32)
		count, err2 := strconv.ParseUint(fields[2], 10, 32)
		if err1 != nil || err2 != nil || count == 0 || first+count > 1<<32-1 {
			continue // newuidmap does not take it either
		}
		out = append(out, engine.IDMap{HostID: uint32(first), Size: uint32(count)})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read subordinate IDs: %w", err)
	}
	return out, nil
}
