//go:build linux

package top

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

// TestPs: lists are those of procps' ps, cell for cell.
func TestPs(t *testing.T) {
	ps, err := exec.LookPath("ps")
	if err == nil {
		var out []byte
		if out, err = exec.Command(ps, "--version").Output(); err == nil && !strings.Contains(string(out), "procps") {
			err = errors.New("it is another ps")
		}
	}
	if err != nil {
		if os.Getenv("BERTH_CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("there is no ps of procps to compare with: %v", err)
	}
	pids := []int{os.Getpid()}
	for _, args := range [][]string{{"sleep", "1000"}, {"nice", "-n", "5", "setsid", "sh", "-c", "sleep 1001; :", "a b"}} {
		cmd := exec.Command(args[0], args[1:]...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		pids = append(pids, cmd.Process.Pid)
	}
	time.Sleep(100 * time.Millisecond) // until they have executed their commands
	var list []string
	for _, pid := range pids {
		list = append(list, strconv.Itoa(pid))
	}
	for _, args := range [][]string{
		{"-f"}, {"-ef"}, {"aux"}, {"u"}, {"ax"}, {"-A"}, {"-aux"}, {"-eo", "pid,ppid,comm"}, {"-o", "pid,args"}, {"-opid", "-o", "user=WHO"},
		{"-o pid,nice,pri,stat,s,tty,nlwp,pgid,sid,vsz"}, {"-e -o pid,uid,ruser,gid,group,rgroup,ruid,rgid"},
		{"-o", "pid,time,bsdtime,etime,etimes,stime,start,bsdstart,lstart,times"}, {"-o", "pid,user=A,gid=B", "-o", "cmd"}, {"-o", "pid,ucmd"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			var diff string
			for range 20 { // a second may end between the two
				got, err := Top(pids, args, nil)
				if err != nil {
					t.Fatal(err)
				}
				if got.Processes != nil || len(got.Rows) != len(pids) {
					t.Fatalf("%d rows, processes %v", len(got.Rows), got.Processes)
				}
				want := strings.Fields(strings.Join(args, " "))
				for i, a := range want {
					switch a { // ps would list others, too
					case "-ef":
						want[i] = "-f"
					case "aux", "-aux":
						want[i] = "u"
					case "ax", "-A", "-e":
						want[i] = ""
						if a == "ax" {
							want[i] = "w"
						}
					case "-eo":
						want[i] = "-o"
					}
				}
				cmd := exec.Command(ps, append(trim(want), "-ww", "-p", strings.Join(list, ","))...)
				if args[0] == "ax" {
					cmd = exec.Command(ps, "ax", "-ww")
				}
				cmd.Env = append(os.Environ(), "LC_ALL=C")
				out, err := cmd.Output()
				if err != nil {
					t.Fatal(err)
				}
				if diff = compare(got, strings.Split(strings.TrimRight(string(out), "\n"), "\n"), pids); diff == "" {
					return
				}
			}
			t.Error(diff)
		})
	}
}

func trim(args []string) []string {
	var list []string
	for _, a := range args {
		if a != "" && a != "w" {
			list = append(list, a)
		}
	}
	return list
}

// compare sets the words of our rows beside those of ps, leaving out what changes from one moment to the next.
func compare(got *engine.Top, lines []string, pids []int) string {
	changing := map[string]bool{"%CPU": true, "C": true, "%MEM": true, "RSS": true, "S": true, "STAT": true, "NLWP": true, "VSZ": true, "SZ": true, "TIME": true}
	words := func(cells []string) string { return strings.Join(strings.Fields(strings.Join(cells, " ")), " ") }
	if d := cmp.Diff(strings.Join(strings.Fields(lines[0]), " "), words(got.Titles)); d != "" {
		return d
	}
	for i, row := range got.Rows {
		pid := strconv.Itoa(pids[i])
		found := false
		for _, line := range lines[1:] {
			theirs := strings.Fields(line)
			for j, title := range got.Titles {
				if title == "PID" && len(theirs) > j && theirs[j] == pid {
					found = true
					ours := strings.Fields(words(row))
					for k, title := range got.Titles {
						if changing[title] && i == 0 && len(ours) > k && len(theirs) > k {
							ours[k], theirs[k] = "-", "-" // this program itself
						}
					}
					if d := cmp.Diff(strings.Join(theirs, " "), strings.Join(ours, " ")); d != "" {
						return d
					}
				}
			}
		}
		if !found {
			return "ps has no line of " + pid + ": " + strings.Join(lines, "\n")
		}
	}
	return ""
}

// TestDefault: Berth's columns, typed.
func TestDefault(t *testing.T) {
	began := time.Now()
	cmd := exec.Command("sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo; read x", "a\nb")
	in, _ := cmd.StdinPipe()
	defer in.Close()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	out.Read(make([]byte, 1))
	got, err := Top([]int{cmd.Process.Pid, 1 << 22}, nil, func(uid int) string { return map[int]string{os.Getuid(): "somebody"}[uid] })
	if err != nil {
		t.Fatal(err)
	}
	if titles := strings.Join(got.Titles, " "); titles != "USER PID PPID %CPU ELAPSED TTY TIME COMMAND" {
		t.Errorf("titles %s", titles)
	}
	if len(got.Processes) != 1 || len(got.Rows) != 1 {
		t.Fatalf("%d processes, %d rows", len(got.Processes), len(got.Rows))
	}
	p := got.Processes[0]
	if p.User != "somebody" || p.PID != cmd.Process.Pid || p.PPID != os.Getpid() || p.TTY != "?" || p.CPU <= 0 ||
		p.Elapsed > time.Since(began)+time.Second || p.Time > p.Elapsed+time.Second || !strings.HasSuffix(p.Command, "read x a?b") {
		t.Errorf("%+v", p)
	}
}

// TestNone: of no processes there are titles and no rows.
func TestNone(t *testing.T) {
	got, err := Top(nil, nil, nil)
	if err != nil || len(got.Titles) != 8 || got.Rows == nil || len(got.Rows) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestDefunct: a process that has ended and that nobody has waited for.
func TestDefunct(t *testing.T) {
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		got, err := Top([]int{cmd.Process.Pid}, []string{"-o", "s,args,comm"}, nil)
		if err != nil || len(got.Rows) != 1 {
			t.Fatal(got, err)
		}
		if got.Rows[0][0] == "Z" {
			if d := cmp.Diff([]string{"Z", "[true] <defunct>", "true <defunct>"}, got.Rows[0]); d != "" {
				t.Error(d)
			}
			return
		}
		if time.Now().After(end) {
			t.Fatal(got.Rows)
		}
	}
}

func TestUnsupported(t *testing.T) {
	for _, args := range [][]string{{"-q"}, {"--forest"}, {"-"}, {"-o", "pid,nosuch"}, {"-o"}, {"-o", ""}, {"-o", "pid,"}, {"f"}, {"-p", "1"}, {"-T"}, {"auxf"}, {"-o", "=x"}} {
		got, err := Top([]int{os.Getpid()}, args, nil)
		if e, ok := errors.AsType[*engine.UnsupportedError](err); !ok || e.Option != "TopOptions.Args" || e.Value == "" {
			t.Errorf("%q: %v, %v", args, got, err)
		}
	}
}

func TestTimes(t *testing.T) {
	for d, want := range map[time.Duration][2]string{
		0:                             {"00:00:00", "00:00"},
		61*time.Second + 999999:       {"00:01:01", "01:01"},
		time.Hour:                     {"01:00:00", "01:00:00"},
		50*time.Hour + 61*time.Second: {"2-02:01:01", "2-02:01:01"},
	} {
		if got := [2]string{cpuTime(d), elapsedTime(d)}; got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]string{time.Hour: "11:00", 13 * time.Hour: "Feb28", 90 * 24 * time.Hour: "2025"} {
		if got := startTime(now.Add(-ago), now); got != want {
			t.Errorf("%v ago: %s, want %s", ago, got, want)
		}
	}
	for device, want := range map[int]string{0: "?", 136<<8 + 3: "pts/3", 137<<8 + 1: "pts/257", 4<<8 + 1: "tty1", 4<<8 + 65: "ttyS1", 5<<8 + 1: "console", 204<<8 + 64: "204:64", 0x100000 | 136<<8: "pts/256"} {
		if got := ttyName(device); got != want {
			t.Errorf("%#x: %s, want %s", device, got, want)
		}
	}
}

func TestParseNames(t *testing.T) {
	got := parseNames([]byte("root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\nbad:x:a:0::/:\nshort:x:1\nadm:x:4:a,b\n"))
	want := map[int]string{0: "root", 4: "adm"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func FuzzParseStat(f *testing.F) {
	if b, err := os.ReadFile("/proc/self/stat"); err == nil {
		f.Add(string(b))
	}
	f.Add("1 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38")
	f.Add("1 (")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parseStat(s)
		if err == nil && (!strings.Contains(s, "("+p.name+")") || !strings.Contains(s, string(p.state))) {
			t.Errorf("%q: %+v", s, p)
		}
	})
}

func FuzzParseArgs(f *testing.F) {
	for _, s := range []string{"-ef", "aux", "-eo pid,comm=X,Y", "-o", "o pid"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, err := parseArgs([]string{s})
		if err == nil && len(list) == 0 {
			t.Errorf("%q gives no columns", s)
		}
	})
}
