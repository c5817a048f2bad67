package berth

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
)

const (
	// openFor is how long a connection must stay open to count: the proxy of a
	// published port accepts it first, and closes it when nobody listens behind.
	openFor = 200 * time.Millisecond
	// maxExecPoll bounds the time between two commands run to look at the sockets.
	maxExecPoll = time.Second
)

// errWay says that a way of looking for a socket is not to be had.
var errWay = errors.New("not available")

// Listening holds when a process listens on the port in the container's network:
// "5432/tcp", "53/udp"; without a protocol it is tcp. Published or not does not
// matter. It fails when the container ends.
//
// Where the engine is local it looks at /proc/PID/net; else it runs cat
// /proc/net/tcp in the container; else, where the image has no cat, it connects to
// the published address and requires that the connection stays open for 200 ms.
// UDP takes one of the first two.
func Listening(port string) Condition {
	number, proto, err := splitPort(port)
	if err == nil && proto == "sctp" {
		err = &engine.InvalidError{Option: "Listening", Value: port, Reason: "tcp or udp only"}
	}
	if err != nil {
		return Condition{err: err}
	}
	name := fmt.Sprintf("listening on %d/%s", number, proto)
	return Condition{name: name, wait: func(ctx context.Context, w *watch) error {
		l := &listener{w: w, name: name, port: number, proto: proto, pause: w.poll}
		return w.until(ctx, func() (bool, error) { return l.look(ctx) })
	}}
}

// listener looks for a listening socket.
type listener struct {
	w     *watch
	name  string
	port  uint16
	proto string

	noProc, noExec error         // why that way is not to be had
	pause          time.Duration // before the next command
}

// look tells whether there is one now.
func (l *listener) look(ctx context.Context) (bool, error) {
	attrs, err := l.w.c.inspect(ctx, engine.InspectOptions{})
	if err != nil {
		return false, err
	}
	if err := l.w.over(l.name, attrs); err != nil {
		return false, err
	}
	if attrs.State.Status != StatusRunning {
		l.w.note("it is " + string(attrs.State.Status))
		return false, nil
	}
	if l.noProc == nil {
		found, err := l.inProc(attrs)
		if err == nil {
			l.w.note(fmt.Sprintf("no such socket in /proc/%d/net", attrs.State.PID))
			return found, nil
		}
		if errors.Is(err, errWay) {
			l.noProc = err
		} // else its process has just ended: the next look tells
	}
	if l.noExec == nil {
		found, err := l.byExec(ctx)
		if !errors.Is(err, errWay) {
			l.w.note("no such socket in the container's /proc/net, which cat showed")
			return found, err
		}
		l.noExec = err
	}
	return l.byDialling(ctx, attrs)
}

// inProc looks at the sockets of the container's process, which is ours to see.
func (l *listener) inProc(attrs *Attrs) (bool, error) {
	if !l.w.c.cli.local() || attrs.State.PID <= 0 {
		return false, fmt.Errorf("/proc of the engine: %w", errWay)
	}
	proc := fmt.Sprintf("/proc/%d/", attrs.State.PID)
	if cgroup, err := os.ReadFile(proc + "cgroup"); err != nil || !bytes.Contains(cgroup, []byte(attrs.ID)) {
		return false, fmt.Errorf("process %d is not seen to be the container's: %w", attrs.State.PID, errWay)
	}
	var read error = errWay
	for _, file := range []string{l.proto, l.proto + "6"} {
		table, err := os.ReadFile(proc + "net/" + file)
		if err != nil {
			continue // IPv6 may be off
		}
		read = nil
		if listens(table, l.proto, l.port) {
			return true, nil
		}
	}
	return false, read
}

// byExec has the container show its sockets.
func (l *listener) byExec(ctx context.Context) (bool, error) {
	out, err := l.w.c.Command("cat", "/proc/net/"+l.proto, "/proc/net/"+l.proto+"6").Output(ctx)
	switch {
	case ctx.Err() != nil:
		return false, contextError(ctx)
	case bytes.Contains(out, []byte("local_address")): // whatever the code: IPv6 may be off
	case errors.Is(err, engine.ErrNotRunning), errors.Is(err, engine.ErrNotFound):
		return false, nil // the next look tells
	default:
		return false, fmt.Errorf("cat /proc/net/%s in the container: %w: %w", l.proto, errWay, err)
	}
	if listens(out, l.proto, l.port) {
		return true, nil
	}
	// Each command costs the engine some processes: poll less and less often.
	if err := sleep(ctx, max(0, l.pause-l.w.poll)); err != nil {
		return false, err
	}
	l.pause = min(2*l.pause, max(maxExecPoll, l.w.poll))
	return false, nil
}

// byDialling connects to the published port.
func (l *listener) byDialling(ctx context.Context, attrs *Attrs) (bool, error) {
	ways := fmt.Sprintf("%v; %v", l.noProc, l.noExec)
	if l.proto != "tcp" {
		return false, l.w.fail(l.name, "there is no way to see it: "+ways, attrs)
	}
	addr, err := l.w.c.cli.publishedAddr(attrs, l.port, l.proto)
	if err != nil {
		return false, l.w.fail(l.name, fmt.Sprintf("there is no way to see it: %s; %v", ways, err), attrs)
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		if ctx.Err() != nil {
			return false, contextError(ctx)
		}
		l.w.note("connect: " + err.Error())
		return false, nil
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := conn.SetReadDeadline(time.Now().Add(openFor)); err != nil {
		return false, nil // closed by ctx
	}
	n, err := conn.Read(make([]byte, 1))
	if n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		return true, nil
	}
	l.w.note(fmt.Sprintf("connect to %s: closed at once", addr))
	return false, nil
}

// listens tells whether a table of /proc/net has a listening socket of that port:
// of TCP in the state LISTEN (0A), of UDP one without a peer (07).
func listens(table []byte, proto string, port uint16) bool {
	state := "0A"
	if proto == "udp" {
		state = "07"
	}
	for sc := bufio.NewScanner(bytes.NewReader(table)); sc.Scan(); {
		f := strings.Fields(sc.Text())
		if len(f) < 4 || f[3] != state {
			continue
		}
		i := strings.LastIndexByte(f[1], ':')
		if n, err := strconv.ParseUint(f[1][i+1:], 16, 16); i >= 0 && err == nil && uint16(n) == port {
			return true
		}
	}
	return false
}
