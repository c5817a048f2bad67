//go:build linux

package config

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/engine"
)

// files opens files of a container.
type files interface {
	open(path string) (*os.File, error)
}

// maxAccounts bounds what is read of /etc/passwd and /etc/group, which are the image's.
const maxAccounts = 16 << 20

// identity is who a process is.
type identity struct {
	user specs.User
	home string
	// linked says that a link was followed on the way to /etc/passwd or /etc/group.
	linked bool
}

// lookupUser finds USER[:GROUP], by name or number, and further groups in the container's files, by the rules of Docker
// (moby/sys/user, GetExecUser): a number needs no entry; without a group, the groups are those that
// the user is a member of. The home directory is that of the user's entry, else "/".
func lookupUser(spec string, groups []string, root files) (identity, error) {
	name, group, _ := strings.Cut(spec, ":")
	if name == "" {
		name = "0"
	}
	id := identity{home: "/"}
	uid, uidErr := accountID(name)
	passwd, err := findUser(root, name, uid, uidErr == nil)
	if err != nil {
		return id, err
	}
	switch {
	case passwd != nil:
		id.user.UID, id.user.GID = passwd.uid, passwd.gid
		if passwd.home != "" {
			id.home = passwd.home
		}
	case uidErr == nil:
		id.user.UID = uid
	default:
		return id, noEntry("user", name, "passwd")
	}
	list, err := groupsOf(root, passwd, group, groups)
	if err != nil {
		return id, err
	}
	if group != "" {
		if id.user.GID, err = list.id(group); err != nil {
			return id, err
		}
	}
	gids := []uint32{id.user.GID} // it is among them as well: CVE-2022-36109
	if group == "" && passwd != nil {
		for _, g := range list {
			if slices.Contains(g.members, passwd.name) {
				gids = appendID(gids, g.gid)
			}
		}
	}
	for _, g := range groups {
		gid, err := list.id(g)
		if err != nil {
			return id, err
		}
		gids = appendID(gids, gid)
	}
	id.user.AdditionalGids = gids
	return id, nil
}

func appendID(list []uint32, id uint32) []uint32 {
	if slices.Contains(list, id) {
		return list
	}
	return append(list, id)
}

func noEntry(kind, name, file string) error {
	return &engine.APIError{Engine: engineName, Op: "find " + kind, Object: name, Message: "no matching entries in " + file + " file", Kind: engine.ErrInvalid}
}

// accountID reads an ID; the kernel's is 32 bits wide, and engines take 31.
func accountID(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	return uint32(n), err
}

// account is a line of /etc/passwd.
type account struct {
	name     string
	uid, gid uint32
	home     string
}

// findUser finds a user by name, or by ID; nil is no entry.
func findUser(root files, name string, uid uint32, numeric bool) (*account, error) {
	var a *account
	err := readAccounts(root, "/etc/passwd", func(f []string) bool {
		if len(f) < 4 {
			return true
		}
		id, err := accountID(f[2])
		if err != nil || numeric && id != uid || !numeric && f[0] != name {
			return true
		}
		gid, _ := accountID(f[3])
		a = &account{name: f[0], uid: id, gid: gid}
		if len(f) > 5 {
			a.home = f[5]
		}
		return false
	})
	return a, err
}

// group is a line of /etc/group.
type groupEntry struct {
	name    string
	gid     uint32
	members []string
}

type groupList []groupEntry

// groupsOf reads /etc/group where something must be looked up in it.
func groupsOf(root files, user *account, group string, add []string) (groupList, error) {
	byName := func(g string) bool { _, err := accountID(g); return err != nil }
	if !(group == "" && user != nil || group != "" && byName(group) || slices.ContainsFunc(add, byName)) {
		return nil, nil
	}
	var list groupList
	err := readAccounts(root, "/etc/group", func(f []string) bool {
		if len(f) < 3 {
			return true
		}
		gid, err := accountID(f[2])
		if err != nil {
			return true
		}
		g := groupEntry{name: f[0], gid: gid}
		if len(f) > 3 && f[3] != "" {
			g.members = strings.Split(f[3], ",")
		}
		list = append(list, g)
		return true
	})
	return list, err
}

// id is a group's ID: a number is one.
func (l groupList) id(name string) (uint32, error) {
	if n, err := accountID(name); err == nil {
		return n, nil
	}
	for _, g := range l {
		if g.name == name {
			return g.gid, nil
		}
	}
	return 0, noEntry("group", name, "group")
}

// readAccounts gives the fields of each line, until line says false. A file that is missing, or none that can be read as
// one, has no lines.
func readAccounts(root files, path string, line func(fields []string) bool) error {
	f, err := root.open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrInvalid):
		return nil
	case err != nil:
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, maxAccounts))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		if !line(strings.Split(text, ":")) {
			return nil
		}
	}
	return lines.Err()
}
