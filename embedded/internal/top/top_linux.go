package top

import "github.com/berthdev/berth/engine"

// Top lists the processes pids. Args are those of ps(1): -ef, aux, -o and their like; none
// are Berth's columns, and Processes typed. A process that ends meanwhile is left out. Users are told by
// users, which may be nil: numbers.
func Top(pids []int, args []string, users func(uid int) string) (*engine.Top, error) { return nil, nil }
