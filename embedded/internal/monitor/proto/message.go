package proto

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/berthdev/berth/engine"
)

// Op is what a call asks for.
type Op string

// The calls. Those with a stream or a second answer say so.
const (
	OpInit       Op = "init"
	OpStart      Op = "start"
	OpStop       Op = "stop"
	OpRestart    Op = "restart"
	OpKill       Op = "kill"
	OpPause      Op = "pause"
	OpUnpause    Op = "unpause"
	OpAttach     Op = "attach" // then a stream
	OpWait       Op = "wait"   // then a second Response when the condition holds
	OpResize     Op = "resize"
	OpExecCreate Op = "exec-create"
	OpExecStart  Op = "exec-start" // then a stream, unless it is detached
	OpExec       Op = "exec-inspect"
	OpExecResize Op = "exec-resize"
	OpExecKill   Op = "exec-kill"
	OpExecs      Op = "execs"
	OpHealth     Op = "health"
	OpUpdate     Op = "update"
	OpRenamed    Op = "renamed"
	OpConnect    Op = "connect"
	OpDisconnect Op = "disconnect"
	OpRetire     Op = "retire"
	OpSpawn      Op = "spawn" // then a byte with descriptors comes, and a second Response goes
)

// Request is a call. Fields that it does not use are zero.
type Request struct {
	Op      Op                       `json:"op"`
	Signal  string                   `json:"signal,omitzero"`
	Timeout *time.Duration           `json:"timeout,omitzero"`
	Cond    engine.WaitCondition     `json:"cond,omitzero"`
	Size    engine.Size              `json:"size,omitzero"`
	Attach  *engine.AttachOptions    `json:"attach,omitzero"`
	Exec    string                   `json:"exec,omitzero"`
	Spec    *engine.ExecSpec         `json:"spec,omitzero"`
	Start   *engine.ExecStartOptions `json:"start,omitzero"`
	Keys    string                   `json:"keys,omitzero"`
	Network string                   `json:"network,omitzero"`
	Point   *engine.Endpoint         `json:"point,omitzero"`
	Force   bool                     `json:"force,omitzero"`
	Name    string                   `json:"name,omitzero"`
}

// Response answers a call.
type Response struct {
	Error  *Error               `json:"error,omitzero"`
	Again  bool                 `json:"again,omitzero"` // the monitor is leaving: the call has done nothing, and belongs to the next one
	TTY    bool                 `json:"tty,omitzero"`   // of a stream: raw bytes, all of them Stdout
	ID     string               `json:"id,omitzero"`
	IDs    []string             `json:"ids,omitzero"`
	Exec   *engine.ExecState    `json:"exec,omitzero"`
	Exit   *engine.Exit         `json:"exit,omitzero"`
	Health *engine.HealthResult `json:"health,omitzero"`
}

// Hello is the first message to a new monitor, on its control socket.
type Hello struct {
	Root           string `json:"root"` // of the store
	Run            string `json:"run"`  // of the store, without the boot ID
	ID             string `json:"id"`
	NoForwardCheck bool   `json:"noForwardCheck,omitzero"`
	Rootless       bool   `json:"rootless,omitzero"`
	// Die is a step at which the monitor kills itself: tests see what is left then.
	Die string `json:"die,omitzero"`
}

// SpareLife is how long a monitor waits for its Hello.
const SpareLife = 5 * time.Second

// The words on the socket between a monitor and who has started it, behind the Hello and its answer. Each is a message.
const (
	// Keep says that the caller has connected, and would have use for this monitor when its container has gone. Where it
	// would not, it closes the socket.
	Keep = "keep"
	// Free says that the monitor has no container any more, and waits for another Hello.
	Free = "free"
)

// maxMessage is the greatest message in bytes: an exec's environment and arguments are at most 2 MiB or so, and JSON makes them longer.
const maxMessage = 64 << 20

// Write sends a message in one write.
func Write(w io.Writer, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	if len(data) > maxMessage {
		return &engine.InvalidError{Option: "request", Reason: "it is too long"}
	}
	msg := make([]byte, 4, 4+len(data))
	binary.BigEndian.PutUint32(msg, uint32(len(data)))
	_, err = w.Write(append(msg, data...))
	return err
}

// Read takes a message and nothing behind it. The end before its first byte is io.EOF.
func Read(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxMessage {
		return fmt.Errorf("read message: %d bytes are too long", n)
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(r, data); err != nil {
		return noEOF(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("decode message: %w", err)
	}
	return nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
