package engine

import "testing"

func TestParseUlimit(t *testing.T) {
	parserTest(t, ParseUlimit, map[string]Ulimit{
		"nofile=1024:2048":           {"nofile", 1024, 2048},
		"nofile=1024":                {"nofile", 1024, 1024},
		"RLIMIT_NOFILE=1:2":          {"nofile", 1, 2},
		"core=0":                     {"core", 0, 0},
		"memlock=-1":                 {"memlock", -1, -1},
		"memlock=-1:-1":              {"memlock", -1, -1},
		"memlock=5:-1":               {"memlock", 5, -1},
		"nofile=9223372036854775807": {"nofile", 1<<63 - 1, 1<<63 - 1},
	}, "", "nofile", "nofile=", "=1", "nofile=1:", "nofile=:1", "nofile=2:1", "nofile=-1:5", "nofile=-2", "nofile=1:2:3", "nofile=x", "nofile=unlimited",
		"no file=1", "nofile=9223372036854775808", "rlimit_=1", "nofile=1.5")
}

func TestParseDevice(t *testing.T) {
	parserTest(t, ParseDevice, map[string]Device{
		"/dev/fuse":                  {Host: "/dev/fuse"},
		"/dev/fuse:r":                {Host: "/dev/fuse", Permissions: "r"},
		"/dev/sda:/dev/xvda":         {Host: "/dev/sda", Container: "/dev/xvda"},
		"/dev/sda:/dev/xvda:rwm":     {Host: "/dev/sda", Container: "/dev/xvda", Permissions: "rwm"},
		"/dev/bus/usb/001/002:/x:mw": {Host: "/dev/bus/usb/001/002", Container: "/x", Permissions: "mw"},
	}, "", ":", "dev/fuse", "/dev/fuse:", "/dev/fuse:x", "/dev/fuse:rr", "/dev/fuse:rwmr", "/dev/a:b:r", "/dev/a:/b:", "/dev/a:/b:x", "/dev/a::r", "/a:/b:r:w", "nvidia.com/gpu=0")
}

func TestIsCDIDevice(t *testing.T) {
	for s, want := range map[string]bool{
		"nvidia.com/gpu=0": true, "vendor.com/class_1=a:b.c-d": true, "a/b=all": true,
		"": false, "a/b": false, "a/b=": false, "/b=c": false, "a/=c": false, "a=b/c": false, "/dev/x=y": false, "a/b/c=d": false, "a/b=c=d": false, "a/b=:": false,
	} {
		if IsCDIDevice(s) != want {
			t.Errorf("IsCDIDevice(%q) is %v", s, !want)
		}
	}
}

func TestParseDeviceCgroupRule(t *testing.T) {
	parserTest(t, ParseDeviceCgroupRule, map[string]DeviceCgroupRule{
		"c 13:* rwm":        {"c", new(int64(13)), nil, "rwm"},
		"b 8:0 r":           {"b", new(int64(8)), new(int64(0)), "r"},
		"a *:* rwm":         {"a", nil, nil, "rwm"},
		"c *:4294967295 mw": {"c", nil, new(int64(4294967295)), "mw"},
	}, "", "c", "c 1:2", "c 1 rw", "d 1:2 r", "c 1:2 x", "c 1:2 rr", "c 1:2 r ", "c  1:2 r", "c x:2 r", "c -1:2 r", "c 1:2:3 r", "c 4294967296:0 r", "c :1 r", "C 1:2 r", "c 1:2  r", "c\t1:2 r")
}

func TestParseGPUs(t *testing.T) {
	gpu := [][]string{{"gpu"}}
	parserTest(t, ParseGPUs, map[string]DeviceRequest{
		"all": {Count: -1, Capabilities: gpu},
		"2":   {Count: 2, Capabilities: gpu},
		"-1":  {Count: -1, Capabilities: gpu}, "count=all": {Count: -1, Capabilities: gpu},
		"device=0,1":                 {DeviceIDs: []string{"0", "1"}, Capabilities: gpu},
		`"device=0,1",driver=nvidia`: {Driver: "nvidia", DeviceIDs: []string{"0", "1"}, Capabilities: gpu},
		"device=GPU-3a":              {DeviceIDs: []string{"GPU-3a"}, Capabilities: gpu},
		"driver=nvidia":              {Driver: "nvidia", Count: 1, Capabilities: gpu},
		`driver=cdi,count=2,"capabilities=compute,utility","options=a=b,c=d"`: {
			Driver: "cdi", Count: 2, Capabilities: [][]string{{"compute", "utility", "gpu"}}, Options: map[string]string{"a": "b", "c": "d"}},
	}, "", "0", "-2", "x", "count=", "count=-2", "1,2", "count=1,device=0", "device=", "foo=bar", "device=0,driver=", `"device=0`, "count=1,count=2", `"device=0,,1"`, "options==x")
	if got := GPUs(-1); got.Count != -1 || len(got.Capabilities) != 1 || got.fault() != "" {
		t.Errorf("GPUs(-1) is %+v", got)
	}
}

func FuzzParseDevice(f *testing.F) {
	f.Add("/dev/sda:/dev/xvda:rwm", "nofile=1:2", "c 13:* rwm", `"device=0,1",driver=x`)
	f.Fuzz(func(t *testing.T, device, ulimit, rule, gpus string) {
		if d, err := ParseDevice(device); err != nil {
			wantInvalid(t, err)
		} else if d.fault() != "" || IsCDIDevice(device) {
			t.Fatalf("%q: %+v", device, d)
		}
		if u, err := ParseUlimit(ulimit); err != nil {
			wantInvalid(t, err)
		} else if u.fault() != "" {
			t.Fatalf("%q: %+v", ulimit, u)
		}
		if r, err := ParseDeviceCgroupRule(rule); err != nil {
			wantInvalid(t, err)
		} else if r.Access == "" {
			t.Fatalf("%q: %+v", rule, r)
		}
		if r, err := ParseGPUs(gpus); err != nil {
			wantInvalid(t, err)
		} else if r.fault() != "" || r.Count == 0 && r.DeviceIDs == nil {
			t.Fatalf("%q: %+v", gpus, r)
		}
	})
}
