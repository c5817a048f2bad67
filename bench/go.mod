module github.com/berthdev/berth/bench

go 1.26.0

require github.com/berthdev/berth v0.0.0

replace github.com/berthdev/berth => ..
