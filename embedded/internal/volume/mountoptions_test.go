//go:build linux

package volume

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// TestCall: what mount(2) gets of a volume's options is what Docker's driver gives it: the flags, the names of servers as
// addresses, and all else in its order, word by word.
func TestCall(t *testing.T) {
	for name, c := range map[string]struct {
		kind, device, o string
		want            call
	}{
		"nfs": {"nfs", ":/export/a", "addr=192.0.2.1,rw,nolock,soft,nfsvers=4.1,timeo=600", call{
			device: ":/export/a", data: []string{"addr=192.0.2.1", "nolock", "soft", "nfsvers=4.1", "timeo=600"},
		}},
		"nfs by name": {"nfs", ":/", "nolock,addr=localhost,ro,noatime", call{
			device: ":/", flags: unix.MS_RDONLY | unix.MS_NOATIME, data: []string{"nolock", "addr=127.0.0.1"},
		}},
		"nfs4 over IPv6":       {"nfs4", ":/", "addr=2001:db8::1", call{device: ":/", data: []string{"addr=2001:db8::1"}}},
		"nfs, the device's":    {"nfs", "localhost:/a", "vers=3", call{device: "localhost:/a", data: []string{"vers=3"}}},
		"only addr is a name":  {"nfs", ":/", "mountaddr=localhost,xaddr=localhost", call{device: ":/", data: []string{"mountaddr=localhost", "xaddr=localhost"}}},
		"not of a network":     {"tmpfs", "//localhost/x", "addr=localhost", call{device: "//localhost/x", data: []string{"addr=localhost"}}},
		"cifs with an address": {"cifs", "//server/share", "addr=localhost,vers=3.0", call{device: "//server/share", data: []string{"addr=127.0.0.1", "vers=3.0"}}},
		"cifs": {"cifs", "//localhost/share/a b", "username=u,password=p@:/w%20,vers=3.1.1,file_mode=0777,dir_mode=0777,nosuid,rshared", call{
			device: "//127.0.0.1/share/a b", flags: unix.MS_NOSUID, spread: []uintptr{unix.MS_SHARED | unix.MS_REC},
			data: []string{"username=u", "password=p@:/w%20", "vers=3.1.1", "file_mode=0777", "dir_mode=0777"},
		}},
		"cifs by address": {"cifs", "//192.0.2.1/share", "guest", call{device: "//192.0.2.1/share", data: []string{"guest"}}},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.kind = c.kind
			got, err := (&config{Options: map[string]string{"type": c.kind, "device": c.device, "o": c.o}}).call(t.Context())
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(call{})); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

// TestNoSecrets: a mount that fails says with which options, but those that are secret.
func TestNoSecrets(t *testing.T) {
	s := newStore(t)
	create(t, s, engine.VolumeCreateOptions{Name: "v", DriverOptions: map[string]string{"type": "berth-nosuchfs", "device": "//x/y", "o": "username=u,password=hush1,pass=hush2,password2=hush3,secret=hush4,ro"}})
	err := s.Mount(t.Context(), "v", "c")
	if want := `mount volume v: mount //x/y (type berth-nosuchfs, options "username=u,password=********,pass=********,password2=********,secret=********,ro"): the kernel does not know this type of file system`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if strings.Contains(err.Error(), "hush") {
		t.Error("a secret is in it")
	}
}
