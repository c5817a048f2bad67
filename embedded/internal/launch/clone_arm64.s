//go:build linux && !berth_nofork

#include "textflag.h"

// func cloneShared(args *cloneArgs, size uintptr, m *machine) (pid uintptr)
//
// See clone_amd64.s.
TEXT ·cloneShared(SB),NOSPLIT,$32-32
	MOVD	args+0(FP), R0
	MOVD	size+8(FP), R1
	MOVD	m+16(FP), R19
	MOVD	$435, R8 // SYS_clone3
	SVC
	CBNZ	R0, parent
	MOVD	R19, 8(RSP)
	MOVD	R19, 16(RSP)
	BL	·beginShared(SB)
	MOVD	16(RSP), R19
	MOVD	R19, 8(RSP)
	BL	·run(SB) // never returns
	BRK
parent:
	MOVD	R0, pid+24(FP)
	RET
