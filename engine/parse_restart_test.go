package engine

import "testing"

func TestParseRestartPolicy(t *testing.T) {
	parserTest(t, ParseRestartPolicy, map[string]RestartPolicy{
		"no": {Name: "no"}, "always": {Name: "always"}, "unless-stopped": {Name: "unless-stopped"}, "on-failure": {Name: "on-failure"},
		"on-failure:3": {"on-failure", 3}, "on-failure:0": {"on-failure", 0},
	}, "", "never", "on-failure:", "on-failure:-1", "on-failure:x", "always:3", "no:0", "on-failure:1:2", "On-Failure", "on-failure:2147483648")
}

func TestParseSecret(t *testing.T) {
	parserTest(t, ParseSecret, map[string]SecretMount{
		"s":                                {Source: "s"},
		"source=s":                         {Source: "s"},
		"src=s,type=mount,target=/x":       {Source: "s", Target: "/x"},
		"s,target=t,uid=1,gid=2,mode=0400": {Source: "s", Target: "t", UID: 1, GID: 2, Mode: new(uint32(0o400))},
		"s,mode=0":                         {Source: "s", Mode: new(uint32(0))},
	}, "", "target=x", "s,target=", "s,uid=x", "s,uid=-1", "s,uid=4294967296", "s,mode=9", "s,mode=77777", "s,foo=x", "s,type=env", "s,type=x", "s,s", "s,source=t", "s,uid=1,uid=1", `"s`)
}

func TestParseSecretEnv(t *testing.T) {
	for in, want := range map[string][2]string{"s,type=env": {"s", "s"}, "s,type=env,target=V": {"V", "s"}} {
		variable, secret, err := ParseSecretEnv(in)
		if err != nil || variable != want[0] || secret != want[1] {
			t.Errorf("%q: %q, %q, %v", in, variable, secret, err)
		}
	}
	for _, in := range []string{"", "s", "s,type=mount", "s,type=env,uid=1", "s,type=env,mode=0400", "s,type=env,target=A=B"} {
		_, _, err := ParseSecretEnv(in)
		wantInvalid(t, err)
	}
}

func TestParsePlatform(t *testing.T) {
	parserTest(t, ParsePlatform, map[string]Platform{
		"linux": {OS: "linux"}, "linux/amd64": {"linux", "amd64", ""}, "linux/arm64/v8": {"linux", "arm64", "v8"}, "Linux/AMD64": {"linux", "amd64", ""},
		"linux/x86_64": {"linux", "amd64", ""}, "linux/x86-64": {"linux", "amd64", ""}, "linux/aarch64": {"linux", "arm64", ""}, "linux/i686": {"linux", "386", ""},
		"linux/armhf": {"linux", "arm", "v7"}, "linux/armel": {"linux", "arm", "v6"}, "linux/armhf/v8": {"linux", "arm", "v8"}, "windows/amd64": {"windows", "amd64", ""},
	}, "", "/", "linux/", "/amd64", "linux//v8", "a/b/c/d", "linux amd64", "linux/am d64")
	if got := (Platform{"linux", "arm", "v7"}).String(); got != "linux/arm/v7" {
		t.Error(got)
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add("on-failure:3", "s,target=t,mode=0400", "linux/arm64/v8")
	f.Fuzz(func(t *testing.T, policy, secret, platform string) {
		if p, err := ParseRestartPolicy(policy); err != nil {
			wantInvalid(t, err)
		} else if p.MaximumRetryCount < 0 || p.MaximumRetryCount > 0 && p.Name != "on-failure" {
			t.Fatalf("%q: %+v", policy, p)
		}
		if m, err := ParseSecret(secret); err != nil {
			wantInvalid(t, err)
		} else if m.fault() != "" {
			t.Fatalf("%q: %+v", secret, m)
		}
		if v, s, err := ParseSecretEnv(secret); err != nil {
			wantInvalid(t, err)
		} else if v == "" || s == "" {
			t.Fatalf("%q: %q, %q", secret, v, s)
		}
		p, err := ParsePlatform(platform)
		if err != nil {
			wantInvalid(t, err)
		} else if again, err := ParsePlatform(p.String()); err != nil || again != p {
			t.Fatalf("%q is %+v is %+v, %v", platform, p, again, err)
		}
	})
}
