package normal

import (
	"strings"

	"github.com/berthdev/berth/engine"
)

// Signal reads a signal of Linux as [engine.ParseSignal] does; "" is SIGTERM's
// absence: 0 and "".
func Signal(s string) (num int, name string, err error) {
	if s == "" {
		return 0, "", nil
	}
	return engine.ParseSignal(s)
}

// Rlimit is the name of a resource limit as Docker has it: in lower case, without RLIMIT_.
func Rlimit(name string) string { return strings.TrimPrefix(strings.ToLower(name), "rlimit_") }

// Rule is an element of Spec.DeviceCgroupRules, read.
type Rule = engine.DeviceCgroupRule

// DeviceCgroupRule reads "c 13:* rwm".
func DeviceCgroupRule(s string) (Rule, error) { return engine.ParseDeviceCgroupRule(s) }
