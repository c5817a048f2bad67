package berth

import (
	"errors"
	"io"
	"io/fs"
)

// openFile is a regular file that is being read.
type openFile struct {
	a      *openArchive
	name   string
	info   fileInfo
	closed bool
}

func (o *openFile) Stat() (fs.FileInfo, error) {
	if o.closed {
		return nil, &fs.PathError{Op: "stat", Path: o.name, Err: fs.ErrClosed}
	}
	return o.info, nil
}

func (o *openFile) Read(p []byte) (int, error) {
	if o.closed {
		return 0, &fs.PathError{Op: "read", Path: o.name, Err: fs.ErrClosed}
	}
	n, err := o.a.tr.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = pathError("read", o.name, err)
	}
	return n, err
}

func (o *openFile) Close() error {
	if o.closed {
		return &fs.PathError{Op: "close", Path: o.name, Err: fs.ErrClosed}
	}
	o.closed = true
	return o.a.Close()
}

// openDir is a directory that is being read.
type openDir struct {
	f       *containerFS
	name    string
	info    fileInfo
	entries []fs.DirEntry // what is left, once it was read
	read    bool
	closed  bool
}

func (o *openDir) Stat() (fs.FileInfo, error) {
	if o.closed {
		return nil, &fs.PathError{Op: "stat", Path: o.name, Err: fs.ErrClosed}
	}
	return o.info, nil
}

func (o *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: o.name, Err: errIsDirectory}
}

// ReadDir implements fs.ReadDirFile.
func (o *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if o.closed {
		return nil, &fs.PathError{Op: "readdir", Path: o.name, Err: fs.ErrClosed}
	}
	if !o.read {
		entries, err := o.f.ReadDir(o.name)
		if err != nil {
			return nil, err
		}
		o.entries, o.read = entries, true
	}
	if n <= 0 {
		n = len(o.entries)
	} else if len(o.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(o.entries))
	l := o.entries[:n:n]
	o.entries = o.entries[n:]
	return l, nil
}

func (o *openDir) Close() error {
	if o.closed {
		return &fs.PathError{Op: "close", Path: o.name, Err: fs.ErrClosed}
	}
	o.closed = true
	return nil
}
