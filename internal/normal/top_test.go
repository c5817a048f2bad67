package normal

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

func TestTopProcesses(t *testing.T) {
	titles := []string{"USER", "PID", "PPID", "%CPU", "ELAPSED", "TTY", "TIME", "COMMAND"}
	got, err := TopProcesses(titles, [][]string{
		{"root", "24305", "24284", "0.0", "01:02", "?", "00:00:00", "sleep 300"}, // procps
		{"0", "1", "0", "0.000", "1m2.5s", "pts/0", "1s", "sh", "-c", "a  b"},    // Podman
		{"nobody", "7", "1", "-", "2-03:04:05", "-", "-", "x"},
	})
	want := []engine.Process{
		{User: "root", PID: 24305, PPID: 24284, Elapsed: 62 * time.Second, TTY: "?", Command: "sleep 300"},
		{User: "0", PID: 1, Elapsed: 62500 * time.Millisecond, TTY: "pts/0", Time: time.Second, Command: "sh -c a  b"},
		{User: "nobody", PID: 7, PPID: 1, Elapsed: 51*time.Hour + 4*time.Minute + 5*time.Second, TTY: "-", Command: "x"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	got, err = TopProcesses([]string{"pid", "vsz", "CMD"}, [][]string{{"5", "1g", "x"}})
	if diff := cmp.Diff([]engine.Process{{PID: 5, Command: "x"}}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if got, err := TopProcesses([]string{"PID", "ARGS"}, nil); err != nil || got == nil || len(got) != 0 {
		t.Error(got, err)
	}
	for _, c := range []struct {
		titles []string
		rows   [][]string
	}{
		{nil, nil}, {[]string{"PID"}, nil}, {[]string{"COMMAND"}, nil},
		{[]string{"PID", "COMMAND"}, [][]string{{"1"}}},
		{[]string{"PID", "COMMAND"}, [][]string{nil}},
		{[]string{"PID", "COMMAND"}, [][]string{{"x", "y"}}},
		{[]string{"PID", "PPID", "COMMAND"}, [][]string{{"1", "", "y"}}},
		{[]string{"PID", "%CPU", "COMMAND"}, [][]string{{"1", "much", "y"}}},
		{[]string{"PID", "TIME", "COMMAND"}, [][]string{{"1", "1:2:3:4", "y"}}},
		{[]string{"PID", "ELAPSED", "COMMAND"}, [][]string{{"1", "soon", "y"}}},
	} {
		if got, err := TopProcesses(c.titles, c.rows); err == nil {
			t.Errorf("%q %q: %v", c.titles, c.rows, got)
		}
	}
}

func TestPsTime(t *testing.T) {
	const day = 24 * time.Hour
	for in, want := range map[string]time.Duration{
		"-": 0, "00:00": 0, "01:02": 62 * time.Second, "1:02:03": time.Hour + 2*time.Minute + 3*time.Second, "2-03:04:05": 2*day + 3*time.Hour + 4*time.Minute + 5*time.Second,
		"123:45": 123*time.Minute + 45*time.Second, "1m2.5s": 62500 * time.Millisecond, "0s": 0, "90": 90 * time.Second, "0:01.25": 1250 * time.Millisecond,
		"12h34": 12*time.Hour + 34*time.Minute, "3d05": 3*day + 5*time.Hour, "2147483647": 2147483647 * time.Second, "32767-00:00:00": 32767 * day,
	} {
		if got, err := psTime(in); err != nil || got != want {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", ":", "1:", ":1", "1:2:3:4", "-1:00", "1--1:00", "-5s", "x", "1:x", "99999999-0:00", "1:99999999999", "1.", "1.x", "1:2.1234567890", "h", "hd", "1d", "1d64", "1.5:2", "1e3"} {
		if got, err := psTime(in); err == nil {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func FuzzTopProcesses(f *testing.F) {
	f.Add("2-03:04:05", "0.5")
	f.Add("12h34", "-")
	f.Fuzz(func(t *testing.T, cell, cpu string) {
		if d, err := psTime(cell); err == nil && d < 0 {
			t.Fatalf("%q is %v", cell, d)
		}
		list, err := TopProcesses([]string{"PID", "%CPU", "COMMAND"}, [][]string{{"1", cpu, cell}})
		if err == nil && (len(list) != 1 || list[0].Command != cell) {
			t.Fatalf("%q: %+v", cell, list)
		}
	})
}
