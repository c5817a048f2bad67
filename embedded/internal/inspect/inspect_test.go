package inspect

import (
	"encoding/json"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"context"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/engine/docker"
	"github.com/berthdev/berth/internal/wire"
)

var (
	created = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	started = created.Add(time.Minute)
	ended   = started.Add(time.Hour)
	now     = ended.Add(3 * time.Second)
)

// plain is a container that asks for nothing.
func plain() *state.Config {
	return &state.Config{
		ID: strings.Repeat("ab", 32), Name: "one", Created: created, Spec: engine.Spec{Image: "busybox", Name: "one"}, Image: "busybox",
		ImageID: "sha256:" + strings.Repeat("cd", 32), Platform: "linux/amd64", Path: "sh", StopSignal: 15, StopTimeout: 10 * time.Second,
		ImageConfig: engine.ImageConfig{Cmd: []string{"sh"}, Env: []string{"PATH=/bin"}},
		Networks:    []state.Endpoint{{Endpoint: engine.Endpoint{Network: "bridge"}}}, Log: state.Log{Driver: "json-file", MaxFiles: 1},
	}
}

// full is a container that asks for everything.
func full() *state.Config {
	cfg := plain()
	cfg.Path, cfg.Args = "/entry", []string{"one arg", "two"}
	cfg.Runtime = "runc"
	cfg.StopSignal = 2
	cfg.Exposed = []string{"53/udp", "80/tcp", "81/tcp"}
	cfg.Ports = []engine.PortMapping{
		{ContainerPort: 80, Protocol: "tcp", HostPort: 8080}, {ContainerPort: 81, Protocol: "tcp", HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: 9000, HostPortEnd: 9010},
	}
	cfg.Healthcheck = &engine.Healthcheck{Test: engine.CmdShell("true"), Interval: time.Second, Timeout: 2 * time.Second, StartPeriod: 3 * time.Second, StartInterval: 4 * time.Second, Retries: 5}
	cfg.ImageConfig = engine.ImageConfig{
		User: "nobody", Env: []string{"PATH=/bin", "A=image", "GONE=1"}, Entrypoint: []string{"/image"}, Cmd: []string{"x"}, Volumes: []string{"/w", "/v"},
		WorkingDir: "/work", Labels: map[string]string{"image": "i", "a": "image"}, ExposedPorts: []string{"53/udp"},
	}
	cfg.Mounts = []state.Mount{
		{MountPoint: engine.MountPoint{Type: engine.MountBind, Source: "/src", Target: "/dst", Mode: "ro,z", Options: []string{"ro", "z"}, Propagation: "rprivate"}},
		{MountPoint: engine.MountPoint{Type: engine.MountVolume, Name: "v", Source: "/var/v", Target: "/v", Driver: "local", ReadWrite: true}, Anonymous: true},
	}
	cfg.Networks = []state.Endpoint{
		{Endpoint: engine.Endpoint{Network: "n1", Aliases: []string{"alias"}, MACAddress: "02:42:ac:11:00:02"}}, {Endpoint: engine.Endpoint{Network: "n2"}},
	}
	cfg.Spec = engine.Spec{
		Image: "busybox", Name: "one", Entrypoint: []string{"/entry"}, Command: []string{"one arg", "two"}, Env: map[string]string{"Z": "1", "A": "own"},
		UnsetEnv: []string{"GONE"}, User: "0:0", WorkingDir: "/own", TTY: true, OpenStdin: true, StdinOnce: true, StopSignal: "int", StopTimeout: new(7 * time.Second),
		Init: new(true), Hostname: "host", Domainname: "domain", Labels: map[string]string{"a": "own", "b": "2"}, Annotations: map[string]string{"k": "v"},
		RestartPolicy: engine.RestartPolicy{Name: "on-failure", MaximumRetryCount: 3}, LogConfig: engine.LogConfig{Driver: "local", Options: map[string]string{"max-size": "1m"}},
		Privileged: true, CapAdd: []string{"net_admin", "CAP_SYS_TIME"}, CapDrop: []string{"all"}, SecurityOpt: []string{"no-new-privileges=true"}, ReadOnly: true,
		GroupAdd: []string{"audio"}, VolumesFrom: []string{"other:ro"}, StorageOpt: map[string]string{"size": "1g"}, ShmSize: engine.MiB,
		Devices: []engine.Device{{Host: "/dev/fuse"}, {Host: "/dev/a", Container: "/dev/b", Permissions: "r"}}, Ulimits: []engine.Ulimit{{Name: "RLIMIT_NOFILE", Soft: 1, Hard: 2}},
		Sysctls: map[string]string{"net.core.somaxconn": "1"}, OOMScoreAdj: new(5), CgroupParent: "parent", PIDMode: "host", IPCMode: "shareable", UTSMode: "private",
		UsernsMode: "host", CgroupNS: "private", DNS: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, DNSOptions: []string{"ndots:2"}, DNSSearch: []string{"example"},
		ExtraHosts: []string{"a:192.0.2.2"}, Links: []string{"x:y"}, PublishAllPorts: true,
		Mounts: []engine.Mount{
			{Type: engine.MountBind, Source: "/src", Target: "/dst", ReadOnly: true, Relabel: "shared", Propagation: "rslave"},
			{Type: engine.MountVolume, Target: "/v"}, {Type: engine.MountTmpfs, Target: "/t", Size: engine.MiB, Mode: new(fs.FileMode(0o700)), Options: []string{"exec"}},
		},
		Resources: engine.Resources{
			Memory: 64 * engine.MiB, MemoryReservation: engine.MiB, MemorySwappiness: new(int64(1)), OOMKillDisable: new(true), CPUs: 1.5, CPUShares: 3, CPURealtimePeriod: 4,
			CPURealtimeRuntime: 5, CpusetCPUs: "0", CpusetMems: "0", PidsLimit: new(int64(6)), BlkioWeight: 7, BlkioWeightDevice: []engine.WeightDevice{{Path: "/dev/a", Weight: 8}},
			BlkioDeviceReadBps: []engine.ThrottleDevice{{Path: "/dev/b", Rate: 9}}, BlkioDeviceWriteBps: []engine.ThrottleDevice{{Path: "/dev/c", Rate: 10}},
			BlkioDeviceReadIOps: []engine.ThrottleDevice{{Path: "/dev/d", Rate: 11}}, BlkioDeviceWriteIOps: []engine.ThrottleDevice{{Path: "/dev/e", Rate: 12}},
		},
	}
	return cfg
}

func run() *state.Run {
	return &state.Run{
		Status: engine.StatusRunning, Monitor: 1, PID: 1234, StartedAt: started, Restarts: 2,
		Networks: map[string]engine.EndpointState{
			"n1": {
				NetworkID: "id1", EndpointID: "ep1", IPv4: netip.MustParsePrefix("172.18.0.2/16"), IPv6: netip.MustParsePrefix("fd00::2/64"),
				Gateway: netip.MustParseAddr("172.18.0.1"), IPv6Gateway: netip.MustParseAddr("fd00::1"), MACAddress: "02:42:ac:12:00:02",
				Aliases: []string{"alias"}, DriverOptions: map[string]string{"o": "1"},
			},
		},
		Ports:  []engine.PortBinding{{Container: "80/tcp", HostIP: netip.IPv4Unspecified(), HostPort: 8080}, {Container: "81/tcp", HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: 9000}},
		Health: &engine.Health{Status: engine.HealthHealthy, Log: []engine.HealthResult{{Start: started, End: ended, Output: "fine", Healthy: true}}},
	}
}

func exit() *state.Exit {
	return &state.Exit{Code: 3, OOMKilled: true, StartedAt: started, FinishedAt: ended, Restarts: 1}
}

// snapshots are containers in all their states.
func snapshots() map[string]*state.Snapshot {
	paused, restarting := run(), run()
	paused.Status, restarting.Status = engine.StatusPaused, engine.StatusRestarting
	return map[string]*state.Snapshot{
		"created":       {Config: plain()},
		"created full":  {Config: full()},
		"cannot start":  {Config: plain(), Exit: &state.Exit{Code: 127, Error: "no such file"}},
		"running":       {Config: plain(), Run: &state.Run{Status: engine.StatusRunning, PID: 7, StartedAt: started}, Alive: true},
		"running full":  {Config: full(), Run: run(), Alive: true},
		"running again": {Config: full(), Run: run(), Exit: exit(), Alive: true},
		"paused":        {Config: full(), Run: paused, Alive: true},
		"restarting":    {Config: full(), Run: restarting, Exit: exit(), Alive: true},
		"exited":        {Config: plain(), Exit: exit()},
		"exited full":   {Config: full(), Exit: exit()},
		"monitor lost":  {Config: full(), Run: run(), Lost: true},
		"broken":        {Config: &state.Config{ID: plain().ID, Name: "x"}, Err: context.DeadlineExceeded},
	}
}

// TestAsDocker lets Berth's Docker engine read Raw: it must see what Attrs has.
func TestAsDocker(t *testing.T) {
	size := engine.Bytes(5)
	for name, s := range snapshots() {
		t.Run(name, func(t *testing.T) {
			a, err := Attrs(s, Extra{
				Now: now, ExecIDs: []string{"e"}, SizeRw: &size, SizeRootFs: &size, LogPath: "/log", Dir: "/dir", CgroupNS: "host",
				NetworkIDs: map[string]string{"bridge": "idb", "n1": "id1"},
			})
			if err != nil {
				t.Fatal(err)
			}
			got := throughDocker(t, a.Raw)
			got.Raw, got.At = a.Raw, a.At
			if diff := cmp.Diff(got, a, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); diff != "" {
				t.Error("Docker's engine reads - where Attrs has +:", diff)
			}
		})
	}
}

func throughDocker(t *testing.T, raw json.RawMessage) *engine.Attrs {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/version":
			w.Write([]byte(`{"ApiVersion":"1.51","MinAPIVersion":"1.24","Version":"28.5.1"}`))
		case strings.HasSuffix(r.URL.Path, "/info"):
			w.Write([]byte(`{"OSType":"linux","CgroupVersion":"1"}`))
		default:
			w.Write(raw)
		}
	})}
	go srv.Serve(l)
	defer srv.Close()
	e, err := docker.Open(t.Context(), docker.Config{Wire: wire.Config{Dial: func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	a, err := e.ContainerInspect(t.Context(), "x", engine.InspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAttrsOfAPlainContainer(t *testing.T) {
	a, err := Attrs(&state.Snapshot{Config: plain()}, Extra{})
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string][2]any{
		"hostname":       {a.Config.Hostname, "abababababab"},
		"stop signal":    {a.Config.StopSignal, "SIGTERM"},
		"restart policy": {a.HostConfig.RestartPolicy.Name, "no"},
		"network mode":   {a.HostConfig.NetworkMode, "bridge"},
		"log driver":     {a.HostConfig.LogConfig.Driver, "json-file"},
		"shm":            {a.HostConfig.ShmSize, 64 * engine.MiB},
		"status":         {a.State.Status, engine.StatusCreated},
		"command":        {strings.Join(a.Config.Cmd, " "), "sh"},
		"env":            {strings.Join(a.Config.Env, " "), "PATH=/bin"},
		"runtime":        {a.HostConfig.Runtime, "berth"},
		"annotations":    {len(a.Config.Annotations), 0},
		"At":             {a.At.IsZero(), false},
	} {
		if c[0] != c[1] {
			t.Errorf("%s is %v, want %v", what, c[0], c[1])
		}
	}
}

func TestAttrsOfAFullContainer(t *testing.T) {
	a, err := Attrs(&state.Snapshot{Config: full(), Run: run(), Alive: true}, Extra{})
	if err != nil {
		t.Fatal(err)
	}
	got := []any{
		a.Config.Env, a.Config.Labels, a.Config.Entrypoint, a.Config.Cmd, a.Config.Volumes, a.Config.StopSignal, a.Config.User, a.Config.WorkingDir,
		a.HostConfig.CapAdd, a.HostConfig.CapDrop, a.HostConfig.Binds, a.HostConfig.Tmpfs, a.HostConfig.Resources.MemorySwap, a.HostConfig.Devices,
		a.State.PID, a.State.Health.Status, a.RestartCount, a.Ports,
	}
	want := []any{
		[]string{"A=own", "Z=1", "PATH=/bin"}, map[string]string{"image": "i", "a": "own", "b": "2"}, []string{"/entry"}, []string{"one arg", "two"},
		[]string{"/v", "/w"}, "SIGINT", "0:0", "/own",
		[]string{"CAP_NET_ADMIN", "CAP_SYS_TIME"}, []string{"ALL"}, []string{"/src:/dst:ro,z,rslave"}, map[string]string{"/t": "size=1048576,mode=700,exec"}, 128 * engine.MiB,
		[]engine.Device{{Host: "/dev/fuse", Container: "/dev/fuse", Permissions: "rwm"}, {Host: "/dev/a", Container: "/dev/b", Permissions: "r"}},
		1234, engine.HealthHealthy, 2,
		[]engine.PortBinding{
			{Container: "53/udp"}, {Container: "80/tcp", HostIP: netip.IPv4Unspecified(), HostPort: 8080},
			{Container: "81/tcp", HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: 9000},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Error(diff)
	}
}

func TestHostAndNone(t *testing.T) {
	for _, ns := range []string{"host", "none"} {
		cfg := plain()
		cfg.Netns, cfg.Networks, cfg.Spec.NetworkMode = ns, nil, ns
		a, err := Attrs(&state.Snapshot{Config: cfg}, Extra{NetworkIDs: map[string]string{ns: "id"}})
		if err != nil || a.Networks[ns].NetworkID != "id" || a.HostConfig.NetworkMode != ns {
			t.Errorf("%s: %+v %v", ns, a.Networks, err)
		}
	}
}
