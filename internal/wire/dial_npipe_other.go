//go:build !windows

package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
)

// DialNpipe returns a dialer of a Windows named pipe: here, of an error.
func DialNpipe(path string) DialFunc {
	return func(context.Context) (net.Conn, error) {
		return nil, fmt.Errorf("dial named pipe %s on %s: %w", path, runtime.GOOS, errors.ErrUnsupported)
	}
}
