package top

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// knownColumn is a column of ps(1) with the names that procps gives it.
type knownColumn struct {
	names []string
	title string
	cell  func(p *process) string
}

// known are the columns, in the words of ps(1).
var known = []knownColumn{
	{[]string{"pid", "tgid"}, "PID", func(p *process) string { return strconv.Itoa(p.pid) }},
	{[]string{"ppid"}, "PPID", func(p *process) string { return strconv.Itoa(p.ppid) }},
	{[]string{"pgid", "pgrp"}, "PGID", func(p *process) string { return strconv.Itoa(p.pgrp) }},
	{[]string{"sid", "sess", "session"}, "SID", func(p *process) string { return strconv.Itoa(p.session) }},
	{[]string{"user", "euser", "uname"}, "USER", func(p *process) string { return p.names.users(p.uid[1]) }},
	{[]string{"uid_hack"}, "UID", func(p *process) string { return p.names.users(p.uid[1]) }},
	{[]string{"uid", "euid"}, "UID", func(p *process) string { return strconv.Itoa(p.uid[1]) }},
	{[]string{"ruser"}, "RUSER", func(p *process) string { return p.names.users(p.uid[0]) }},
	{[]string{"ruid"}, "RUID", func(p *process) string { return strconv.Itoa(p.uid[0]) }},
	{[]string{"group", "egroup"}, "GROUP", func(p *process) string { return p.names.groups(p.gid[1]) }},
	{[]string{"gid", "egid"}, "GID", func(p *process) string { return strconv.Itoa(p.gid[1]) }},
	{[]string{"rgroup"}, "RGROUP", func(p *process) string { return p.names.groups(p.gid[0]) }},
	{[]string{"rgid"}, "RGID", func(p *process) string { return strconv.Itoa(p.gid[0]) }},
	{[]string{"comm", "ucomm"}, "COMMAND", (*process).shortCommand},
	{[]string{"ucmd"}, "CMD", (*process).shortCommand},
	{[]string{"args", "command"}, "COMMAND", (*process).command},
	{[]string{"cmd"}, "CMD", (*process).command},
	{[]string{"time", "cputime"}, "TIME", func(p *process) string { return cpuTime(p.used()) }},
	{[]string{"bsdtime"}, "TIME", func(p *process) string {
		s := int64(p.used() / time.Second)
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}},
	{[]string{"times", "cputimes"}, "TIME", func(p *process) string { return strconv.FormatInt(int64(p.used()/time.Second), 10) }},
	{[]string{"etime"}, "ELAPSED", func(p *process) string { return elapsedTime(p.elapsed()) }},
	{[]string{"etimes"}, "ELAPSED", func(p *process) string { return strconv.FormatInt(int64(p.elapsed()/time.Second), 10) }},
	{[]string{"%cpu", "pcpu"}, "%CPU", func(p *process) string { return fmt.Sprintf("%d.%d", p.load()/10, p.load()%10) }},
	{[]string{"c"}, "C", func(p *process) string { return strconv.FormatUint(min(p.load()/10, 99), 10) }},
	{[]string{"%mem", "pmem"}, "%MEM", func(p *process) string {
		part := min(p.resident*1000/max(p.now.memory, 1), 999)
		return fmt.Sprintf("%d.%d", part/10, part%10)
	}},
	{[]string{"rss", "rssize", "rsz"}, "RSS", func(p *process) string { return strconv.FormatUint(p.resident>>10, 10) }},
	{[]string{"vsz", "vsize"}, "VSZ", func(p *process) string { return strconv.FormatUint(p.size>>10, 10) }},
	{[]string{"stat"}, "STAT", (*process).stat},
	{[]string{"s", "state"}, "S", func(p *process) string { return string(p.state) }},
	{[]string{"tty", "tt"}, "TT", func(p *process) string { return ttyName(p.tty) }},
	{[]string{"tname"}, "TTY", func(p *process) string { return ttyName(p.tty) }},
	{[]string{"ni", "nice"}, "NI", func(p *process) string { return strconv.Itoa(p.nice) }},
	{[]string{"pri"}, "PRI", func(p *process) string { return strconv.Itoa(39 - p.priority) }},
	{[]string{"nlwp", "thcount"}, "NLWP", func(p *process) string { return strconv.Itoa(p.threads) }},
	{[]string{"psr"}, "PSR", func(p *process) string { return strconv.Itoa(p.cpu) }},
	{[]string{"stime", "start_time"}, "STIME", func(p *process) string { return startTime(p.started(), p.now.wall) }},
	{[]string{"bsdstart"}, "START", func(p *process) string {
		if p.elapsed() < 24*time.Hour {
			return p.started().Format("15:04")
		}
		return p.started().Format("Jan02")
	}},
	{[]string{"start"}, "STARTED", func(p *process) string {
		if p.elapsed() < 24*time.Hour {
			return p.started().Format("15:04:05")
		}
		return p.started().Format("Jan 02")
	}},
	{[]string{"lstart"}, "STARTED", func(p *process) string { return p.started().Format("Mon Jan _2 15:04:05 2006") }},
}

// shortCommand is the name that the kernel has of the program.
func (p *process) shortCommand() string {
	if p.state == 'Z' {
		return printable(p.name) + " <defunct>"
	}
	return printable(p.name)
}

// command is the command line; a process without one, as zombies are, is shown by its name in brackets.
func (p *process) command() string {
	switch {
	case len(p.args) > 0:
		return printable(strings.Join(p.args, " "))
	case p.state == 'Z':
		return "[" + printable(p.name) + "] <defunct>"
	}
	return "[" + printable(p.name) + "]"
}

// printable replaces what would break a line or a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// stat is the state with the marks that ps(1) adds.
func (p *process) stat() string {
	s := string(p.state)
	switch {
	case p.nice < 0:
		s += "<"
	case p.nice > 0:
		s += "N"
	}
	if p.locked {
		s += "L"
	}
	if p.session == p.pid {
		s += "s"
	}
	if p.threads > 1 {
		s += "l"
	}
	if p.foreground == p.pgrp {
		s += "+"
	}
	return s
}

// cpuTime is [DAYS-]HH:MM:SS.
func cpuTime(d time.Duration) string {
	s := int64(d / time.Second)
	text := fmt.Sprintf("%02d:%02d:%02d", s/3600%24, s/60%60, s%60)
	if days := s / 86400; days > 0 {
		text = fmt.Sprintf("%d-%s", days, text)
	}
	return text
}

// elapsedTime is [[DAYS-]HH:]MM:SS.
func elapsedTime(d time.Duration) string {
	if d < time.Hour {
		s := int64(d / time.Second)
		return fmt.Sprintf("%02d:%02d", s/60, s%60)
	}
	return cpuTime(d)
}

// startTime is the time of today, else the day of this year, else the year.
func startTime(t, now time.Time) string {
	switch {
	case t.Year() != now.Year():
		return t.Format("2006")
	case t.YearDay() != now.YearDay():
		return t.Format("Jan02")
	}
	return t.Format("15:04")
}

// ttyName is the name of a terminal below /dev; "?" is none.
func ttyName(device int) string {
	major, minor := device>>8&0xfff, device&0xff|device>>12&0xfff00
	switch {
	case device == 0:
		return "?"
	case major >= 136 && major <= 143:
		return "pts/" + strconv.Itoa((major-136)<<8+minor)
	case major == 4 && minor < 64:
		return "tty" + strconv.Itoa(minor)
	case major == 4:
		return "ttyS" + strconv.Itoa(minor-64)
	case major == 5 && minor == 1:
		return "console"
	}
	return fmt.Sprintf("%d:%d", major, minor)
}
