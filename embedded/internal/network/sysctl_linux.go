package network

import (
	"fmt"
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
