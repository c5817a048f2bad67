package leaktest

import (
	"runtime"
	"strings"
)

// background are functions whose goroutines the runtime and package testing start once and for all.
var background = []string{
	"os/signal.signal_recv", "os/signal.loop", "runtime.ensureSigM", "runtime.ReadTrace",
	"testing.(*M).startAlarm", "testing.(*F).Fuzz", "testing.runFuzzing", "internal/fuzz.",
}

// goroutines returns the stacks of all goroutines but the caller's and those of the runtime, by their number.
func goroutines() map[string]string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	all := make(map[string]string)
	for i, stack := range strings.Split(strings.TrimSpace(string(buf)), "\n\n") {
		if i == 0 || isBackground(stack) { // the first is the caller
			continue
		}
		id, _, _ := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " ")
		all[id] = stack
	}
	return all
}

func isBackground(stack string) bool {
	for _, f := range background {
		if strings.Contains(stack, f) {
			return true
		}
	}
	return false
}
