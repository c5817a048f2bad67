package berth

import (
	"io"
	"time"

	"github.com/berthdev/berth/engine"
)

// Bind mounts a file or directory of the engine's host.
func Bind(source, target string) Mount { return engine.Bind(source, target) }

// VolumeMount mounts a named volume, created if missing; name "" is an anonymous one.
func VolumeMount(name, target string) Mount { return engine.Volume(name, target) }

// Tmpfs mounts memory.
func Tmpfs(target string) Mount { return engine.Tmpfs(target) }

// ImageMount mounts the files of an image.
func ImageMount(image, target string) Mount { return engine.ImageMount(image, target) }

// Shell is a command that runs line in the container's /bin/sh, for
// Spec.Command. The test of a health check is [CmdShell].
func Shell(line string) []string { return engine.Shell(line) }

// CmdShell is the test of a health check that runs line in the container's
// shell, for Healthcheck.Test. A command is [Shell].
func CmdShell(line string) []string { return engine.CmdShell(line) }

// CmdArgs is the test of a health check that runs a program without a shell, for
// Healthcheck.Test.
func CmdArgs(args ...string) []string { return engine.Cmd(args...) }

// SplitCommand splits a line into arguments as a POSIX shell does, without
// expanding anything. An unbalanced quote is an [InvalidError].
func SplitCommand(s string) ([]string, error) { return engine.SplitCommand(s) }

// GPUs asks for count GPUs, -1 for all, for Spec.DeviceRequests.
func GPUs(count int) DeviceRequest { return engine.GPUs(count) }

// Ago is the time d before now, for LogOptions.Since and EventOptions.Since.
func Ago(d time.Duration) time.Time { return engine.Ago(d) }

// ParseBytes reads a size: "512m", "1.5g", "1GiB", "1048576". See [engine.ParseBytes].
func ParseBytes(s string) (Bytes, error) { return engine.ParseBytes(s) }

// ParsePort reads a published port as docker run -p does: "8080:80/tcp",
// "127.0.0.1::53/udp". See [engine.ParsePort].
func ParsePort(s string) (Port, error) { return engine.ParsePort(s) }

// ParsePorts reads a list of published ports. See [engine.ParsePorts].
func ParsePorts(list []string) ([]Port, error) { return engine.ParsePorts(list) }

// ParseMount reads a volume as docker run -v does: "./src:/dst:ro". See [engine.ParseMount].
func ParseMount(s string) (Mount, error) { return engine.ParseMount(s) }

// ParseMountFlag reads a mount as docker run --mount does:
// "type=bind,src=/a,dst=/b,readonly". See [engine.ParseMountFlag].
func ParseMountFlag(s string) (Mount, error) { return engine.ParseMountFlag(s) }

// ParseEnv reads "K=V" entries. A bare key takes its value from lookup, and is in
// unset where lookup is nil or does not know it. See [engine.ParseEnv].
func ParseEnv(list []string, lookup func(string) (string, bool)) (env map[string]string, unset []string, err error) {
	return engine.ParseEnv(list, lookup)
}

// ParseEnvFile reads a file of "K=V" lines as docker run --env-file does. See [engine.ParseEnvFile].
func ParseEnvFile(r io.Reader, lookup func(string) (string, bool)) (map[string]string, error) {
	return engine.ParseEnvFile(r, lookup)
}

// ParseLabels reads "key=value" and "key" entries. See [engine.ParseLabels].
func ParseLabels(list []string) (map[string]string, error) { return engine.ParseLabels(list) }

// ParseHealthTest reads a health check as docker run --health-cmd and podman's do. See [engine.ParseHealthTest].
func ParseHealthTest(s string) ([]string, error) { return engine.ParseHealthTest(s) }

// ParseUlimit reads "nofile=1024:2048". See [engine.ParseUlimit].
func ParseUlimit(s string) (Ulimit, error) { return engine.ParseUlimit(s) }

// ParseDevice reads "/dev/a:/dev/b:rw". See [engine.ParseDevice].
func ParseDevice(s string) (Device, error) { return engine.ParseDevice(s) }

// ParseGPUs reads docker run's --gpus: "all", "2", "device=0,1". See [engine.ParseGPUs].
func ParseGPUs(s string) (DeviceRequest, error) { return engine.ParseGPUs(s) }

// ParseDeviceCgroupRule reads "c 13:* rwm". See [engine.ParseDeviceCgroupRule].
func ParseDeviceCgroupRule(s string) (DeviceCgroupRule, error) {
	return engine.ParseDeviceCgroupRule(s)
}

// ParseNetwork reads docker run's --network: "net", "name=net,alias=db,ip=10.0.0.2". See [engine.ParseNetwork].
func ParseNetwork(s string) (Endpoint, error) { return engine.ParseNetwork(s) }

// ParseRestartPolicy reads "on-failure:3". See [engine.ParseRestartPolicy].
func ParseRestartPolicy(s string) (RestartPolicy, error) { return engine.ParseRestartPolicy(s) }

// ParseExtraHost reads "name:address". See [engine.ParseExtraHost].
func ParseExtraHost(s string) (name, address string, err error) { return engine.ParseExtraHost(s) }

// ParseSecret reads podman run's --secret: "name,target=x,mode=0400". See [engine.ParseSecret].
func ParseSecret(s string) (SecretMount, error) { return engine.ParseSecret(s) }

// ParseSecretEnv reads a secret for the environment: "name,type=env,target=VAR". See [engine.ParseSecretEnv].
func ParseSecretEnv(s string) (variable, secret string, err error) { return engine.ParseSecretEnv(s) }

// ParsePlatform reads "os[/arch[/variant]]". See [engine.ParsePlatform].
func ParsePlatform(s string) (Platform, error) { return engine.ParsePlatform(s) }

// ParseTail reads "all" or a number of lines, for LogOptions.Tail. See [engine.ParseTail].
func ParseTail(s string) (*int, error) { return engine.ParseTail(s) }

// ParseTime reads RFC 3339, a date, Unix seconds or "10m" for ten minutes ago. See [engine.ParseTime].
func ParseTime(s string) (time.Time, error) { return engine.ParseTime(s) }

// ParseFilter reads one "key=value". See [engine.ParseFilter].
func ParseFilter(s string) (key, value string, err error) { return engine.ParseFilter(s) }

// ParseFilters reads a list of "key=value". See [engine.ParseFilters].
func ParseFilters(list []string) (Filters, error) { return engine.ParseFilters(list) }

// ParseSignal reads a signal's name or number. See [engine.ParseSignal].
func ParseSignal(s string) (num int, name string, err error) { return engine.ParseSignal(s) }
