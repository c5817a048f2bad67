#include "textflag.h"

// func getrlimit(l *rlimit) int
// prlimit64(0, RLIMIT_NOFILE, 0, l)
TEXT ·getrlimit(SB), NOSPLIT, $0-16
	MOVQ $0, DI
	MOVQ $7, SI
	MOVQ $0, DX
	MOVQ l+0(FP), R10
	MOVQ $302, AX
	SYSCALL
	MOVQ AX, ret+8(FP)
	RET
