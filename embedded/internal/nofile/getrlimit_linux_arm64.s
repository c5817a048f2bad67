#include "textflag.h"

// func getrlimit(l *rlimit) int
// prlimit64(0, RLIMIT_NOFILE, 0, l)
TEXT ·getrlimit(SB), NOSPLIT, $0-16
	MOVD $0, R0
	MOVD $7, R1
	MOVD $0, R2
	MOVD l+0(FP), R3
	MOVD $261, R8
	SVC
	MOVD R0, ret+8(FP)
	RET
