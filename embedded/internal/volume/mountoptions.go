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

// mount mounts what the volume's options say on dir. Nothing is left mounted after an error.
func (c *config) mount(ctx context.Context, dir string) (err error) {
	device, kind := c.Options["device"], c.Options["type"]
	bits, spread, data := parseOptions(c.Options["o"])
	if strings.HasPrefix(kind, "nfs") || kind == "cifs" || kind == "smb3" {
		if err := resolve(ctx, data); err != nil {
			return err
		}
	}
	what := fmt.Sprintf("mount %s (type %s, options %q)", device, kind, c.Options["o"])
	if bits&unix.MS_BIND != 0 { // the other flags take effect with a remount only
		if len(data) > 0 {
			return fmt.Errorf("%s: a bind has no option %s", what, data[0])
		}
		if err := unix.Mount(device, dir, "", bits&(unix.MS_BIND|unix.MS_REC), ""); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if rest := bits &^ (unix.MS_BIND | unix.MS_REC); rest != 0 {
			err = unix.Mount("", dir, "", rest|unix.MS_REMOUNT|unix.MS_BIND, "")
		}
	} else if err := unix.Mount(device, dir, kind, bits, strings.Join(data, ",")); err != nil {
		if errors.Is(err, unix.ENODEV) {
			return fmt.Errorf("%s: the kernel does not know this type of file system", what)
		}
		return fmt.Errorf("%s: %w", what, err)
	}
	for _, p := range spread {
		if err == nil {
			err = unix.Mount("", dir, "", p, "")
		}
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", what, err), detach(dir))
	}
	return nil
}

// resolve replaces a host name in the option addr by an address, as mount.nfs and Docker do: the kernel knows no names.
func resolve(ctx context.Context, data []string) error {
	for i, o := range data {
		host, ok := strings.CutPrefix(o, "addr=")
		if !ok || net.ParseIP(host) != nil {
			continue
		}
		addrs, err := net.DefaultResolver.LookupIPAddr(ctx, host)
		if err != nil {
			return err
		}
		if len(addrs) == 0 {
			return &os.PathError{Op: "resolve", Path: host, Err: errors.New("it has no address")}
		}
		data[i] = "addr=" + addrs[0].String()
	}
	return nil
}
