//go:build linux

#include "textflag.h"

// func code() *byte
TEXT ·code(SB), NOSPLIT, $0-8
	LEAQ	·program(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// The program. BX is the first stack pointer: argc, argv, nil, envp, nil. R12 is the command's
// process. Calls clobber CX and R11.
TEXT ·program(SB), NOSPLIT|NOFRAME|TOPFRAME, $0-0
	MOVQ	SP, BX
	SUBQ	$16384, SP

	// All signals wait for sigtimedwait. 0(SP) is the set of all.
	MOVQ	$-1, AX
	MOVQ	AX, 0(SP)
	MOVL	$14, AX			// rt_sigprocmask
	MOVL	$2, DI			// SIG_SETMASK
	MOVQ	SP, SI
	XORL	DX, DX
	MOVL	$8, R10
	SYSCALL

	MOVL	$57, AX			// fork
	SYSCALL
	TESTQ	AX, AX
	JZ	child
	JLT	failed
	MOVQ	AX, R12

next:
	MOVL	$128, AX		// rt_sigtimedwait
	MOVQ	SP, DI
	XORL	SI, SI
	XORL	DX, DX
	MOVL	$8, R10
	SYSCALL
	TESTQ	AX, AX
	JLE	next
	CMPQ	AX, $17			// SIGCHLD
	JEQ	reap
	MOVQ	AX, SI
	MOVQ	R12, DI
	MOVL	$62, AX			// kill
	SYSCALL
	JMP	next

reap:
	MOVL	$61, AX			// wait4
	MOVQ	$-1, DI
	LEAQ	8(SP), SI
	MOVL	$1, DX			// WNOHANG
	XORL	R10, R10
	SYSCALL
	TESTQ	AX, AX
	JLE	next
	CMPQ	AX, R12
	JNE	reap
	MOVL	8(SP), AX
	MOVL	AX, DI
	ANDL	$0x7f, DI
	JNE	signaled
	SHRL	$8, AX
	MOVL	AX, DI
	ANDL	$0xff, DI
	JMP	exit
signaled:
	ADDL	$128, DI
	JMP	exit

failed:
	MOVL	$126, DI
exit:
	MOVL	$231, AX		// exit_group
	SYSCALL
	JMP	exit

child:
	MOVL	$109, AX		// setpgid
	XORL	DI, DI
	XORL	SI, SI
	SYSCALL
	MOVL	$39, AX			// getpid
	SYSCALL
	MOVQ	AX, 8(SP)
	MOVL	$16, AX			// ioctl
	XORL	DI, DI
	MOVL	$0x5410, SI		// TIOCSPGRP
	LEAQ	8(SP), DX
	SYSCALL
	MOVQ	$0, 0(SP)
	MOVL	$14, AX			// rt_sigprocmask
	MOVL	$2, DI
	MOVQ	SP, SI
	XORL	DX, DX
	MOVL	$8, R10
	SYSCALL

	// R13 is the command's argv, R14 the environment, R15 the command.
	MOVQ	0(BX), AX
	LEAQ	16(BX), R13
	LEAQ	16(BX)(AX*8), R14
	MOVQ	(R13), R15
	MOVL	$127, R8		// the exit code, until something better is known
	TESTQ	R15, R15
	JZ	giveup

	// A command with a slash is a path.
	MOVQ	R15, SI
slash:
	MOVB	(SI), AX
	TESTB	AX, AX
	JZ	search
	INCQ	SI
	CMPB	AX, $'/'
	JNE	slash
	MOVQ	R15, DI
	MOVL	$59, AX			// execve
	MOVQ	R13, SI
	MOVQ	R14, DX
	SYSCALL
	CMPQ	AX, $-2			// ENOENT
	JEQ	giveup
	CMPQ	AX, $-20		// ENOTDIR
	JEQ	giveup
	MOVL	$126, R8
	JMP	giveup

	// Otherwise it is looked for in PATH.
search:
	MOVQ	R14, SI
variable:
	MOVQ	(SI), DI
	TESTQ	DI, DI
	JZ	giveup
	ADDQ	$8, SI
	MOVL	(DI), AX
	CMPL	AX, $0x48544150		// PATH
	JNE	variable
	CMPB	4(DI), $'='
	JNE	variable
	LEAQ	5(DI), R9		// what is left of PATH

directory:
	LEAQ	64(SP), DI		// the name is put together here
	LEAQ	8192(SP), R10		// its greatest end
copydir:
	MOVB	(R9), AX
	TESTB	AX, AX
	JZ	dirdone
	CMPB	AX, $':'
	JEQ	dirdone
	INCQ	R9
	CMPQ	DI, R10
	JCC	copydir
	MOVB	AX, (DI)
	INCQ	DI
	JMP	copydir
dirdone:
	LEAQ	64(SP), AX
	CMPQ	DI, AX
	JNE	named
	MOVB	$'.', (DI)		// an empty entry is the working directory
	INCQ	DI
named:
	MOVB	$'/', (DI)
	INCQ	DI
	MOVQ	R15, SI
	LEAQ	16000(SP), R10
copyname:
	MOVB	(SI), AX
	MOVB	AX, (DI)
	INCQ	SI
	INCQ	DI
	CMPQ	DI, R10
	JCC	giveup
	TESTB	AX, AX
	JNE	copyname
	MOVL	$59, AX			// execve
	LEAQ	64(SP), DI
	MOVQ	R13, SI
	MOVQ	R14, DX
	SYSCALL
	CMPQ	AX, $-2			// ENOENT
	JEQ	more
	CMPQ	AX, $-20		// ENOTDIR
	JEQ	more
	MOVL	$126, R8
more:
	MOVB	(R9), AX
	TESTB	AX, AX
	JZ	giveup
	INCQ	R9
	JMP	directory

giveup:
	MOVL	R8, DI
	JMP	exit
	BYTE $'b'; BYTE $'e'; BYTE $'r'; BYTE $'t'; BYTE $'h'; BYTE $'-'; BYTE $'r'; BYTE $'e'; BYTE $'a'; BYTE $'p'; BYTE $'e'; BYTE $'r'; BYTE $'-'; BYTE $'e'; BYTE $'n'; BYTE $'d'
