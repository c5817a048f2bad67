package state

import (
	"crypto/rand"
	"encoding/hex"
)

const idLength = 64

// NewID makes the ID of a container: 64 hexadecimal digits. As with Docker its
// first twelve are never all decimal digits, which would look like a number.
func NewID() string {
	for {
		var b [idLength / 2]byte
		rand.Read(b[:])
		id := hex.EncodeToString(b[:])
		for _, c := range id[:12] {
			if c >= 'a' {
				return id
			}
		}
	}
}

// validID tells that id can be that of a container; no other is ever made a path of.
func validID(id string) bool { return len(id) == idLength && isHex(id) }

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
