//go:build linux

package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
)

// checkImage refuses an image whose words the kernel would cut short: a container would get another
// environment, command or directory than inspect shows. A Spec's are validated before (engine.Spec.Validate).
func checkImage(ref string, c *engine.ImageConfig) error {
	for _, member := range []struct {
		name   string
		values []string
	}{
		{"User", []string{c.User}}, {"WorkingDir", []string{c.WorkingDir}}, {"Env", c.Env}, {"Entrypoint", c.Entrypoint}, {"Cmd", c.Cmd}, {"Volumes", c.Volumes},
	} {
		if i := slices.IndexFunc(member.values, func(s string) bool { return strings.IndexByte(s, 0) >= 0 }); i >= 0 {
			return invalid("Spec.Image", ref, fmt.Sprintf("the image's %s has a NUL byte: %q", member.name, member.values[i]))
		}
	}
	return nil
}
