package engine

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// full is a valid Spec with about everything set.
func full() Spec {
	return Spec{
		Image: "busybox", Platform: "linux/amd64", Name: "a-b_c.9", Command: []string{"sh"}, Entrypoint: []string{""},
		Env: map[string]string{"A": "1", "B": ""}, UnsetEnv: []string{"C"}, WorkingDir: "/w", User: "1:2", GroupAdd: []string{"5"}, Umask: "0022",
		StopSignal: "RTMIN+3", StopTimeout: new(5 * time.Second), Timeout: time.Minute, Init: new(true), InitPath: "/init",
		Hostname: "h", Domainname: "d", Labels: map[string]string{"k": ""}, Annotations: map[string]string{"k": "v"},
		Healthcheck:   &Healthcheck{Test: CmdShell("x"), Interval: time.Second, Retries: 1, OnFailure: "kill", Startup: &StartupHealthcheck{Test: Cmd("y")}},
		RestartPolicy: RestartPolicy{Name: "on-failure", MaximumRetryCount: 3}, LogConfig: LogConfig{Driver: "anything", Options: map[string]string{"a": "b"}},
		CapAdd: []string{"ANYTHING"}, CapDrop: []string{"ALL"}, SecurityOpt: []string{"label=disable"},
		Mounts: []Mount{Bind("/a", "/b"), Volume("v", "/c"), Volume("", "/d"), {Type: MountTmpfs, Target: "/e", Size: MiB, Mode: new(fs.FileMode(0o1777))},
			ImageMount("i", "/f"), Bind(`C:\x`, `D:\y`), {Type: "future", Target: "/g", Source: "?"}},
		VolumesFrom: []string{"x", "x:ro,z"}, ShmSize: MiB, StorageOpt: map[string]string{"size": "1g"},
		Devices: []Device{{Host: "/dev/fuse", Permissions: "rm"}}, DeviceCgroupRules: []string{"c 1:* r"}, DeviceRequests: []DeviceRequest{GPUs(-1)}, CDIDevices: []string{"a/b=c"},
		Resources: Resources{Memory: GiB, MemorySwap: 2 * GiB, MemorySwappiness: new(int64(10)), CPUs: 1.5, CpusetCPUs: "0-2,4", CpusetMems: "0", PidsLimit: new(int64(-1)),
			BlkioWeightDevice: []WeightDevice{{"/dev/sda", 10}}, BlkioDeviceReadBps: []ThrottleDevice{{"/dev/sda", 10}}},
		Ulimits: []Ulimit{{"nofile", 1, 2}, {"RLIMIT_CORE", 0, -1}}, Sysctls: map[string]string{"a.b": ""}, OOMScoreAdj: new(-1000),
		PIDMode: "container:x", IPCMode: "shareable", UTSMode: "ns:/x", UsernsMode: "keep-id:uid=1", CgroupNS: "private",
		Networks: []Endpoint{{Network: "n", IPv4: netip.MustParseAddr("10.0.0.1"), IPv6: netip.MustParseAddr("fd00::1"), MACAddress: "02:00:00:00:00:01"}, {Network: "m"}},
		Ports: []Port{{Container: "80", Host: "8080"}, {Container: "80/udp", Host: "8080"}, {Container: "81"}, {Container: "82"},
			{Container: "90", Host: "90", HostIP: netip.MustParseAddr("127.0.0.1")}, {Container: "90", Host: "90", HostIP: netip.MustParseAddr("127.0.0.2")}},
		Expose: []string{"53/udp", "1-2"}, DNS: []netip.Addr{netip.MustParseAddr("1.1.1.1")}, DNSSearch: []string{"."}, ExtraHosts: []string{"a:host-gateway"}, Links: []string{"a", "a:b"},
		Secrets: []SecretMount{{Source: "s"}, {Source: "s", Target: "/s"}}, SecretEnv: map[string]string{"S": "s"},
		Podman: &PodmanSpec{IDMappings: &IDMappings{UIDMap: []IDMap{{0, 1000, 1}}}, IntelRdt: json.RawMessage(`{}`)}, Windows: &WindowsSpec{CPUPercent: 100},
		Raw: map[string]json.RawMessage{"docker": json.RawMessage(`{"a":null}`)},
	}
}

func TestValidateAcceptsMuch(t *testing.T) {
	if err := full().Validate(); err != nil {
		t.Error(err)
	}
	for _, s := range []Spec{
		{Image: "x"},
		{Podman: &PodmanSpec{Rootfs: "/r"}},
		{Image: "x", Healthcheck: &Healthcheck{Test: []string{"NONE"}}},
		{Image: "x", Healthcheck: &Healthcheck{Interval: time.Second}},
		{Image: "x", NetworkMode: "n", Networks: []Endpoint{{Network: "n"}}},
		{Image: "x", NetworkMode: "host", Hostname: "h", ExtraHosts: []string{"a:1.1.1.1"}, Expose: []string{"80"}},
		{Image: "x", NetworkMode: "pasta:-t,80", Ports: []Port{{Container: "80"}}},
		{Image: "x", NetworkDisabled: true},
		{Image: "x", NetworkDisabled: true, NetworkMode: "none"},
		{Image: "x", AutoRemove: true, RestartPolicy: RestartPolicy{Name: "no"}},
		{Image: "x", Resources: Resources{CPUPeriod: 1, CPUQuota: -1, Memory: 1, MemorySwap: -1}},
		{Image: "x", MACAddress: "02:00:00:00:00:01", Networks: []Endpoint{{Network: "n", MACAddress: "02:00:00:00:00:01"}}},
		{Image: "x", Ports: []Port{{Container: "80", Host: "80-82"}, {Container: "81", Host: "80-82"}}},
	} {
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// Each row spoils the full Spec (or a small one) in one way and is found at one place.
func TestValidateNamesTheOption(t *testing.T) {
	loop := netip.MustParseAddr("127.0.0.1")
	for _, c := range []struct {
		option string
		spoil  func(s *Spec)
	}{
		{"Spec.Image", func(s *Spec) { s.Image = "" }},
		{"Spec.Image", func(s *Spec) { s.Podman.Rootfs = "/r" }},
		{"Spec.Image", func(s *Spec) { s.Image = "a\x00" }},
		{"Spec.Command[0]", func(s *Spec) { s.Command[0] = "a\x00" }},
		{`Spec.Labels["k"]`, func(s *Spec) { s.Labels["k"] = "\xff" }},
		{`Spec.LogConfig.Options["a"]`, func(s *Spec) { s.LogConfig.Options["a"] = "\x00" }},
		{"Spec.Platform", func(s *Spec) { s.Platform = "a/b/c/d" }},
		{"Spec.Name", func(s *Spec) { s.Name = "/a" }},
		{"Spec.Name", func(s *Spec) { s.Name = "-a" }},
		{"Spec.Name", func(s *Spec) { s.Name = "a b" }},
		{`Spec.Env[""]`, func(s *Spec) { s.Env[""] = "x" }},
		{`Spec.Env["A=B"]`, func(s *Spec) { s.Env["A=B"] = "x" }},
		{`Spec.Env["C"]`, func(s *Spec) { s.Env["C"] = "x" }},
		{"Spec.UnsetEnv[1]", func(s *Spec) { s.UnsetEnv = append(s.UnsetEnv, "") }},
		{"Spec.UnsetEnv[0]", func(s *Spec) { s.UnsetEnv[0] = "A=B" }},
		{`Spec.SecretEnv["A"]`, func(s *Spec) { s.SecretEnv["A"] = "s" }},
		{`Spec.SecretEnv["X"]`, func(s *Spec) { s.SecretEnv["X"] = "" }},
		{"Spec.WorkingDir", func(s *Spec) { s.WorkingDir = "w" }},
		{"Spec.GroupAdd[0]", func(s *Spec) { s.GroupAdd[0] = "" }},
		{"Spec.Umask", func(s *Spec) { s.Umask = "8" }},
		{"Spec.Umask", func(s *Spec) { s.Umask = "1777" }},
		{"Spec.StopSignal", func(s *Spec) { s.StopSignal = "SIGX" }},
		{"Spec.StopTimeout", func(s *Spec) { s.StopTimeout = new(1500 * time.Millisecond) }},
		{"Spec.StopTimeout", func(s *Spec) { s.StopTimeout = new(-time.Second) }},
		{"Spec.Timeout", func(s *Spec) { s.Timeout = time.Millisecond }},
		{"Spec.InitPath", func(s *Spec) { s.Init = nil }},
		{"Spec.InitPath", func(s *Spec) { s.InitPath = "x" }},
		{"Spec.Labels", func(s *Spec) { s.Labels[""] = "" }},
		{"Spec.Annotations", func(s *Spec) { s.Annotations[""] = "" }},
		{"Spec.RestartPolicy.MaximumRetryCount", func(s *Spec) { s.RestartPolicy.Name = "always" }},
		{"Spec.RestartPolicy.MaximumRetryCount", func(s *Spec) { s.RestartPolicy.MaximumRetryCount = -1 }},
		{"Spec.AutoRemove", func(s *Spec) { s.AutoRemove = true }},
		{"Spec.LogConfig.Options", func(s *Spec) { s.LogConfig.Options[""] = "" }},
		{"Spec.Healthcheck.Test", func(s *Spec) { s.Healthcheck.Test = []string{"x"} }},
		{"Spec.Healthcheck.Test", func(s *Spec) { s.Healthcheck.Test = []string{"CMD"} }},
		{"Spec.Healthcheck.Test", func(s *Spec) { s.Healthcheck.Test = Shell("x") }},
		{"Spec.Healthcheck.Test", func(s *Spec) { s.Healthcheck.Test = []string{"CMD-SHELL", "a", "b"} }},
		{"Spec.Healthcheck.Test", func(s *Spec) { s.Healthcheck.Test = []string{"NONE"} }},
		{"Spec.Healthcheck.Interval", func(s *Spec) { s.Healthcheck.Interval = -1 }},
		{"Spec.Healthcheck.Retries", func(s *Spec) { s.Healthcheck.Retries = -1 }},
		{"Spec.Healthcheck.OnFailure", func(s *Spec) { s.Healthcheck.OnFailure = "explode" }},
		{"Spec.Healthcheck.Startup.Test", func(s *Spec) { s.Healthcheck.Startup.Test = nil }},
		{"Spec.Healthcheck.Startup.Test", func(s *Spec) { s.Healthcheck.Startup.Test = []string{"NONE"} }},
		{"Spec.Healthcheck.Startup.Timeout", func(s *Spec) { s.Healthcheck.Startup.Timeout = -1 }},
		{"Spec.Healthcheck.Startup.Successes", func(s *Spec) { s.Healthcheck.Startup.Successes = -1 }},
		{"Spec.CapAdd[0]", func(s *Spec) { s.CapAdd[0] = "" }},
		{"Spec.SecurityOpt[0]", func(s *Spec) { s.SecurityOpt[0] = "" }},
		{"Spec.Sysctls", func(s *Spec) { s.Sysctls[""] = "" }},
		{"Spec.OOMScoreAdj", func(s *Spec) { s.OOMScoreAdj = new(1001) }},
		{"Spec.Mounts[0].Type", func(s *Spec) { s.Mounts[0].Type = "" }},
		{"Spec.Mounts[0].Target", func(s *Spec) { s.Mounts[0].Target = "b" }},
		{"Spec.Mounts[0].Target", func(s *Spec) { s.Mounts[0].Target = "" }},
		{"Spec.Mounts[0].Target", func(s *Spec) { s.Mounts[0].Target = "/x/.." }},
		{"Spec.Mounts[1].Target", func(s *Spec) { s.Mounts[1].Target = "/x/../b/" }},
		{"Spec.Mounts[0].Source", func(s *Spec) { s.Mounts[0].Source = "a" }},
		{"Spec.Mounts[1].Source", func(s *Spec) { s.Mounts[1].Source = "/a" }},
		{"Spec.Mounts[3].Source", func(s *Spec) { s.Mounts[3].Source = "/a" }},
		{"Spec.Mounts[4].Source", func(s *Spec) { s.Mounts[4].Source = "" }},
		{"Spec.Mounts[0].NoCopy", func(s *Spec) { s.Mounts[0].NoCopy = true }},
		{"Spec.Mounts[0].Driver", func(s *Spec) { s.Mounts[0].Driver = "x" }},
		{"Spec.Mounts[0].Size", func(s *Spec) { s.Mounts[0].Size = 1 }},
		{"Spec.Mounts[1].Propagation", func(s *Spec) { s.Mounts[1].Propagation = "shared" }},
		{"Spec.Mounts[1].CreateSource", func(s *Spec) { s.Mounts[1].CreateSource = true }},
		{"Spec.Mounts[1].Subpath", func(s *Spec) { s.Mounts[1].Subpath = "../x" }},
		{"Spec.Mounts[1].Labels", func(s *Spec) { s.Mounts[1].Labels = map[string]string{"": ""} }},
		{"Spec.Mounts[3].Size", func(s *Spec) { s.Mounts[3].Size = -1 }},
		{"Spec.Mounts[3].Mode", func(s *Spec) { s.Mounts[3].Mode = new(fs.ModeDir | 0o777) }},
		{"Spec.Mounts[0].Relabel", func(s *Spec) { s.Mounts[0].Relabel = "z" }},
		{"Spec.Mounts[0].Options", func(s *Spec) { s.Mounts[0].Options = []string{"a,b"} }},
		{"Spec.VolumesFrom[1]", func(s *Spec) { s.VolumesFrom[1] = "x:rx" }},
		{"Spec.VolumesFrom[0]", func(s *Spec) { s.VolumesFrom[0] = ":ro" }},
		{"Spec.ShmSize", func(s *Spec) { s.ShmSize = -1 }},
		{"Spec.ShmSize", func(s *Spec) { s.IPCMode = "host" }},
		{"Spec.Devices[0]", func(s *Spec) { s.Devices[0].Host = "x" }},
		{"Spec.Devices[0]", func(s *Spec) { s.Devices[0].Permissions = "rx" }},
		{"Spec.DeviceCgroupRules[0]", func(s *Spec) { s.DeviceCgroupRules[0] = "x" }},
		{"Spec.DeviceRequests[0]", func(s *Spec) { s.DeviceRequests[0].DeviceIDs = []string{"0"} }},
		{"Spec.CDIDevices[0]", func(s *Spec) { s.CDIDevices[0] = "x" }},
		{"Spec.Resources.Memory", func(s *Spec) { s.Resources.Memory = -1 }},
		{"Spec.Resources.MemorySwap", func(s *Spec) { s.Resources.MemorySwap = -2 }},
		{"Spec.Resources.MemorySwap", func(s *Spec) { s.Resources.Memory = 0 }},
		{"Spec.Resources.MemorySwap", func(s *Spec) { s.Resources.MemorySwap = 1 }},
		{"Spec.Resources.MemorySwappiness", func(s *Spec) { s.Resources.MemorySwappiness = new(int64(101)) }},
		{"Spec.Resources.CPUs", func(s *Spec) { s.Resources.CPUs = -1 }},
		{"Spec.Resources.CPUs", func(s *Spec) { s.Resources.CPUs = math.NaN() }},
		{"Spec.Resources.CPUs", func(s *Spec) { s.Resources.CPUs = math.Inf(1) }},
		{"Spec.Resources.CPUs", func(s *Spec) { s.Resources.CPUs = 1e-10 }},
		{"Spec.Resources.CPUQuota", func(s *Spec) { s.Resources.CPUQuota = 1000 }},
		{"Spec.Resources.CPUPeriod", func(s *Spec) { s.Resources.CPUPeriod = 1000 }},
		{"Spec.Resources.CPUShares", func(s *Spec) { s.Resources.CPUShares = -1 }},
		{"Spec.Resources.CpusetCPUs", func(s *Spec) { s.Resources.CpusetCPUs = "2-1" }},
		{"Spec.Resources.CpusetMems", func(s *Spec) { s.Resources.CpusetMems = "x" }},
		{"Spec.Resources.PidsLimit", func(s *Spec) { s.Resources.PidsLimit = new(int64(-2)) }},
		{"Spec.Resources.BlkioWeightDevice[0].Path", func(s *Spec) { s.Resources.BlkioWeightDevice[0].Path = "sda" }},
		{"Spec.Resources.BlkioDeviceReadBps[0].Path", func(s *Spec) { s.Resources.BlkioDeviceReadBps[0].Path = "" }},
		{"Spec.Ulimits[0]", func(s *Spec) { s.Ulimits[0].Soft = 3 }},
		{"Spec.Ulimits[0]", func(s *Spec) { s.Ulimits[0].Name = "" }},
		{"Spec.Ulimits[1]", func(s *Spec) { s.Ulimits[1].Name = "RLIMIT_NOFILE" }},
		{"Spec.PIDMode", func(s *Spec) { s.PIDMode = "container:" }},
		{"Spec.PIDMode", func(s *Spec) { s.PIDMode = "container" }},
		{"Spec.PIDMode", func(s *Spec) { s.PIDMode = "host:x" }},
		{"Spec.UTSMode", func(s *Spec) { s.UTSMode = "ns:x" }},
		{"Spec.UsernsMode", func(s *Spec) { s.UsernsMode = ":x" }},
		{"Spec.Networks[0]", func(s *Spec) { s.NetworkMode = "m" }},
		{"Spec.Networks[1].Network", func(s *Spec) { s.Networks[1].Network = "host" }},
		{"Spec.Networks[1].Network", func(s *Spec) { s.Networks[1].Network = "" }},
		{"Spec.Networks[1]", func(s *Spec) { s.Networks[1].Network = "n" }},
		{"Spec.Networks[0].IPv4", func(s *Spec) { s.Networks[0].IPv4 = s.Networks[0].IPv6 }},
		{"Spec.Networks[0].IPv6", func(s *Spec) { s.Networks[0].IPv6 = loop }},
		{"Spec.Networks[0].MACAddress", func(s *Spec) { s.Networks[0].MACAddress = "x" }},
		{"Spec.MACAddress", func(s *Spec) { s.MACAddress = "02:00:00:00:00:02" }},
		{"Spec.MACAddress", func(s *Spec) { s.Networks[0].MACAddress = ""; s.MACAddress = "x" }},
		{"Spec.NetworkDisabled", func(s *Spec) { s.Ports = nil; s.NetworkDisabled = true }},
		{"Spec.Ports", func(s *Spec) { s.Networks = nil; s.NetworkMode = "host" }},
		{"Spec.Ports", func(s *Spec) { s.Networks = nil; s.NetworkMode = "none" }},
		{"Spec.Ports", func(s *Spec) { s.Networks = nil; s.NetworkDisabled = true }},
		{"Spec.PublishAllPorts", func(s *Spec) { s.Networks, s.Ports = nil, nil; s.NetworkMode = "ns:/x"; s.PublishAllPorts = true }},
		{"Spec.Ports[0]", func(s *Spec) { s.Ports[0].Container = "x" }},
		{"Spec.Ports[2]", func(s *Spec) { s.Ports[2].Host = "8080" }},
		{"Spec.Ports[2]", func(s *Spec) { s.Ports[2].Host, s.Ports[2].HostIP = "8080", loop }},
		{"Spec.Ports[5]", func(s *Spec) { s.Ports[5].HostIP = netip.Addr{} }},
		{"Spec.Ports[3]", func(s *Spec) { s.Ports[3] = Port{Container: "7000-7009", Host: "8075-8084"} }},
		{"Spec.Expose[0]", func(s *Spec) { s.Expose[0] = "80:80" }},
		{"Spec.DNS[0]", func(s *Spec) { s.DNS[0] = netip.Addr{} }},
		{"Spec.DNSSearch[0]", func(s *Spec) { s.DNSSearch[0] = "" }},
		{"Spec.ExtraHosts[0]", func(s *Spec) { s.ExtraHosts[0] = "x" }},
		{"Spec.Links[0]", func(s *Spec) { s.Links[0] = "a:" }},
		{"Spec.Hostname", func(s *Spec) { s.UTSMode, s.Domainname = "host", "" }},
		{"Spec.Domainname", func(s *Spec) { s.UTSMode, s.Hostname = "host", "" }},
		{"Spec.DNS", func(s *Spec) { *s = Spec{Image: "x", NetworkMode: "container:x", DNS: []netip.Addr{loop}} }},
		{"Spec.ExtraHosts", func(s *Spec) { *s = Spec{Image: "x", NetworkMode: "container:x", ExtraHosts: []string{"a:1.1.1.1"}} }},
		{"Spec.Secrets[0]", func(s *Spec) { s.Secrets[0].Source = "" }},
		{"Spec.Secrets[1]", func(s *Spec) { s.Secrets[1].Target = "/run/secrets/s" }},
		{"Spec.Secrets[0]", func(s *Spec) { s.Secrets[0].Mode = new(uint32(0o10000)) }},
		{`Spec.Raw["docker"]`, func(s *Spec) { s.Raw["docker"] = json.RawMessage(`[]`) }},
		{`Spec.Raw["docker"]`, func(s *Spec) { s.Raw["docker"] = json.RawMessage(`{`) }},
		{`Spec.Raw["docker"]`, func(s *Spec) { s.Raw["docker"] = nil }},
		{"Spec.Podman.RootfsOverlay", func(s *Spec) { s.Podman.RootfsOverlay = true }},
		{"Spec.Podman.ShmSizeSystemd", func(s *Spec) { s.Podman.ShmSizeSystemd = -1 }},
		{"Spec.Podman.IDMappings.UIDMap[0].Size", func(s *Spec) { s.Podman.IDMappings.UIDMap[0].Size = 0 }},
		{"Spec.Podman.IDMappings.UIDMap[0].Size", func(s *Spec) { s.Podman.IDMappings.UIDMap[0].Size = math.MaxUint32 }},
		{"Spec.Podman.IntelRdt", func(s *Spec) { s.Podman.IntelRdt = json.RawMessage(`1`) }},
		{"Spec.Podman.ChrootDirectories[0]", func(s *Spec) { s.Podman.ChrootDirectories = []string{"x"} }},
		{"Spec.Windows.CPUPercent", func(s *Spec) { s.Windows.CPUPercent = 101 }},
	} {
		s := full()
		c.spoil(&s)
		err := s.Validate()
		list, _ := err.(interface{ Unwrap() []error })
		if list == nil || len(list.Unwrap()) != 1 {
			t.Errorf("%s: want one error, have %v", c.option, err)
			continue
		}
		e, ok := errors.AsType[*InvalidError](err)
		if !ok || e.Option != c.option || !errors.Is(err, ErrInvalid) {
			t.Errorf("want an InvalidError of %s, have %v", c.option, err)
		}
		wantInvalid(t, err)
	}
}

func TestValidateJoins(t *testing.T) {
	err := Spec{Name: "/", WorkingDir: "x"}.Validate()
	for _, want := range []string{"Spec.Image", "Spec.Name", "Spec.WorkingDir"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
}

// Whatever a Spec holds, Validate neither panics nor says anything but InvalidErrors.
func FuzzValidate(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		err := newGenerator(seed).spec().Validate()
		if err == nil {
			return
		}
		for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
			wantInvalid(t, e)
		}
	})
}
