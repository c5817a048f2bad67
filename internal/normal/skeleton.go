package normal

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/berthdev/berth/engine"
)

var errSkeleton = errors.New("not written yet")

// NS is a namespace mode: Value is what follows the first colon.
type NS struct{ Mode, Value string }

// Namespace splits a mode at its first colon; option names it in the error.
func Namespace(option, mode string) (NS, error) { return NS{}, errSkeleton }

// NetMode is Spec.NetworkMode: Value of container:, ns: and of a network's name (Mode "network"); Options of pasta and slirp4netns.
type NetMode struct {
	Mode, Value string
	Options     []string
}

// NetworkMode reads Spec.NetworkMode.
func NetworkMode(s string) (NetMode, error) { return NetMode{}, errSkeleton }

// Security is Spec.SecurityOpt.
type Security struct {
	NoNewPrivileges       *bool
	Seccomp               string // unconfined, a path, or JSON
	AppArmor              string
	Labels                []string // user:…, role:…, type:…, level:…, disable
	LabelNested           bool
	Mask, Unmask          []string
	ProcOpts              []string
	SystemPathsUnconfined bool
}

// SecurityOpts reads Spec.SecurityOpt.
func SecurityOpts(opts []string) (Security, error) { return Security{}, errSkeleton }

// Signal is engine.ParseSignal: num and the name with SIG.
func Signal(s string) (num int, name string, err error) { return engine.ParseSignal(s) }

// Rlimit is name in lower case without RLIMIT_.
func Rlimit(name string) string { return name }

// Rule is a device cgroup rule.
type Rule = engine.DeviceCgroupRule

// DeviceCgroupRule reads "c 13:* rwm".
func DeviceCgroupRule(s string) (Rule, error) { return engine.ParseDeviceCgroupRule(s) }

// NanoCPUs is cpus times 1e9.
func NanoCPUs(cpus float64) (int64, error) { return 0, errSkeleton }

// PeriodQuota is cpus as CFS period and quota, in microseconds.
func PeriodQuota(cpus float64) (period, quota int64, err error) { return 0, 0, errSkeleton }

// Timestamp is t as seconds.nanoseconds since 1970.
func Timestamp(t time.Time) string { return "" }

// MergeHealth is the complete health check of a container; nil when it has none.
func MergeHealth(image, own *engine.Healthcheck) *engine.Healthcheck { return nil }

// MergePatch is RFC 7386.
func MergePatch(target, patch json.RawMessage) (json.RawMessage, error) { return nil, errSkeleton }

// ListStatus reads "Exited (0) 3 minutes ago", "Up 2 hours (healthy)".
func ListStatus(text string) (exit *int, health engine.HealthStatus) { return nil, "" }

// StatusInfo is what StatusText says.
type StatusInfo struct {
	Status                     engine.Status
	ExitCode                   *int
	Created, Started, Finished time.Time
	Health                     engine.HealthStatus
}

// StatusText is Docker's text for a container's state, as of now.
func StatusText(i StatusInfo, now time.Time) string { return "" }

// CPUPercent is Docker's formula; nil when it cannot be known.
func CPUPercent(prev, cur engine.CPUStats) *float64 { return nil }

// CPUPercentWall is the same over wall time, for engines that do not tell the host's CPU time.
func CPUPercentWall(prev, cur engine.CPUStats, elapsed time.Duration) *float64 { return nil }

// MemoryUsed is usage without inactive page cache.
func MemoryUsed(usage uint64, stats map[string]uint64) uint64 { return 0 }

// TopProcesses types the rows of ps.
func TopProcesses(titles []string, rows [][]string) ([]engine.Process, error) {
	return nil, errSkeleton
}

// StatHeader decodes X-Docker-Container-Path-Stat.
func StatHeader(header string) (engine.PathStat, error) { return engine.PathStat{}, errSkeleton }

// DiscardedOption is the option that a create warning says was discarded ("Spec.Resources.BlkioWeight").
func DiscardedOption(warning string) (option string, ok bool) { return "", false }

// ExitKind is ErrCommandNotFound, ErrCommandNotExecutable or nil.
func ExitKind(code int, text string) error { return nil }
