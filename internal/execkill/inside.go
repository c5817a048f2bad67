package execkill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/berthdev/berth/engine"
)

// byTop sends the signal by a kill in the container, where Podman tells which process ID there
// belongs to the one that it has outside.
func (k *killer) byTop(ctx context.Context) error {
	if k.e.Identity().Name != "podman" {
		return errors.New("the engine does not tell process IDs in the container")
	}
	if k.st.PID <= 0 {
		return errors.New("the engine does not tell the process ID")
	}
	top, err := k.e.ContainerTop(ctx, k.st.ContainerID, engine.TopOptions{Args: []string{"pid", "hpid"}})
	if err != nil {
		return err
	}
	pid := insidePID(top, k.st.PID)
	if pid <= 1 {
		return fmt.Errorf("process %d is not among the container's", k.st.PID)
	}
	if gone, err := k.same(ctx); gone || err != nil {
		return err
	}
	sig, target := strconv.Itoa(k.signal), strconv.Itoa(pid)
	var tried []error
	for _, command := range [...][]string{
		{"sh", "-c", `kill -"$1" "$2" && echo ` + sent, "sh", sig, target},
		{"kill", "-" + sig, target},
	} {
		err := k.run(ctx, command)
		if err == nil {
			return nil
		}
		tried = append(tried, err)
	}
	return errors.Join(tried...)
}

// insidePID looks a process ID of the host up in Podman's columns PID and HPID; 0 when it is not there.
func insidePID(top *engine.Top, host int) int {
	pid, hpid := slices.Index(top.Titles, "PID"), slices.Index(top.Titles, "HPID")
	if pid < 0 || hpid < 0 {
		return 0
	}
	for _, row := range top.Rows {
		if len(row) <= max(pid, hpid) {
			continue
		}
		if n, err := strconv.Atoi(row[hpid]); err == nil && n == host {
			n, _ := strconv.Atoi(row[pid])
			return n
		}
	}
	return 0
}

// sent is what a script prints when the signal was sent: an engine may lose exit codes.
const sent = "berth:sent"

// markerScript finds the processes that have $2 in their environment, and sends the signal $1 to the one that
// the engine has started: its parent is outside of the container's pid namespace, which shows as 0, or else it is no child of another
// one of them. It uses a POSIX shell's own commands only. Shells leave out the NUL bytes between variables; the marker is found all the same.
const markerScript = `m=" "
for d in /proc/[0-9]*; do
	while IFS= read -r l || [ -n "$l" ]; do
		case $l in *"$2"*) m="$m${d#/proc/} "; break ;; esac
	done 2>/dev/null <"$d/environ"
done
t=
for p in $m; do
	q=-
	while read -r k v r; do
		case $k in PPid:) q=$v; break ;; esac
	done 2>/dev/null <"/proc/$p/status"
	case $q in
	-) ;;
	0) t=$p; break ;;
	*) case $m in *" $q "*) ;; *) t="$t $p" ;; esac ;;
	esac
done
[ -n "$t" ] || { echo "no process has the marker"; exit 3; }
kill -"$1" $t && echo ` + sent

// byMarker sends the signal by a shell in the container that finds the process by its environment.
func (k *killer) byMarker(ctx context.Context) error {
	if k.marker == "" {
		return errors.New("no variable in the process's environment marks it (see Cmd.KillOnCancel)")
	}
	return k.run(ctx, []string{"sh", "-c", markerScript, "sh", strconv.Itoa(k.signal), k.marker})
}

// run runs a command in the container as the process's own user. The error is nil when it succeeded.
func (k *killer) run(ctx context.Context, command []string) error {
	id, err := k.e.ExecCreate(ctx, k.st.ContainerID, engine.ExecSpec{Cmd: command, User: k.st.User, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return err
	}
	stream, err := k.e.ExecStart(ctx, id, engine.ExecStartOptions{})
	if err != nil {
		return err
	}
	output, err := io.ReadAll(io.LimitReader(stream, 4096))
	if err == nil {
		_, err = io.Copy(io.Discard, stream)
	}
	stream.Close()
	if bytes.Contains(output, []byte(sent)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("run %s in the container: %w", command[0], err)
	}
	code, err := k.exitCode(ctx, id)
	switch {
	case err != nil:
		return fmt.Errorf("run %s in the container: %w", command[0], err)
	case code == 0 && command[0] == "kill":
		return nil
	}
	return fmt.Errorf("run %s in the container: exit code %d: %q", command[0], code, output)
}

// exitCode waits until the engine knows the exit code of an exec whose output has ended.
func (k *killer) exitCode(ctx context.Context, id string) (int, error) {
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		st, err := k.e.ExecInspect(ctx, id)
		switch {
		case err != nil:
			return 0, err
		case st.Started && !st.Running && st.ExitCode != nil:
			return *st.ExitCode, nil
		case st.Started && !st.Running:
			return 0, errors.New("the engine has lost the exit code")
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(wait):
		}
	}
}
