//go:build linux

package logs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// rotate begins a new file: the full one is renamed, as are those before it, and
// the oldest is replaced. With one file alone the new one takes its place. Readers that have a file open
// keep it. After an error the full file goes on being written.
func (w *Writer) rotate() error {
	cur := Path(w.dir)
	fresh := cur + ".new"
	f, err := os.OpenFile(fresh, os.O_CREATE|os.O_TRUNC|os.O_RDWR|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("rotate log: %w", err)
	}
	oldest := 1 // the first age that no file has
	for oldest < w.files-1 {
		if _, err := os.Lstat(numbered(w.dir, oldest)); err != nil {
			break
		}
		oldest++
	}
	for i := min(oldest, w.files-1); i > 0; i-- {
		from := numbered(w.dir, i-1)
		if err := os.Rename(from, numbered(w.dir, i)); err != nil && !os.IsNotExist(err) {
			f.Close()
			return fmt.Errorf("rotate log: %w", err)
		}
	}
	if err := os.Rename(fresh, cur); err != nil {
		f.Close()
		return fmt.Errorf("rotate log: %w", err)
	}
	w.f.Close()
	w.f, w.size = f, 0
	return nil
}

// numbered is the name of the file that is n files old.
func numbered(dir string, n int) string {
	if n == 0 {
		return Path(dir)
	}
	return Path(dir) + "." + strconv.Itoa(n)
}

// openChain opens the files of a log, the oldest first. While they are rotated the one that is written to may be missing.
func openChain(dir string) ([]*os.File, error) {
	for {
		ages, err := listChain(dir)
		if err != nil {
			return nil, err
		}
		chain, ok, err := openAll(dir, ages)
		if err != nil {
			return nil, err
		}
		again, err := listChain(dir) // a listing can miss what is renamed meanwhile
		if ok && err == nil && slices.Equal(ages, again) {
			return chain, nil
		}
		closeAll(chain)
		if err != nil {
			return nil, err
		}
	}
}

// listChain lists the ages of the files, the oldest first.
func listChain(dir string) ([]int, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var ages []int
	for _, name := range names {
		if name == fileName {
			ages = append(ages, 0)
		} else if n, err := strconv.Atoi(strings.TrimPrefix(name, fileName+".")); err == nil && n > 0 && filepath.Base(numbered(dir, n)) == name {
			ages = append(ages, n)
		}
	}
	slices.Sort(ages)
	slices.Reverse(ages)
	return ages, nil
}

// openAll opens the files of these ages. It is not ok when they were renamed meanwhile.
func openAll(dir string, ages []int) (chain []*os.File, ok bool, err error) {
	defer func() {
		if !ok {
			closeAll(chain)
			chain = nil
		}
	}()
	var infos []fs.FileInfo
	for _, n := range ages {
		f, err := os.Open(numbered(dir, n))
		if os.IsNotExist(err) {
			return chain, false, nil
		}
		if err != nil {
			return chain, false, err
		}
		chain = append(chain, f)
		st, err := f.Stat()
		if err != nil {
			return chain, false, err
		}
		infos = append(infos, st)
	}
	for i, n := range ages {
		st, err := os.Stat(numbered(dir, n))
		if err != nil && !os.IsNotExist(err) {
			return chain, false, err
		}
		if err != nil || !os.SameFile(st, infos[i]) {
			return chain, false, nil
		}
	}
	return chain, true, nil
}

func closeAll(chain []*os.File) {
	for _, f := range chain {
		f.Close()
	}
}
