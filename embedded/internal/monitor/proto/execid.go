package proto

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// ExecPrefix is how many digits of an exec's ID are its container's: by them the caller finds it.
const ExecPrefix = 32

// NewExecID is the ID of another exec of a container.
func NewExecID(container string) string {
	var b [32 - ExecPrefix/2]byte
	rand.Read(b[:])
	return container[:ExecPrefix] + hex.EncodeToString(b[:])
}

// IsExecID tells whether id can be that of an exec of the container.
func IsExecID(id, container string) bool {
	return len(id) == 64 && strings.HasPrefix(id, container[:ExecPrefix]) && strings.Trim(id, "0123456789abcdef") == ""
}
