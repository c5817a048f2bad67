package main

import (
	"errors"

	"github.com/berthdev/berth"
)

// pullPolicy is a value of --pull.
type pullPolicy berth.PullPolicy

func (p *pullPolicy) String() string { return string(*p) }
func (p *pullPolicy) Type() string   { return "POLICY" }

func (p *pullPolicy) Set(s string) error {
	switch berth.PullPolicy(s) {
	case berth.PullMissing, berth.PullAlways, berth.PullNever, berth.PullNewer:
		*p = pullPolicy(s)
		return nil
	}
	return errors.New("want missing, always, never or newer")
}
