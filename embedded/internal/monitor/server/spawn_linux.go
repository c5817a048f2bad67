package server

import (
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/embedded/internal/nproc"
	"github.com/berthdev/berth/embedded/internal/reexec"
)

// maxFiles is how many descriptors a spawned process gets.
const maxFiles = 8

// spawn starts this program in another role, for a caller who cannot enter this monitor's user namespace: an ordinary user's.
// Its descriptors from reexec.FD on are the caller's.
func (m *monitor) spawn(conn *net.UnixConn, q *proto.Request) {
	if proto.Write(conn, proto.Response{}) != nil {
		return
	}
	files, err := receive(conn)
	if err == nil {
		err = startRole(q.Name, files)
	}
	for _, f := range files {
		f.Close()
	}
	proto.Write(conn, proto.Response{Error: proto.Encode(err)})
}

// receive takes the descriptors that come with one byte.
func receive(conn *net.UnixConn) ([]*os.File, error) {
	var b [1]byte
	oob := make([]byte, unix.CmsgSpace(4*maxFiles))
	_, n, _, _, err := conn.ReadMsgUnix(b[:], oob)
	if err != nil {
		return nil, fmt.Errorf("receive descriptors: %w", err)
	}
	msgs, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil {
		return nil, fmt.Errorf("receive descriptors: %w", err)
	}
	var files []*os.File
	for _, msg := range msgs {
		fds, err := unix.ParseUnixRights(&msg)
		if err != nil {
			continue
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files, nil
}

// startRole starts the process, in a session of its own. It does not end with this one.
func startRole(role string, files []*os.File) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	attr := &syscall.ProcAttr{Dir: "/", Env: os.Environ(), Sys: &syscall.SysProcAttr{Setsid: true}}
	for range reexec.FD {
		attr.Files = append(attr.Files, null.Fd())
	}
	for _, f := range files {
		attr.Files = append(attr.Files, f.Fd())
	}
	pid, err := syscall.ForkExec("/proc/self/exe", []string{role}, attr)
	if err != nil {
		return fmt.Errorf("start a process: %w", nproc.Explain(err))
	}
	go func() {
		for {
			if _, err := syscall.Wait4(pid, nil, 0, nil); err != syscall.EINTR {
				return
			}
		}
	}()
	return nil
}
