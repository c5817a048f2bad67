package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// pipeBusyPoll is how often a named pipe whose instances are all taken is tried again. Windows has no wait for it that a context could end.
const pipeBusyPoll = 10 * time.Millisecond

// DialNpipe returns a dialer of the Windows named pipe at path, e.g. \\.\pipe\docker_engine. It is built and vetted on every change, but not run: there is no Windows among the machines of the tests.
func DialNpipe(path string) DialFunc {
	return func(ctx context.Context) (net.Conn, error) {
		name, err := windows.UTF16PtrFromString(path)
		if err != nil {
			return nil, &net.OpError{Op: "dial", Net: "npipe", Addr: pipeAddr(path), Err: err}
		}
		for {
			h, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING,
				windows.FILE_FLAG_OVERLAPPED|windows.SECURITY_SQOS_PRESENT|windows.SECURITY_ANONYMOUS, 0)
			if err == nil {
				return newPipeConn(h, path)
			}
			if !errors.Is(err, windows.ERROR_PIPE_BUSY) {
				return nil, &net.OpError{Op: "dial", Net: "npipe", Addr: pipeAddr(path), Err: os.NewSyscallError("CreateFile", err)}
			}
			select {
			case <-ctx.Done():
				return nil, &net.OpError{Op: "dial", Net: "npipe", Addr: pipeAddr(path), Err: contextError(ctx)}
			case <-time.After(pipeBusyPoll):
			}
		}
	}
}

// pipeAddr is the path of a named pipe.
type pipeAddr string

func (a pipeAddr) Network() string { return "npipe" }
func (a pipeAddr) String() string  { return string(a) }

// pipeConn is a named pipe. The file does overlapped I/O through the runtime's poller: deadlines and Close work while a Read blocks, and Read and Write do not wait for each other.
type pipeConn struct {
	*os.File
	message bool // the pipe is of type message
}

func newPipeConn(h windows.Handle, path string) (net.Conn, error) {
	var flags uint32
	if err := windows.GetNamedPipeInfo(h, &flags, nil, nil, nil); err != nil {
		windows.CloseHandle(h)
		return nil, fmt.Errorf("dial npipe %s: %w", path, os.NewSyscallError("GetNamedPipeInfo", err))
	}
	return &pipeConn{File: os.NewFile(uintptr(h), path), message: flags&windows.PIPE_TYPE_MESSAGE != 0}, nil
}

// CloseWrite sends an empty message, which Docker for Windows takes for the end. A pipe of bytes has no such thing.
func (c *pipeConn) CloseWrite() error {
	if !c.message {
		return fmt.Errorf("close write side of a byte pipe: %w", errors.ErrUnsupported)
	}
	_, err := c.File.Write(nil)
	return err
}

// Write writes p; an empty p writes nothing, since an empty message would be the end.
func (c *pipeConn) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return c.File.Write(p)
}

func (c *pipeConn) LocalAddr() net.Addr  { return pipeAddr(c.Name()) }
func (c *pipeConn) RemoteAddr() net.Addr { return pipeAddr(c.Name()) }
