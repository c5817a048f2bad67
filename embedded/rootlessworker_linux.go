package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/embedded/internal/reexec"
	"github.com/berthdev/berth/engine"
)

// workerRole is the name of a process that makes one call in the user namespace of an ordinary user.
const workerRole = "berth-worker"

// The descriptors of a worker, beside that of its role.
const (
	workerConn = reexec.FD + 1 // a stream socket: the request, then answers
	workerData = reexec.FD + 2 // a pipe: what the call reads or writes
)

// workerGrace is how long a worker whose caller has gone may take to undo what it was doing.
const workerGrace = 10 * time.Second

func init() { reexec.Register(workerRole, work) }

// workerRequest is a call.
type workerRequest struct {
	Root, Run      string // run without the boot ID
	Runtime        string
	NoForwardCheck bool
	User           ordinary

	Call string
	Args json.RawMessage
}

// workerAnswer is the last message, but for a stream: there one without Done comes when it begins. Those with Progress come before.
type workerAnswer struct {
	Progress *engine.PullProgress `json:",omitzero"`
	Done     bool                 `json:",omitzero"`
	Result   json.RawMessage      `json:",omitzero"`
	Error    *workerError         `json:",omitzero"`
}

// workerError is an error with the operation that it names.
type workerError struct {
	*proto.Error
	Op, Object string
}

func encodeError(err error) *workerError {
	if err == nil {
		return nil
	}
	w := &workerError{Error: proto.Encode(err)}
	if a, ok := errors.AsType[*engine.APIError](err); ok {
		w.Op, w.Object = a.Op, a.Object
	}
	return w
}

func (w *workerError) decode() error {
	if w == nil {
		return nil
	}
	return w.Error.Decode(w.Op, w.Object)
}

// worker is a process that makes one call.
type worker struct {
	conn *os.File
	data *os.File
	req  workerRequest
}

// work is the role.
func work() {
	unix.Umask(0o022)
	for _, fd := range []int{reexec.FD, workerConn, workerData} {
		unix.CloseOnExec(fd)
	}
	unix.SetNonblock(reexec.FD, true)
	unix.SetNonblock(workerData, true)
	control := os.NewFile(reexec.FD, "control")
	w := &worker{conn: os.NewFile(workerConn, "conn"), data: os.NewFile(workerData, "data")}
	var b [1]byte
	if n, _ := control.Read(b[:]); n == 0 { // until our user namespace has its IDs
		return
	}
	if proto.Read(w.conn, &w.req) != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		control.Read(b[:]) // its end is the caller's
		cancel()
		time.Sleep(workerGrace)
		os.Exit(1)
	}()
	result, err := w.run(ctx)
	w.data.Close()
	w.answer(result, err)
}

func (w *worker) answer(result any, err error) {
	a := workerAnswer{Done: true, Error: encodeError(err)}
	if result != nil {
		var merr error
		if a.Result, merr = json.Marshal(result); merr != nil && err == nil {
			a.Error = encodeError(merr)
		}
	}
	proto.Write(w.conn, a)
}

func (w *worker) run(ctx context.Context) (any, error) {
	call, ok := workerCalls[w.req.Call]
	if !ok {
		return nil, fmt.Errorf("the worker does not know %s: it runs another version of the program", w.req.Call)
	}
	o := options{
		root: w.req.Root, runRoot: w.req.Run, runtime: w.req.Runtime, noForwardCheck: w.req.NoForwardCheck,
		source: "rootless", user: &w.req.User,
	}
	e, err := open(&o)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	return call(ctx, e, w)
}

// progress tells the caller how far the call is.
func (w *worker) progress(p engine.PullProgress) { proto.Write(w.conn, workerAnswer{Progress: &p}) }

// send tells the caller that a stream begins, and copies it.
func (w *worker) send(result any, r io.ReadCloser) error {
	raw, err := json.Marshal(result)
	if err == nil {
		err = proto.Write(w.conn, workerAnswer{Result: raw})
	}
	if err == nil {
		_, err = io.Copy(w.data, r)
	}
	return errors.Join(err, r.Close())
}
