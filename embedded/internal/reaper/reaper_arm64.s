//go:build linux

#include "textflag.h"

// func code() *byte
TEXT ·code(SB), NOSPLIT, $0-8
	MOVD	$·program(SB), R0
	MOVD	R0, ret+0(FP)
	RET

// The program. R19 is the first stack pointer: argc, argv, nil, envp, nil. R20 is the command's
// process, R21 the memory that it works in.
TEXT ·program(SB), NOSPLIT|NOFRAME|TOPFRAME, $0-0
	MOVD	RSP, R19
	SUB	$16384, R19, R21
	MOVD	R21, RSP

	// All signals wait for sigtimedwait. 0(R21) is the set of all.
	MOVD	$-1, R0
	MOVD	R0, 0(R21)
	MOVD	$135, R8		// rt_sigprocmask
	MOVD	$2, R0			// SIG_SETMASK
	MOVD	R21, R1
	MOVD	$0, R2
	MOVD	$8, R3
	SVC

	MOVD	$220, R8		// clone
	MOVD	$17, R0			// SIGCHLD
	MOVD	$0, R1
	MOVD	$0, R2
	MOVD	$0, R3
	MOVD	$0, R4
	SVC
	CBZ	R0, child
	TBNZ	$63, R0, failed
	MOVD	R0, R20

next:
	MOVD	$137, R8		// rt_sigtimedwait
	MOVD	R21, R0
	MOVD	$0, R1
	MOVD	$0, R2
	MOVD	$8, R3
	SVC
	CMP	$0, R0
	BLE	next
	CMP	$17, R0			// SIGCHLD
	BEQ	reap
	MOVD	R0, R1
	MOVD	R20, R0
	MOVD	$129, R8		// kill
	SVC
	B	next

reap:
	MOVD	$260, R8		// wait4
	MOVD	$-1, R0
	ADD	$8, R21, R1
	MOVD	$1, R2			// WNOHANG
	MOVD	$0, R3
	SVC
	CMP	$0, R0
	BLE	next
	CMP	R20, R0
	BNE	reap
	MOVWU	8(R21), R1
	AND	$0x7f, R1, R0
	CBNZ	R0, signaled
	LSR	$8, R1, R0
	AND	$0xff, R0, R0
	B	exit
signaled:
	ADD	$128, R0
	B	exit

failed:
	MOVD	$126, R0
exit:
	MOVD	$94, R8			// exit_group
	SVC
	B	exit

child:
	MOVD	$154, R8		// setpgid
	MOVD	$0, R0
	MOVD	$0, R1
	SVC
	MOVD	$172, R8		// getpid
	SVC
	MOVD	R0, 8(R21)
	MOVD	$29, R8			// ioctl
	MOVD	$0, R0
	MOVD	$0x5410, R1		// TIOCSPGRP
	ADD	$8, R21, R2
	SVC
	MOVD	ZR, 0(R21)
	MOVD	$135, R8		// rt_sigprocmask
	MOVD	$2, R0
	MOVD	R21, R1
	MOVD	$0, R2
	MOVD	$8, R3
	SVC

	// R22 is the command's argv, R23 the environment, R24 the command, R25 the exit code.
	MOVD	0(R19), R0
	ADD	$16, R19, R22
	ADD	R0<<3, R22, R23
	MOVD	(R22), R24
	MOVD	$127, R25
	CBZ	R24, giveup

	// A command with a slash is a path.
	MOVD	R24, R1
slash:
	MOVBU	(R1), R0
	CBZ	R0, search
	ADD	$1, R1
	CMP	$'/', R0
	BNE	slash
	MOVD	R24, R0
	MOVD	R22, R1
	MOVD	R23, R2
	MOVD	$221, R8		// execve
	SVC
	CMN	$2, R0			// ENOENT
	BEQ	giveup
	CMN	$20, R0			// ENOTDIR
	BEQ	giveup
	MOVD	$126, R25
	B	giveup

	// Otherwise it is looked for in PATH.
search:
	MOVD	R23, R1
variable:
	MOVD	(R1), R2
	CBZ	R2, giveup
	ADD	$8, R1
	MOVBU	0(R2), R0
	CMP	$'P', R0
	BNE	variable
	MOVBU	1(R2), R0
	CMP	$'A', R0
	BNE	variable
	MOVBU	2(R2), R0
	CMP	$'T', R0
	BNE	variable
	MOVBU	3(R2), R0
	CMP	$'H', R0
	BNE	variable
	MOVBU	4(R2), R0
	CMP	$'=', R0
	BNE	variable
	ADD	$5, R2, R26		// what is left of PATH

directory:
	ADD	$64, R21, R4		// the name is put together here
	ADD	$8192, R21, R5		// its greatest end
copydir:
	MOVBU	(R26), R0
	CBZ	R0, dirdone
	CMP	$':', R0
	BEQ	dirdone
	ADD	$1, R26
	CMP	R5, R4
	BHS	copydir
	MOVB	R0, (R4)
	ADD	$1, R4
	B	copydir
dirdone:
	ADD	$64, R21, R6
	CMP	R6, R4
	BNE	named
	MOVD	$'.', R0		// an empty entry is the working directory
	MOVB	R0, (R4)
	ADD	$1, R4
named:
	MOVD	$'/', R0
	MOVB	R0, (R4)
	ADD	$1, R4
	MOVD	R24, R1
	MOVD	$16000, R5
	ADD	R21, R5
copyname:
	MOVBU	(R1), R0
	MOVB	R0, (R4)
	ADD	$1, R1
	ADD	$1, R4
	CMP	R5, R4
	BHS	giveup
	CBNZ	R0, copyname
	ADD	$64, R21, R0
	MOVD	R22, R1
	MOVD	R23, R2
	MOVD	$221, R8		// execve
	SVC
	CMN	$2, R0			// ENOENT
	BEQ	more
	CMN	$20, R0			// ENOTDIR
	BEQ	more
	MOVD	$126, R25
more:
	MOVBU	(R26), R0
	CBZ	R0, giveup
	ADD	$1, R26
	B	directory

giveup:
	MOVD	R25, R0
	B	exit
	WORD	$0x74726562		// berth-reaper-end
	WORD	$0x65722d68
	WORD	$0x72657061
	WORD	$0x646e652d
