//go:build linux

package volume

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/userns"
	"github.com/berthdev/berth/engine"
)

// A word of mount(8)'s options that is a flag of mount(2): set, or cleared by its opposite.
type flag struct {
	bits  uintptr
	clear bool
}

var flags = map[string]flag{
	"defaults": {}, "ro": {unix.MS_RDONLY, false}, "rw": {unix.MS_RDONLY, true},
	"nosuid": {unix.MS_NOSUID, false}, "suid": {unix.MS_NOSUID, true},
	"nodev": {unix.MS_NODEV, false}, "dev": {unix.MS_NODEV, true},
	"noexec": {unix.MS_NOEXEC, false}, "exec": {unix.MS_NOEXEC, true},
	"sync": {unix.MS_SYNCHRONOUS, false}, "async": {unix.MS_SYNCHRONOUS, true},
	"dirsync": {unix.MS_DIRSYNC, false}, "mand": {unix.MS_MANDLOCK, false}, "nomand": {unix.MS_MANDLOCK, true},
	"noatime": {unix.MS_NOATIME, false}, "atime": {unix.MS_NOATIME, true},
	"nodiratime": {unix.MS_NODIRATIME, false}, "diratime": {unix.MS_NODIRATIME, true},
	"relatime": {unix.MS_RELATIME, false}, "norelatime": {unix.MS_RELATIME, true},
	"strictatime": {unix.MS_STRICTATIME, false}, "nostrictatime": {unix.MS_STRICTATIME, true},
	"bind": {unix.MS_BIND, false}, "rbind": {unix.MS_BIND | unix.MS_REC, false},
}

var propagation = map[string]uintptr{
	"private": unix.MS_PRIVATE, "rprivate": unix.MS_PRIVATE | unix.MS_REC,
	"shared": unix.MS_SHARED, "rshared": unix.MS_SHARED | unix.MS_REC,
	"slave": unix.MS_SLAVE, "rslave": unix.MS_SLAVE | unix.MS_REC,
	"unbindable": unix.MS_UNBINDABLE, "runbindable": unix.MS_UNBINDABLE | unix.MS_REC,
}

// parseOptions takes the option o apart: flags, changes of propagation, and what is the file system's.
func parseOptions(o string) (bits uintptr, spread []uintptr, data []string) {
	for word := range strings.SplitSeq(o, ",") {
		if f, ok := flags[word]; ok {
			if bits |= f.bits; f.clear {
				bits &^= f.bits
			}
		} else if p, ok := propagation[word]; ok {
			spread = append(spread, p)
		} else if word != "" {
			data = append(data, word)
		}
	}
	return bits, spread, data
}

// call is a call of mount(2), and the changes of propagation after it.
type call struct {
	device, kind string
	flags        uintptr
	data         []string
	spread       []uintptr
}

// call is how the volume is mounted: as Docker's driver local does it, so that the kernel gets the same words.
func (c *config) call(ctx context.Context) (m call, err error) {
	m.device, m.kind = c.Options["device"], c.Options["type"]
	m.flags, m.spread, m.data = parseOptions(c.Options["o"])
	return m, m.resolve(ctx)
}

// network says that the kernel mounts the file system from another machine, by its address.
func (m *call) network() bool {
	return m.kind == "nfs" || m.kind == "nfs4" || m.kind == "cifs" || m.kind == "smb3"
}

// resolve replaces a server's name by its address, as mount.nfs, mount.cifs and Docker do: the kernel knows no names. It is that of the
// option addr; SMB without that option has it in the device.
func (m *call) resolve(ctx context.Context) error {
	if !m.network() {
		return nil
	}
	for i, o := range m.data {
		if host, ok := strings.CutPrefix(o, "addr="); ok {
			address, err := lookup(ctx, host)
			m.data[i] = "addr=" + address
			return err
		}
	}
	rest, ok := strings.CutPrefix(m.device, "//")
	if !ok || m.kind == "nfs" || m.kind == "nfs4" {
		return nil
	}
	host, share, _ := strings.Cut(rest, "/")
	address, err := lookup(ctx, host)
	m.device = "//" + address + "/" + share
	return err
}

// lookup is an address of the host, one of IPv4 if there is any. An address is its own.
func lookup(ctx context.Context, host string) (string, error) {
	if net.ParseIP(host) != nil {
		return host, nil
	}
	addrs, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return "", err
	}
	for _, a := range addrs {
		if a.IP.To4() != nil {
			return a.String(), nil
		}
	}
	if len(addrs) == 0 {
		return "", &os.PathError{Op: "resolve", Path: host, Err: errors.New("it has no address")}
	}
	return addrs[0].String(), nil
}

// mount mounts what the volume's options say on dir. Nothing is left mounted after an error.
func (c *config) mount(ctx context.Context, dir string) error {
	m, err := c.call(ctx)
	if err == nil {
		err = m.mount(dir)
	}
	if err != nil {
		return fmt.Errorf("mount %s (type %s, options %q): %w", c.Options["device"], c.Options["type"], withoutSecrets(c.Options["o"]), err)
	}
	return nil
}

func (m *call) mount(dir string) (err error) {
	if m.flags&unix.MS_BIND != 0 { // the other flags take effect with a remount only
		if len(m.data) > 0 {
			return fmt.Errorf("a bind has no option %s", m.data[0])
		}
		if err := unix.Mount(m.device, dir, "", m.flags&(unix.MS_BIND|unix.MS_REC), ""); err != nil {
			return err
		}
		if rest := m.flags &^ (unix.MS_BIND | unix.MS_REC); rest != 0 {
			err = unix.Mount("", dir, "", rest|unix.MS_REMOUNT|unix.MS_BIND, "")
		}
	} else if err := unix.Mount(m.device, dir, m.kind, m.flags, strings.Join(m.data, ",")); errors.Is(err, unix.ENODEV) {
		return errors.New("the kernel does not know this type of file system")
	} else if err == unix.EPERM && !userns.Initial() {
		return &engine.UnsupportedError{Option: "VolumeCreateOptions.DriverOptions[type]", Value: m.kind, Engine: engineName, Reason: "the kernel lets no ordinary user mount it"}
	} else if err != nil {
		return err
	}
	for _, p := range m.spread {
		if err == nil {
			err = unix.Mount("", dir, "", p, "")
		}
	}
	if err != nil {
		return errors.Join(err, detach(dir))
	}
	return nil
}

// withoutSecrets are the options with the values of passwords and keys left out.
func withoutSecrets(o string) string {
	words := strings.Split(o, ",")
	for i, w := range words {
		if key, _, ok := strings.Cut(w, "="); ok && (strings.HasPrefix(key, "pass") || strings.HasPrefix(key, "secret")) {
			words[i] = key + "=********"
		}
	}
	return strings.Join(words, ",")
}
