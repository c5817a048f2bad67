package state

import "io/fs"

// File is a file that a container is made with, below containers/ID/files.
type File struct {
	Data     []byte
	Mode     fs.FileMode
	UID, GID int
}
