package top

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is what /proc tells of a process.
type process struct {
	pid, ppid, pgrp, session int
	tty, foreground          int
	state                    byte
	name                     string // up to 15 bytes
	args                     []string
	user, system             uint64 // clock ticks of CPU time
	start                    uint64 // clock ticks after boot
	nice, priority           int
	threads, cpu             int
	size, resident           uint64 // bytes
	locked                   bool
	// of the status file; real, effective
	uid, gid [2]int

	now   moment
	names *names
}

// ticks is how many clock ticks a second has: USER_HZ is 100 on every architecture that Go runs on.
const ticks = 100

// moment is when a list was made.
type moment struct {
	wall   time.Time
	boot   int64 // seconds since 1970
	uptime time.Duration
	memory uint64 // bytes that the machine has
}

func clock() (moment, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return moment{}, err
	}
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return moment{}, err
	}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return moment{}, err
	}
	m := moment{wall: time.Now(), uptime: time.Duration(ts.Nano()), memory: uint64(info.Totalram) * uint64(info.Unit)}
	for line := range bytes.Lines(stat) {
		if value, ok := bytes.CutPrefix(line, []byte("btime ")); ok {
			m.boot, err = strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
		}
	}
	return m, err
}

// readProcess reads a process; the error of one that is gone is an fs.ErrNotExist or ESRCH.
func readProcess(pid int) (*process, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return nil, err
	}
	p, err := parseStat(string(stat))
	if err != nil {
		return nil, fmt.Errorf("%s/stat: %w", dir, err)
	}
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return nil, err
	}
	p.parseStatus(status)
	line, err := os.ReadFile(dir + "/cmdline")
	if err != nil {
		return nil, err
	}
	if line = bytes.TrimRight(line, "\x00"); len(line) > 0 {
		p.args = strings.Split(string(line), "\x00")
	}
	return p, nil
}

// parseStat reads a /proc/PID/stat (proc(5)). The name may have spaces and brackets in it.
func parseStat(s string) (*process, error) {
	open, end := strings.IndexByte(s, '('), strings.LastIndexByte(s, ')')
	if open < 0 || end < open {
		return nil, fmt.Errorf("no name in %q", s)
	}
	f := strings.Fields(s[end+1:])
	if len(f) < 37 || len(f[0]) != 1 {
		return nil, fmt.Errorf("%d fields", len(f))
	}
	p := &process{name: s[open+1 : end], state: f[0][0]}
	var err error
	// The fields are numbered as in proc(5), where the state is the third.
	integer := func(i int, to *int) {
		n, e := strconv.ParseInt(f[i-3], 10, 64)
		if e != nil && err == nil {
			err = e
		}
		*to = int(n)
	}
	unsigned := func(i int, to *uint64) {
		n, e := strconv.ParseUint(f[i-3], 10, 64)
		if e != nil && err == nil {
			err = e
		}
		*to = n
	}
	if p.pid, err = strconv.Atoi(strings.TrimSpace(s[:open])); err != nil {
		return nil, err
	}
	integer(4, &p.ppid)
	integer(5, &p.pgrp)
	integer(6, &p.session)
	integer(7, &p.tty)
	integer(8, &p.foreground)
	unsigned(14, &p.user)
	unsigned(15, &p.system)
	integer(18, &p.priority)
	integer(19, &p.nice)
	integer(20, &p.threads)
	unsigned(22, &p.start)
	unsigned(23, &p.size)
	integer(39, &p.cpu)
	return p, err
}

// parseStatus reads what of a /proc/PID/status the other file does not have.
func (p *process) parseStatus(b []byte) {
	for line := range bytes.Lines(b) {
		name, value, _ := strings.Cut(string(line), ":")
		f := strings.Fields(value)
		switch {
		case name == "Uid" && len(f) == 4:
			p.uid[0], _ = strconv.Atoi(f[0])
			p.uid[1], _ = strconv.Atoi(f[1])
		case name == "Gid" && len(f) == 4:
			p.gid[0], _ = strconv.Atoi(f[0])
			p.gid[1], _ = strconv.Atoi(f[1])
		case name == "VmRSS" && len(f) > 0: // the other file's number is an estimate
			p.resident, _ = strconv.ParseUint(f[0], 10, 64)
			p.resident <<= 10
		case name == "VmLck" && len(f) > 0:
			p.locked = f[0] != "0"
		}
	}
}

// elapsed is the time since the process was started, never negative.
func (p *process) elapsed() time.Duration {
	return max(0, p.now.uptime-time.Duration(p.start)*time.Second/ticks)
}

// started is when that was, in whole seconds as the kernel and ps(1) count them.
func (p *process) started() time.Time { return time.Unix(p.now.boot+int64(p.start/ticks), 0) }

// used is the process's CPU time.
func (p *process) used() time.Duration { return time.Duration(p.user+p.system) * time.Second / ticks }

// load is CPU time over elapsed time, in thousandths.
func (p *process) load() uint64 {
	if e := p.elapsed(); e > 0 {
		return uint64(p.used() * 1000 / e)
	}
	return 0
}
