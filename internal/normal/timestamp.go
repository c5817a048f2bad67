package normal

import (
	"fmt"
	"time"
)

// Timestamp is t for since and until of the engines' APIs: seconds since 1970, a
// point, and nine digits. Before 1970 it is the second at or before t with no
// fraction, because Docker counts a fraction up from a negative second and Podman down.
func Timestamp(t time.Time) string {
	nsec := t.Nanosecond()
	if t.Unix() < 0 {
		nsec = 0
	}
	return fmt.Sprintf("%d.%09d", t.Unix(), nsec)
}
