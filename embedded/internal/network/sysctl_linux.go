package network

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// readSysctl reads a parameter of the calling thread's namespace; name is a path below /proc/sys.
func readSysctl(name string) (string, error) {
	b, err := os.ReadFile("/proc/sys/" + name)
	return strings.TrimSpace(string(b)), err
}

// setSysctl sets it if it has another value.
func setSysctl(name, value string) error {
	old, err := readSysctl(name)
	if err != nil || old == value {
		return err
	}
	if err := os.WriteFile("/proc/sys/"+name, []byte(value), 0); err != nil {
		return fmt.Errorf("%s is %s, containers need %s (set it as root of the host): %w", strings.ReplaceAll(name, "/", "."), old, value, err)
	}
	return nil
}

// ipv6 sets IPv6 on or off on an interface of the calling thread's namespace, and has it ignore router advertisements:
// those that come there are a container's, which may not give the host or other containers routes (CVE-2020-13401).
// It is off where nobody asked for it, as with Docker: link-local addresses alone are a way around what a network keeps apart.
func ipv6(name string, on bool) error {
	dir := "net/ipv6/conf/" + name
	off := "1"
	if on {
		off = "0" // the host may have it off for new interfaces
	}
	for _, s := range [][2]string{{"accept_ra", "0"}, {"disable_ipv6", off}} {
		if err := setSysctl(dir+"/"+s[0], s[1]); err != nil && (on || !errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
	return nil
}
