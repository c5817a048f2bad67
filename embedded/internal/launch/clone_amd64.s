//go:build linux && !berth_nofork

#include "textflag.h"

// func cloneShared(args *cloneArgs, size uintptr, m *machine) (pid uintptr)
//
// clone3 returns twice on one stack. The parent's thread sleeps in the kernel as long as the
// child is on it, and the child only writes below this frame, and this frame's two words.
TEXT ·cloneShared(SB),NOSPLIT,$16-32
	MOVQ	args+0(FP), DI
	MOVQ	size+8(FP), SI
	MOVQ	m+16(FP), R12
	MOVQ	$435, AX // SYS_clone3
	SYSCALL
	TESTQ	AX, AX
	JNZ	parent
	MOVQ	R12, 0(SP)
	MOVQ	R12, 8(SP)
	CALL	·beginShared(SB)
	MOVQ	8(SP), R12
	MOVQ	R12, 0(SP)
	CALL	·run(SB) // never returns
	INT	$3
parent:
	MOVQ	AX, pid+24(FP)
	RET
