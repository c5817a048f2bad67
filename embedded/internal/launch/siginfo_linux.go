package launch

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// statusOf reads what waitid says: si_code at 8, si_pid at 12 and si_status at 24
// in struct siginfo of both architectures.
func statusOf(info *unix.Siginfo) Status {
	const offStatus = 24
	code := *(*int32)(unsafe.Add(unsafe.Pointer(info), 8))
	status := int(*(*int32)(unsafe.Add(unsafe.Pointer(info), offStatus)))
	if code == 1 { // CLD_EXITED
		return Status{Code: status}
	}
	return Status{Code: 128 + status, Signal: status}
}
