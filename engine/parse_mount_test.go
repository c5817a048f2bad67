package engine

import (
	"io/fs"
	"path/filepath"
	"testing"
)

func TestParseMount(t *testing.T) {
	src, err := filepath.Abs("src")
	if err != nil {
		t.Fatal(err)
	}
	up, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	bind := func(m Mount) Mount { m.Type, m.CreateSource = MountBind, true; return m }
	parserTest(t, ParseMount, map[string]Mount{
		"/data":                        {Type: MountVolume, Target: "/data"},
		"v:/data":                      {Type: MountVolume, Source: "v", Target: "/data"},
		"my.vol_1-x:/data:ro":          {Type: MountVolume, Source: "my.vol_1-x", Target: "/data", ReadOnly: true},
		"v:/data:nocopy,z":             {Type: MountVolume, Source: "v", Target: "/data", NoCopy: true, Relabel: "shared"},
		"v:/data:rw,copy":              {Type: MountVolume, Source: "v", Target: "/data"},
		"/s:/d":                        bind(Mount{Source: "/s", Target: "/d"}),
		"/s:/d:ro,Z,rshared":           bind(Mount{Source: "/s", Target: "/d", ReadOnly: true, Relabel: "private", Propagation: "rshared"}),
		"/s:/d:U,delegated":            bind(Mount{Source: "/s", Target: "/d", Chown: true, Consistency: "delegated"}),
		"/s:/d:bind,noexec,nosuid,dev": bind(Mount{Source: "/s", Target: "/d", NonRecursive: true, Options: []string{"noexec", "nosuid", "dev"}}),
		"/s:/d:rbind":                  bind(Mount{Source: "/s", Target: "/d"}),
		"/s:/d:O":                      {Type: MountOverlay, Source: "/s", Target: "/d"},
		"./src:/d":                     bind(Mount{Source: src, Target: "/d"}),
		"..:/d":                        bind(Mount{Source: up, Target: "/d"}),
		"c:/d":                         {Type: MountVolume, Source: "c", Target: "/d"},
		"c:/d:ro":                      {Type: MountVolume, Source: "c", Target: "/d", ReadOnly: true},
		`C:\s:/d`:                      bind(Mount{Source: `C:\s`, Target: "/d"}),
		`C:/s:/d:ro`:                   bind(Mount{Source: `C:/s`, Target: "/d", ReadOnly: true}),
		`C:\s:D:\d`:                    bind(Mount{Source: `C:\s`, Target: `D:\d`}),
		`v:D:\d:ro`:                    {Type: MountVolume, Source: "v", Target: `D:\d`, ReadOnly: true},
		`\\.\pipe\a:\\.\pipe\b`:        {Type: MountNpipe, Source: `\\.\pipe\a`, Target: `\\.\pipe\b`},
	},
		"", ":", "::", "a", "a:", ":/d", "/s:", "/s:d", "/s:/d:", "/s:/d:xx", "/s:/d:ro,", "/s:/d:ro,rw", "/s:/d:ro,ro", "/s:/d:z,Z",
		"/s:/d:shared,slave", "/s:/d:exec,noexec", "a/b:/d", "~/x:/d", "$HOME:/d", "-v:/d", "v:/d:shared", "v:/d:bind", "v:/d:O", "/s:/d:nocopy",
		"/s:/", "/s:/..", "v:/d:ro:x", "a:b:c:d:e:f:g:h", "/s:/d:O,shared", "/s:/d:READONLY")
}

func TestParseMountFlag(t *testing.T) {
	src, err := filepath.Abs("src")
	if err != nil {
		t.Fatal(err)
	}
	parserTest(t, ParseMountFlag, map[string]Mount{
		"dst=/d":                               {Type: MountVolume, Target: "/d"},
		"src=v,target=/d,readonly":             {Type: MountVolume, Source: "v", Target: "/d", ReadOnly: true},
		"type=bind,source=/a:b,dst=/d,ro=true": {Type: MountBind, Source: "/a:b", Target: "/d", ReadOnly: true},
		`type=bind,"src=/a,b",dst=/d`:          {Type: MountBind, Source: "/a,b", Target: "/d"},
		"TYPE=BIND,src=./src,dst=/d,ro=false":  {Type: MountBind, Source: src, Target: "/d"},
		"type=bind,src=/s,dst=/d,bind-propagation=rslave,bind-nonrecursive,bind-create-src,consistency=cached,relabel=shared,U": {
			Type: MountBind, Source: "/s", Target: "/d", Propagation: "rslave", NonRecursive: true, CreateSource: true, Consistency: "cached", Relabel: "shared", Chown: true},
		"type=bind,src=/s,dst=/d,bind-recursive=disabled,rw": {Type: MountBind, Source: "/s", Target: "/d", NonRecursive: true},
		"type=volume,src=v,dst=/d,volume-nocopy,volume-driver=local,volume-opt=type=nfs,volume-opt=o=a=b,volume-label=k=v,volume-label=x,volume-subpath=a/b": {
			Type: MountVolume, Source: "v", Target: "/d", NoCopy: true, Driver: "local", DriverOptions: map[string]string{"type": "nfs", "o": "a=b"},
			Labels: map[string]string{"k": "v", "x": ""}, Subpath: "a/b"},
		"type=tmpfs,dst=/d,tmpfs-size=1m,tmpfs-mode=1770,opt=noexec,opt=nosuid": {
			Type: MountTmpfs, Target: "/d", Size: MiB, Mode: new(fs.FileMode(0o1770)), Options: []string{"noexec", "nosuid"}},
		"type=image,src=busybox,dst=/d,image-subpath=etc": {Type: MountImage, Source: "busybox", Target: "/d", Subpath: "etc"},
	},
		"", "x", "src=v", "dst=d", "dst=", "type=cluster,dst=/d", "dst=/d,dst=/e", "dst=/d,target=/e", "dst=/d,ro,rw", "dst=/d,ro=maybe", "dst=/d,foo=bar", "dst=/d,volume-opt==x",
		"type=bind,src=s,dst=/d", "type=bind,dst=/d", "type=bind,src=/s,dst=/d,volume-nocopy", "type=bind,src=/s,dst=/d,tmpfs-size=1m", "type=tmpfs,src=/s,dst=/d",
		"type=tmpfs,dst=/d,tmpfs-size=x", "type=tmpfs,dst=/d,tmpfs-size=-1", "type=tmpfs,dst=/d,tmpfs-mode=8", "type=tmpfs,dst=/d,tmpfs-mode=77777",
		"type=volume,dst=/d,bind-propagation=shared", "type=volume,src=/s,dst=/d", "dst=/d,volume-subpath=../x", "dst=/d,volume-subpath=/x",
		"type=bind,src=/s,dst=/d,bind-recursive=readonly", "type=bind,src=/s,dst=/d,relabel=x", `dst=/d,"src=v`, "dst=/d\ndst=/e", `dst="/d"`, "type=image,dst=/d")
}

func FuzzParseMount(f *testing.F) {
	for _, s := range []string{"/s:/d:ro,Z,rshared", "v:/d:nocopy", `C:\s:D:\d:ro`, "/d", "./a:/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMount(s)
		checkMount(t, s, m, err)
	})
}

func FuzzParseMountFlag(f *testing.F) {
	f.Add(`type=bind,"src=/a,b",dst=/d,ro`)
	f.Add("type=tmpfs,dst=/d,tmpfs-size=1m,tmpfs-mode=1770")
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMountFlag(s)
		checkMount(t, s, m, err)
	})
}

func checkMount(t *testing.T, s string, m Mount, err error) {
	if err != nil {
		wantInvalid(t, err)
	} else if faults := m.check(); len(faults) > 0 {
		t.Fatalf("%q gives %+v, which has %+v", s, m, faults)
	}
}
