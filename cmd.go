package berth

import (
	"io"
	"strings"
	"time"
)

// Cmd is a command to run in a running container: docker exec, in the shape of
// [os/exec.Cmd]. [Container.Command] makes one, its fields say how it runs, and
// one of Run, Output, CombinedOutput, Start and Conn runs it, once: a Cmd cannot
// be reused.
//
// A command that ends with a code other than 0 is an [*ExitError], in every
// shape: streamed, collected, with no output asked for, detached, or over Conn.
// One that the container does not have is code 127 and an [ErrCommandNotFound],
// one that cannot be executed code 126 and an [ErrCommandNotExecutable], on
// every engine; the engine's words are in ExitError.Message, not in the output,
// wherever they can be told from the output of a process. A User or Dir that the
// container does not have is an [*InvalidError] that names the field.
//
// A Cmd is not safe for concurrent use, except that Kill, Resize, Inspect and ID
// may be called from anywhere once Start has returned.
type Cmd struct {
	// Path is the command: a path in the container, or a name that is looked for in the PATH there.
	Path string
	// Args is the command line, with the command itself as Args[0], as in os/exec. Engines have no argv[0] apart from the
	// path: Args[0] other than Path is an [ErrInvalid]. Empty Args mean Path alone.
	Args []string

	// Env is added to the container's environment.
	Env map[string]string
	// UnsetEnv removes variables of the container's environment.
	UnsetEnv []string
	// Dir is the working directory; "" is the container's.
	Dir string
	// User is user[:group], by name or number; "" is the container's.
	User string
	// Privileged runs it with all capabilities and devices.
	Privileged bool

	// TTY gives the process a terminal. Its output, stderr included, is one raw stream that goes to Stdout: Stderr must be nil.
	TTY bool
	// Size of the terminal; zero is the engine's default. Docker before API 1.42 sets it a moment after the start. See Resize.
	Size Size
	// DetachKeys leave the process when they are read from Stdin, with TTY; "" is ctrl-p,ctrl-q, or what the user's configuration says.
	// Wait then returns [ErrDetached] and the process runs on.
	DetachKeys string

	// Detach runs the process apart from the caller: it has no streams, does not end with ctx, and outlives the program.
	// Wait still returns its exit code.
	Detach bool
	// KillOnCancel lets Berth put one variable (BERTH_EXEC) into the process's environment, by which Kill and the end of ctx
	// find it from inside the container, on engines that cannot end an exec (Docker, Podman before 4.8). Without it they
	// reach the process by its ID, which takes an engine on this machine and the right to signal it; else
	// the error is an [*ExecAliveError]. Other engines do not need it: there nothing is put anywhere.
	KillOnCancel bool
	// WaitDelay bounds how long Wait goes on after the process has ended or ctx is done, when a reader or writer of the
	// caller blocks or a child of the process keeps its output open. Then the connection is closed and Wait returns
	// [os/exec.ErrWaitDelay], unless it has a better error. Zero is no bound after the process's end, and the client's
	// cleanup timeout after ctx's.
	WaitDelay time.Duration

	// Stdin is what the process reads; nil is end of file at once. At its end the process reads end of file (of a terminal: ^D is typed).
	// A Read of Stdin that blocks does not keep Wait from returning; the goroutine that calls it ends when that Read does.
	Stdin io.Reader
	// Stdout and Stderr get what the process writes, from one goroutine, as it arrives; nil discards it. When a Write fails, the rest
	// of that stream is discarded and Wait returns the error: there is no broken pipe through an engine.
	Stdout io.Writer
	Stderr io.Writer

	c    *Container
	used bool     // Start or Conn was called
	run  *running // set once the process has been started
	id   string   // of the exec, "" before it was created
	in   *io.PipeReader
	out  []*outPipe // the caller's StdoutPipe and StderrPipe

	collects bool // Stdout and Stderr are buffers of ours, which never block
	waited   bool
	exitCode int
}

// Command makes a [Cmd] that runs name with args in the container. Nothing
// happens until it is started. There is no shell: see [Shell] and [SplitCommand].
func (c *Container) Command(name string, args ...string) *Cmd {
	return &Cmd{Path: name, Args: append([]string{name}, args...), c: c, exitCode: -1}
}

// ID is the engine's ID of the exec, "" before Start.
func (c *Cmd) ID() string { return c.id }

// ExitCode is the process's exit code: 128 plus the number where a signal ended
// it, -1 before Wait, Run or one of its kin has learnt it.
func (c *Cmd) ExitCode() int { return c.exitCode }

// String is the command line, for people: it is not quoted for a shell.
func (c *Cmd) String() string {
	if len(c.Args) == 0 {
		return c.Path
	}
	return strings.Join(append([]string{c.Path}, c.Args[1:]...), " ")
}
