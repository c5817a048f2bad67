package state

import (
	"crypto/rand"
	"encoding/hex"
)

// NewID makes the ID of a container: 64 hexadecimal digits. As with Docker its first twelve are never all decimal digits, which
// would look like a number.
func NewID() string {
	for {
		var b [32]byte
		rand.Read(b[:])
		id := hex.EncodeToString(b[:])
		for _, c := range id[:12] {
			if c >= 'a' {
				return id
			}
		}
	}
}
