package berth

import (
	"io"

	"github.com/berthdev/berth/engine"
)

// Stream is the raw connection to a container or a command in it, in both
// directions, as [Container.AttachConn] and Cmd.Conn return. What Read gives are
// frames if Multiplexed, which [Demux] takes apart, else plain bytes. Nothing
// tells on it whether its end is the process's or the connection's. See
// [engine.Stream].
type Stream = engine.Stream

// Demux reads the output of a raw connection to its end and writes it to stdout
// and stderr; of a terminal, all of it to stdout. A nil writer discards. An end
// inside a frame is [io.ErrUnexpectedEOF].
func Demux(stdout, stderr io.Writer, s Stream) error {
	return copyOutput(stdout, stderr, s, s.Multiplexed())
}
