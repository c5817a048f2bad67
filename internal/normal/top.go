package normal

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
)

// TopProcesses types the rows of ps: the columns are found by their titles, as ps(1), busybox
// and Podman call them. PID and COMMAND must be there; other columns that are missing leave
// their field zero, further ones are passed over. Where a row has more cells than there
// are titles, the rest belongs to the last column. A cell that is not what its title says is an error.
func TopProcesses(titles []string, rows [][]string) ([]engine.Process, error) {
	columns := make([]string, len(titles))
	known := map[string]bool{}
	for i, t := range titles {
		columns[i] = strings.ToUpper(t)
		known[columns[i]] = true
	}
	if !known["PID"] || !known["COMMAND"] && !known["CMD"] && !known["ARGS"] {
		return nil, fmt.Errorf("list processes: no columns PID and COMMAND in %q", titles)
	}
	list := make([]engine.Process, 0, len(rows))
	for _, row := range rows {
		if len(row) < len(columns) {
			return nil, fmt.Errorf("list processes: %d cells for %d titles in %q", len(row), len(columns), row)
		}
		var p engine.Process
		for i, column := range columns {
			cell := row[i]
			if i == len(columns)-1 {
				cell = strings.Join(row[i:], " ")
			}
			if err := setCell(&p, column, cell); err != nil {
				return nil, fmt.Errorf("list processes: column %s of %q: %w", column, row, err)
			}
		}
		list = append(list, p)
	}
	return list, nil
}

func setCell(p *engine.Process, column, cell string) (err error) {
	switch column {
	case "USER", "UID":
		p.User = cell
	case "PID":
		p.PID, err = strconv.Atoi(cell)
	case "PPID":
		p.PPID, err = strconv.Atoi(cell)
	case "%CPU", "C":
		if cell != "-" {
			p.CPU, err = strconv.ParseFloat(strings.TrimSuffix(cell, "%"), 64)
		}
	case "ELAPSED":
		p.Elapsed, err = psTime(cell)
	case "TIME":
		p.Time, err = psTime(cell)
	case "TTY", "TT":
		p.TTY = cell
	case "COMMAND", "CMD", "ARGS":
		p.Command = cell
	}
	return err
}

// psTime reads [[DAYS-]HOURS:]MINUTES:SECONDS[.FRACTION] of ps(1), seconds alone,
// busybox's 12h34 (hours, minutes) and 3d05 (days, hours), and Podman's Go duration; "-" is 0.
func psTime(s string) (time.Duration, error) {
	if s == "-" {
		return 0, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return d, nil
	}
	bad := fmt.Errorf("%q is no time", s)
	// The sizes of the numbers keep every sum below 292 years.
	number := func(s string, bits int, unit time.Duration) time.Duration {
		n, err := strconv.ParseUint(s, 10, bits)
		if err != nil {
			return -1 << 62
		}
		return time.Duration(n) * unit
	}
	var total time.Duration
	if h, m, ok := strings.Cut(s, "h"); ok {
		total = number(h, 20, time.Hour) + number(m, 6, time.Minute)
	} else if d, h, ok := strings.Cut(s, "d"); ok {
		total = number(d, 15, 24*time.Hour) + number(h, 6, time.Hour)
	} else {
		clock := s
		if d, rest, ok := strings.Cut(s, "-"); ok {
			total, clock = number(d, 15, 24*time.Hour), rest
		}
		clock, frac, point := strings.Cut(clock, ".")
		if point {
			if frac == "" || len(frac) > 9 {
				return 0, bad
			}
			total += number((frac + "000000000")[:9], 30, 1)
		}
		parts := strings.Split(clock, ":")
		if len(parts) > 3 {
			return 0, bad
		}
		bits := 20
		if len(parts) == 1 {
			bits = 31
		}
		unit := time.Second
		for i := len(parts) - 1; i >= 0 && total >= 0; i-- {
			total += number(parts[i], bits, unit)
			unit *= 60
		}
	}
	if total < 0 {
		return 0, bad
	}
	return total, nil
}
