package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
)

func TestHumanSize(t *testing.T) {
	for n, want := range map[berth.Bytes]string{
		0: "0B", 999: "999B", 1000: "1kB", 1234: "1.23kB", 999_499: "999kB", 999_500: "1MB", 1_980_000: "1.98MB", 25_300_000_000: "25.3GB", 1 << 62: "4.61EB",
	} {
		if got := humanSize(n); got != want {
			t.Errorf("humanSize(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestHumanAge(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for age, want := range map[time.Duration]string{
		-time.Second: "less than a second ago", 999 * time.Millisecond: "less than a second ago",
		time.Second: "1 second ago", 59 * time.Second: "59 seconds ago", 90 * time.Second: "1 minute ago", 59 * time.Minute: "59 minutes ago",
		time.Hour: "1 hour ago", 47 * time.Hour: "47 hours ago", 48 * time.Hour: "2 days ago", 13 * 24 * time.Hour: "13 days ago",
		14 * 24 * time.Hour: "2 weeks ago", 60 * 24 * time.Hour: "2 months ago", 800 * 24 * time.Hour: "2 years ago",
	} {
		if got := humanAge(now.Add(-age), now); got != want {
			t.Errorf("humanAge of %v = %s, want %s", age, got, want)
		}
	}
	if got := humanAge(time.Time{}, now); got != "N/A" {
		t.Errorf("humanAge of no time = %s", got)
	}
}

func TestTables(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	id := strings.Repeat("0123456789abcdef", 4)
	var b strings.Builder
	containers := psTable([]*berth.Summary{
		{
			ID: id, Names: []string{"web", "web2"}, Image: "nginx", Command: "a command that is quite long", Created: now.Add(-time.Hour),
			Status: berth.StatusRunning, StatusText: "Up 1 hour", SizeRw: new(berth.Bytes(12)), SizeRootFs: new(3 * berth.MiB),
			Ports: []berth.PortBinding{{Container: "80/tcp", HostPort: 8080}, {Container: "53/udp", HostIP: netip.MustParseAddr("::1"), HostPort: 53}, {Container: "443/tcp"}},
		},
		{ID: "short", Image: "bad\x1b[31m\tname\n", Status: berth.StatusCreated},
	}, false, true, now)
	if err := containers.write(&b); err != nil {
		t.Fatal(err)
	}
	images := imageTable([]*berth.ImageSummary{
		{ID: "sha256:" + id, RepoTags: []string{"localhost:5000/a/b:c", "x:y"}, Created: now.Add(-time.Minute), Size: 5_000_000},
		{ID: "sha256:" + id},
	}, true, now)
	if err := images.write(&b); err != nil {
		t.Fatal(err)
	}
	want := `
CONTAINER ID   IMAGE            COMMAND                  CREATED      STATUS      PORTS                                             NAMES      SIZE
0123456789ab   nginx            "a command that is q…"   1 hour ago   Up 1 hour   0.0.0.0:8080->80/tcp, [::1]:53->53/udp, 443/tcp   web,web2   12B (virtual 3.15MB)
short          bad?[31m?name?   ""                       N/A          created                                                                  ~
REPOSITORY           TAG      IMAGE ID                                                                  CREATED        SIZE
localhost:5000/a/b   c        sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef   1 minute ago   5MB
x                    y        sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef   1 minute ago   5MB
<none>               <none>   sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef   N/A            0B
`
	if diff := cmp.Diff(strings.ReplaceAll(want, "~", ""), "\n"+b.String()); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
}

func TestProgressText(t *testing.T) {
	for want, p := range map[string]berth.PullProgress{
		"pulling x":                                     {},
		"pulling x (50 %), 1 of 2 layers":               {Layers: 2, Done: 1},
		"pulling x: 1.5MB of 6MB (25 %), 0 of 3 layers": {Current: 1_500_000, Total: 6_000_000, Layers: 3},
	} {
		if got := progressText("x", p); got != want {
			t.Errorf("progress is %q, want %q", got, want)
		}
	}
	if got := fit("äöüß", 4); got != "äöü" {
		t.Errorf("cut to %q", got)
	}
}
