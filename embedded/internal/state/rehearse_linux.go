package state

import (
	"encoding/json"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Rehearse decodes and encodes what the start of a container does, without a container: package encoding/json has
// learned the types after it. It returns profile as a config.json would give it.
func Rehearse(profile *specs.LinuxSeccomp) *specs.LinuxSeccomp {
	data, err := json.Marshal(ociSpec{
		Version: "1", Process: &ociProcess{Args: []string{""}, Capabilities: &specs.LinuxCapabilities{}}, Root: &specs.Root{},
		Mounts: []ociMount{{Options: []string{""}}},
		Linux: &ociLinux{
			Resources: &ociResources{Devices: []specs.LinuxDeviceCgroup{{Access: "r"}}}, Namespaces: []specs.LinuxNamespace{{}}, Seccomp: profile,
		},
	})
	if err != nil {
		return nil
	}
	decodeConfig([]byte(`{"id":"","labels":{},"layers":[],"spec":{"Env":[],"Labels":{},"Command":[]},"imageConfig":{"Env":[]},"log":{},"account":{"groups":[]},"mounts":[],"networks":[],"ports":[]}`))
	json.Marshal(&Run{StartedAt: time.Unix(1, 0)})
	json.Marshal(&Exit{StartedAt: time.Unix(1, 0)})
	oci, err := decodeOCI(data)
	if err != nil || oci.Linux == nil {
		return nil
	}
	return oci.Linux.Seccomp
}
