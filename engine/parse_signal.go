package engine

import (
	"strconv"
	"strings"
)

// The real-time signals of Linux as libc shows them: the kernel's 32 and 33 are its own.
const (
	sigRTMin = 34
	sigRTMax = 64
)

// linuxSignals are the names of signals 1 to 31 on every architecture but alpha,
// mips and sparc (signal(7)).
var linuxSignals = [...]string{
	1: "HUP", 2: "INT", 3: "QUIT", 4: "ILL", 5: "TRAP", 6: "ABRT", 7: "BUS", 8: "FPE", 9: "KILL", 10: "USR1", 11: "SEGV",
	12: "USR2", 13: "PIPE", 14: "ALRM", 15: "TERM", 16: "STKFLT", 17: "CHLD", 18: "CONT", 19: "STOP", 20: "TSTP", 21: "TTIN",
	22: "TTOU", 23: "URG", 24: "XCPU", 25: "XFSZ", 26: "VTALRM", 27: "PROF", 28: "WINCH", 29: "IO", 30: "PWR", 31: "SYS",
}

// ParseSignal reads a signal of Linux: a name with or without SIG in any case
// ("SIGTERM", "term", "RTMIN+3", "SIGRTMAX-1") or a number ("15"). The name that it
// returns has SIG; real-time signals are called from the nearer end, as kill -l does;
// 32 and 33, which have no name, are called by their number. Errors are InvalidErrors.
func ParseSignal(s string) (num int, name string, err error) {
	if isDigits(s) {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > sigRTMax {
			return 0, "", &InvalidError{Option: "signal", Value: s, Reason: "numbers are 1 to 64"}
		}
		return n, signalName(n), nil
	}
	upper := strings.TrimPrefix(strings.ToUpper(s), "SIG")
	switch upper {
	case "IOT":
		upper = "ABRT"
	case "CLD":
		upper = "CHLD"
	case "POLL":
		upper = "IO"
	}
	for n, known := range linuxSignals {
		if n > 0 && known == upper {
			return n, "SIG" + known, nil
		}
	}
	n := 0
	if after, ok := strings.CutPrefix(upper, "RTMIN"); ok {
		n = sigRTMin + signalOffset(after, '+')
	} else if after, ok := strings.CutPrefix(upper, "RTMAX"); ok {
		n = sigRTMax - signalOffset(after, '-')
	}
	if n < sigRTMin || n > sigRTMax {
		return 0, "", &InvalidError{Option: "signal", Value: s, Reason: "there is no such signal"}
	}
	return n, signalName(n), nil
}

// signalOffset reads what follows RTMIN and RTMAX; what is malformed is out of every range.
func signalOffset(s string, sign byte) int {
	if s == "" {
		return 0
	}
	if s[0] == sign && isDigits(s[1:]) && len(s) < 4 {
		n, _ := strconv.Atoi(s[1:])
		return n
	}
	return 1000
}

func signalName(n int) string {
	switch {
	case n < len(linuxSignals):
		return "SIG" + linuxSignals[n]
	case n < sigRTMin:
		return strconv.Itoa(n)
	case n == sigRTMin:
		return "SIGRTMIN"
	case n == sigRTMax:
		return "SIGRTMAX"
	case n <= sigRTMin+15:
		return "SIGRTMIN+" + strconv.Itoa(n-sigRTMin)
	}
	return "SIGRTMAX-" + strconv.Itoa(sigRTMax-n)
}
