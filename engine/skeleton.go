package engine

import (
	"errors"
	"io"
	"time"
)

var errSkeleton = errors.New("not written yet")

// String is the JSON of s, in one line, with the values of secret-looking variables masked.
func (s *Spec) String() string { return "" }

// Equal tells that s and o say the same; nil and empty slices differ.
func (s *Spec) Equal(o *Spec) bool { return false }

// Clone is a deep copy.
func (s *Spec) Clone() *Spec { return s }

// Validate joins an InvalidError for every malformed option; nil when there is none.
func (s *Spec) Validate() error { return nil }

// ParseBytes reads "512m", "1.5g", "100k", "1024", "-1".
func ParseBytes(s string) (Bytes, error) { return 0, errSkeleton }

// ParsePort reads docker run -p: [[HOSTIP:][HOSTPORT]:]PORT[/PROTO].
func ParsePort(s string) (Port, error) { return Port{}, errSkeleton }

// ParsePorts is ParsePort for several.
func ParsePorts(list []string) ([]Port, error) { return nil, errSkeleton }

// Expand gives the single ports of p.
func (p Port) Expand() ([]PortMapping, error) { return nil, errSkeleton }

// ParseMount reads docker run -v: [SOURCE:]TARGET[:OPTIONS].
func ParseMount(s string) (Mount, error) { return Mount{}, errSkeleton }

// ParseMountFlag reads docker run --mount: type=bind,src=…,dst=….
func ParseMountFlag(s string) (Mount, error) { return Mount{}, errSkeleton }

// ParseEnv reads "K=V" and "K"; the latter takes lookup's value, else it is in unset. lookup may be nil.
func ParseEnv(list []string, lookup func(string) (string, bool)) (env map[string]string, unset []string, err error) {
	return nil, nil, errSkeleton
}

// ParseEnvFile reads docker run --env-file. lookup may be nil.
func ParseEnvFile(r io.Reader, lookup func(string) (string, bool)) (map[string]string, error) {
	return nil, errSkeleton
}

// ParseLabels reads "k=v" and "k".
func ParseLabels(list []string) (map[string]string, error) { return nil, errSkeleton }

// SplitCommand splits as a POSIX shell would (Python's shlex.split).
func SplitCommand(s string) ([]string, error) { return nil, errSkeleton }

// Shell is {"/bin/sh", "-c", line}: for Spec.Command.
func Shell(line string) []string { return []string{"/bin/sh", "-c", line} }

// Cmd is {"CMD", args…}: for Healthcheck.Test.
func Cmd(args ...string) []string { return append([]string{"CMD"}, args...) }

// CmdShell is {"CMD-SHELL", line}: for Healthcheck.Test.
func CmdShell(line string) []string { return []string{"CMD-SHELL", line} }

// ParseHealthTest reads podman's --health-cmd: "none", a JSON array, or a shell line.
func ParseHealthTest(s string) ([]string, error) { return nil, errSkeleton }

// ParseUlimit reads "nofile=1024:2048".
func ParseUlimit(s string) (Ulimit, error) { return Ulimit{}, errSkeleton }

// ParseDevice reads HOST[:CONTAINER][:PERMISSIONS].
func ParseDevice(s string) (Device, error) { return Device{}, errSkeleton }

// GPUs asks for count GPUs, -1 for all.
func GPUs(count int) DeviceRequest { return DeviceRequest{} }

// ParseGPUs reads docker run --gpus: "all", "2", "device=0,1", "driver=nvidia,count=2,capabilities=utility".
func ParseGPUs(s string) (DeviceRequest, error) { return DeviceRequest{}, errSkeleton }

// DeviceCgroupRule is a rule of Spec.DeviceCgroupRules.
type DeviceCgroupRule struct {
	Type         string // a, b or c
	Major, Minor *int64 // nil is *
	Access       string // of r, w, m
}

// ParseDeviceCgroupRule reads "c 13:* rwm".
func ParseDeviceCgroupRule(s string) (DeviceCgroupRule, error) {
	return DeviceCgroupRule{}, errSkeleton
}

// ParseNetwork reads NETWORK[:ip=…,ip6=…,mac=…,alias=…,interface_name=…].
func ParseNetwork(s string) (Endpoint, error) { return Endpoint{}, errSkeleton }

// ParseRestartPolicy reads "no", "always", "unless-stopped", "on-failure[:N]".
func ParseRestartPolicy(s string) (RestartPolicy, error) { return RestartPolicy{}, errSkeleton }

// ParseExtraHost reads NAME:ADDRESS and NAME=ADDRESS.
func ParseExtraHost(s string) (name, address string, err error) { return "", "", errSkeleton }

// ParseSecret reads NAME[,target=…][,uid=…][,gid=…][,mode=0400].
func ParseSecret(s string) (SecretMount, error) { return SecretMount{}, errSkeleton }

// ParseSecretEnv reads NAME,type=env[,target=VARIABLE].
func ParseSecretEnv(s string) (variable, secret string, err error) { return "", "", errSkeleton }

// Platform is what an image is made for.
type Platform struct{ OS, Arch, Variant string }

// ParsePlatform reads os[/arch[/variant]].
func ParsePlatform(s string) (Platform, error) { return Platform{}, errSkeleton }

// ParseTail reads "all" (nil) or a number.
func ParseTail(s string) (*int, error) { return nil, errSkeleton }

// ParseTime reads RFC 3339, seconds since 1970 with a fraction, or a Go duration: that long ago.
func ParseTime(s string) (time.Time, error) { return time.Time{}, errSkeleton }

// Ago is the time d ago.
func Ago(d time.Duration) time.Time { return time.Now().Add(-d) }

// ParseFilter reads "label=a=b": key and value.
func ParseFilter(s string) (key, value string, err error) { return "", "", errSkeleton }

// ParseFilters is ParseFilter for several.
func ParseFilters(list []string) (Filters, error) { return nil, errSkeleton }

// ParseSignal reads "SIGTERM", "term", "RTMIN+3", "15": its Linux number and name with SIG.
func ParseSignal(s string) (num int, name string, err error) { return 0, "", errSkeleton }
