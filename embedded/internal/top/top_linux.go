package top

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// berthColumns are the columns of every engine where no others are asked for.
var berthColumns = []string{"user", "pid", "ppid", "%cpu", "etime", "tname", "time", "command"}

// Top lists the processes pids, in that order. Args are those of ps(1), one word or several each: "-ef", "aux",
// "-o pid,comm"; none are Berth's columns, and Processes typed. A process that ends meanwhile
// is left out. Users are called what users says; nil says what this machine's /etc/passwd does.
func Top(pids []int, args []string, users func(uid int) string) (*engine.Top, error) {
	list, err := parseArgs(args)
	if err != nil {
		return nil, err
	}
	names := hostNames()
	if users != nil {
		names.users = users
	}
	now, err := clock()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	top := &engine.Top{Rows: [][]string{}}
	for _, c := range list {
		top.Titles = append(top.Titles, c.title)
	}
	for _, pid := range pids {
		p, err := readProcess(pid)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list processes: %w", err)
		}
		p.now, p.names = now, names
		row := make([]string, len(list))
		for i, c := range list {
			row[i] = c.cell(p)
		}
		top.Rows = append(top.Rows, row)
	}
	if len(args) == 0 {
		top.Processes, err = normal.TopProcesses(top.Titles, top.Rows)
	}
	return top, err
}
