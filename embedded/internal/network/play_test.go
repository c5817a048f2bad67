//go:build linux

package network

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// play is a process that is a monitor of several containers: it reads lines "NETWORK PORT", connects a container
// for each and answers "ID PID ADDRESS", or the error. When its input ends it closes all and
// answers "closed"; killed, it leaves all as it is.
func play(role string) int {
	m, err := Open(os.Getenv("BERTH_ROOT"), os.Getenv("BERTH_RUN"), Options{})
	if err != nil || role != "monitor" {
		fmt.Println(role, err)
		return 1
	}
	var sessions []*Session
	var processes []*exec.Cmd
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		f := strings.Fields(in.Text())
		cmd := exec.Command("/bin/sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
		if err := cmd.Start(); err != nil {
			fmt.Println(err)
			return 1
		}
		id := newID()
		r := Request{ContainerID: id, Name: "n" + id[:8], PID: cmd.Process.Pid, Endpoints: []engine.Endpoint{{Network: f[0]}}}
		if n, _ := strconv.Atoi(f[1]); n != 0 {
			r.Ports = []engine.PortMapping{
				{ContainerPort: 80, Protocol: "tcp", HostPort: uint16(n)},
				{ContainerPort: 80, Protocol: "udp", HostPort: uint16(n), HostIP: netip.MustParseAddr("192.0.2.1")},
			}
		}
		res, s, err := m.Connect(context.Background(), r)
		if err != nil {
			cmd.Process.Kill()
			cmd.Wait()
			fmt.Println("error:", err) // whoever reads that may kill us
			continue
		}
		sessions, processes = append(sessions, s), append(processes, cmd)
		fmt.Println(id, cmd.Process.Pid, res.Networks[f[0]].IPv4.Addr())
	}
	for i, s := range sessions {
		processes[i].Process.Kill()
		processes[i].Wait()
		if err := s.Close(context.Background()); err != nil {
			fmt.Println("error:", err)
		}
	}
	fmt.Println("closed")
	return 0
}
