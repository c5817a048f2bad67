package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/berthdev/berth"
)

// humanSize is a size with three digits and a decimal unit, as docker shows it.
func humanSize(n berth.Bytes) string {
	size, units := float64(n), []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	i := 0
	for size >= 999.5 && i < len(units)-1 {
		size /= 1000
		i++
	}
	return strconv.FormatFloat(size, 'g', 3, 64) + units[i]
}

// humanAge is how long ago t was, as of now.
func humanAge(t, now time.Time) string {
	if t.IsZero() {
		return "N/A"
	}
	d := now.Sub(t)
	const day = 24 * time.Hour
	for _, unit := range []struct {
		length time.Duration
		from   time.Duration // the unit is used from here on
		name   string
	}{
		{365 * day, 2 * 365 * day, "year"}, {30 * day, 60 * day, "month"}, {7 * day, 14 * day, "week"}, {day, 2 * day, "day"},
		{time.Hour, time.Hour, "hour"}, {time.Minute, time.Minute, "minute"}, {time.Second, time.Second, "second"},
	} {
		if d < unit.from {
			continue
		}
		n := int(d / unit.length)
		if n == 1 {
			return "1 " + unit.name + " ago"
		}
		return fmt.Sprintf("%d %ss ago", n, unit.name)
	}
	return "less than a second ago"
}

// shortID is the 12 characters of an ID that people know.
func shortID(id string, full bool) string {
	if full {
		return id
	}
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(len(id), 12)]
}

// shorten cuts s to n characters, the last of which is then an ellipsis.
func shorten(s string, n int, full bool) string {
	if full || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// portList shows ports as docker does: "0.0.0.0:8080->80/tcp, 443/tcp".
func portList(ports []berth.PortBinding) string {
	list := make([]string, len(ports))
	for i, p := range ports {
		list[i] = p.Container
		if p.HostPort != 0 {
			host := "0.0.0.0"
			switch {
			case p.HostIP.Is6():
				host = "[" + p.HostIP.String() + "]"
			case p.HostIP.IsValid():
				host = p.HostIP.String()
			}
			list[i] = fmt.Sprintf("%s:%d->%s", host, p.HostPort, p.Container)
		}
	}
	return strings.Join(list, ", ")
}
