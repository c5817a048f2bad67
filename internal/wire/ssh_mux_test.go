//go:build unix

package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/internal/leaktest"
)

// TestSSHMaxSessions: a server that allows fewer sessions than usual gets more logins, and nothing fails.
func TestSSHMaxSessions(t *testing.T) {
	for limit, want := range map[string]int{"1": 5, "2": 3} {
		t.Run(limit, func(t *testing.T) {
			host := startSSHDWith(t, "MaxSessions "+limit)
			ssh := host.client(t, sshModes(serve(t, echo))["dial-stdio"])
			var conns []net.Conn
			for range 5 {
				conn, err := ssh.Dial(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				conns = append(conns, conn)
			}
			if n := len(ssh.list); n != want {
				t.Errorf("%d ssh connections, want %d", n, want)
			}
			for _, conn := range conns {
				io.WriteString(conn, "GET /x HTTP/1.1\r\nHost: d\r\n\r\n")
				if _, err := conn.Read(make([]byte, 1)); err != nil {
					t.Error(err)
				}
				conn.Close()
			}
		})
	}
	t.Run("0", func(t *testing.T) {
		ssh := startSSHDWith(t, "MaxSessions 0").client(t, SSHConfig{DialStdio: []string{"true"}})
		if _, err := ssh.Dial(t.Context()); !errors.Is(err, errMuxRefused) {
			t.Errorf("Dial = %v, want %v", err, errMuxRefused)
		}
	})
}

// fakeMaster listens as a master does and answers each connection by serve.
func fakeMaster(t *testing.T, serve func(c *net.UnixConn)) *sshMaster {
	t.Helper()
	leaktest.Check(t)
	path := filepath.Join(t.TempDir(), "control")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.AcceptUnix()
			if err != nil {
				return
			}
			serve(c)
			c.Close()
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return &sshMaster{control: path}
}

func sendMux(t *testing.T, c *net.UnixConn, packet []byte) {
	t.Helper()
	if err := (muxConn{c}).send(packet); err != nil {
		t.Error(err)
	}
}

// TestMuxSession: what is sent to a master is what OpenSSH's own sends, and its files arrive.
func TestMuxSession(t *testing.T) {
	t.Setenv("BERTH_MUX", "value")
	m := fakeMaster(t, func(c *net.UnixConn) {
		sendMux(t, c, muxU32(nil, muxHello, muxVersion))
		if kind, body, err := readMuxPacket(c); kind != muxHello || !bytes.Equal(body, []byte{0, 0, 0, 4}) || err != nil {
			t.Errorf("hello is %#x %v, %v", kind, body, err)
		}
		kind, body, err := readMuxPacket(c)
		if kind != muxNewSession || err != nil {
			t.Errorf("request is %#x, %v", kind, err)
		}
		head := "\x00\x00\x00\x01" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + "\xff\xff\xff\xff" + "\x00\x00\x00\x00" + "\x00\x00\x00\x0acat 'a b'\n"
		if got := string(body[:min(len(head), len(body))]); got != head {
			t.Errorf("request is %q, want %q", got, head)
		}
		if !bytes.Contains(body, []byte("\x00\x00\x00\x0fBERTH_MUX=value")) {
			t.Error("the environment is not in the request")
		}
		for i := range 3 {
			data, oob := make([]byte, 8), make([]byte, 64)
			n, oobn, _, _, err := c.ReadMsgUnix(data, oob)
			if n != 1 || err != nil {
				t.Errorf("file %d: %d bytes, %v", i, n, err)
			}
			messages, err := syscall.ParseSocketControlMessage(oob[:oobn])
			if err != nil || len(messages) != 1 {
				t.Fatalf("file %d: %d messages, %v", i, len(messages), err)
			}
			fds, err := syscall.ParseUnixRights(&messages[0])
			if err != nil || len(fds) != 1 {
				t.Fatalf("file %d: %v, %v", i, fds, err)
			}
			f := os.NewFile(uintptr(fds[0]), "received")
			if i == 1 {
				io.WriteString(f, "output")
			}
			f.Close()
		}
		sendMux(t, c, muxU32(nil, muxSessionOpened, muxRequest, 7))
		sendMux(t, c, muxU32(nil, muxTTYAllocFailed, 7))
		sendMux(t, c, muxU32(nil, muxExit, 7, 42))
	})
	var files [3]*os.File
	for i := range files {
		f, err := os.Create(filepath.Join(t.TempDir(), "file"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	end, err := m.session(t.Context(), "cat 'a b'\n", files)
	if err != nil {
		t.Fatal(err)
	}
	defer end.stop()
	for range 2 {
		if err := end.wait(); err != remoteExit(42) || err.Error() != "exit status 42" {
			t.Errorf("wait = %v", err)
		}
	}
	if out, err := contents(files[1]); string(out) != "output" || err != nil {
		t.Errorf("output is %q, %v", out, err)
	}
}

// TestMuxReplies: what else a master may answer.
func TestMuxReplies(t *testing.T) {
	hello := func(t *testing.T, c *net.UnixConn) { sendMux(t, c, muxU32(nil, muxHello, muxVersion)) }
	for name, tt := range map[string]struct {
		answer func(t *testing.T, c *net.UnixConn)
		want   string
		is     error
	}{
		"ok": {func(t *testing.T, c *net.UnixConn) { hello(t, c); sendMux(t, c, muxU32(nil, muxOK, muxRequest)) }, "", nil},
		"extension": {func(t *testing.T, c *net.UnixConn) {
			sendMux(t, c, muxString(muxString(muxU32(nil, muxHello, muxVersion), "n"), "v"))
			sendMux(t, c, muxU32(nil, muxOK, 1))
		}, "", nil},
		"failure": {func(t *testing.T, c *net.UnixConn) {
			hello(t, c)
			sendMux(t, c, muxString(muxU32(nil, muxFailure, 1), "a reason"))
		}, "refused by ssh's master: a reason", nil},
		"denied": {func(t *testing.T, c *net.UnixConn) {
			hello(t, c)
			sendMux(t, c, muxString(muxU32(nil, muxDenied, 1), "a reason"))
		}, "not permitted by ssh's master: a reason", nil},
		"other":    {func(t *testing.T, c *net.UnixConn) { hello(t, c); sendMux(t, c, muxU32(nil, 0x80000099, 1)) }, "unexpected message 0x80000099", nil},
		"version":  {func(t *testing.T, c *net.UnixConn) { sendMux(t, c, muxU32(nil, muxHello, 5)) }, "version 5 of its protocol, not 4", nil},
		"no hello": {func(t *testing.T, c *net.UnixConn) {}, "lost", errMuxLost},
		"no reply": {hello, "lost", errMuxLost},
		"huge":     {func(t *testing.T, c *net.UnixConn) { c.Write(muxU32(nil, 1<<30, muxHello)) }, "packet of 1073741824 bytes", nil},
	} {
		t.Run(name, func(t *testing.T) {
			m := fakeMaster(t, func(c *net.UnixConn) {
				tt.answer(t, c)
				c.CloseWrite()
				io.Copy(io.Discard, c)
			})
			err := m.listen(t.Context(), "/a", "/b")
			switch {
			case tt.want == "" && err != nil, tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("err = %v, want %q", err, tt.want)
			case tt.is != nil && !errors.Is(err, tt.is), errors.Is(err, io.EOF):
				t.Errorf("err = %v, want %v", err, tt.is)
			}
		})
	}
}

// TestMuxCancelled: a master that stops answering does not hold a cancelled request.
func TestMuxCancelled(t *testing.T) {
	for _, hello := range []bool{true, false} {
		asked := make(chan struct{})
		m := fakeMaster(t, func(c *net.UnixConn) {
			if hello {
				sendMux(t, c, muxU32(nil, muxHello, muxVersion))
			}
			readMuxPacket(c)
			asked <- struct{}{}
			io.Copy(io.Discard, c)
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			<-asked
			cancel(errCause)
		}()
		if err := m.exit(ctx); !errors.Is(err, errCause) || !errors.Is(err, context.Canceled) {
			t.Errorf("exit = %v, want the context's error", err)
		}
	}
}

func FuzzMuxPacket(f *testing.F) {
	f.Add(append(muxU32(nil, 8, muxHello), 0, 0, 0, 4))
	f.Add(muxU32(nil, 3, muxHello))
	f.Add(muxU32(nil, 12, muxFailure, 1, 0xffffffff))
	f.Fuzz(func(t *testing.T, data []byte) {
		kind, body, err := readMuxPacket(bytes.NewReader(data))
		if err != nil {
			return
		}
		again := append(muxU32(nil, uint32(len(body))+4, kind), body...)
		if diff := cmp.Diff(data[:len(again)], again); diff != "" {
			t.Errorf("read differs:\n%s", diff)
		}
		if s, ok := cutString(body); ok && len(s)+4 > len(body) {
			t.Errorf("string of %d bytes out of %d", len(s), len(body))
		}
	})
}
