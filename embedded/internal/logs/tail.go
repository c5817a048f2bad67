//go:build linux

package logs

import (
	"bytes"
	"os"
)

// seekTail sets the files, the oldest first, to where their last n entries begin,
// and returns those that have any; the newest one always. The others are closed. An entry without its end is none yet.
func seekTail(chain []*os.File, n int) ([]*os.File, error) {
	buf := make([]byte, 64<<10)
	for i := len(chain) - 1; i >= 0; i-- {
		at, found, err := tailOf(chain[i], n, buf)
		if err != nil {
			closeAll(chain)
			return nil, err
		}
		if _, err := chain[i].Seek(at, 0); err != nil {
			closeAll(chain)
			return nil, err
		}
		if n -= found; n <= 0 {
			closeAll(chain[:i])
			return chain[i:], nil
		}
	}
	return chain, nil
}

// tailOf finds where the last n entries of f begin, and how many there are.
func tailOf(f *os.File, n int, buf []byte) (at int64, found int, err error) {
	st, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	found = -1 // the end of the last entry ends none before it
	for end := st.Size(); end > 0; {
		start := max(0, end-int64(len(buf)))
		block := buf[:end-start]
		if _, err := f.ReadAt(block, start); err != nil {
			return 0, 0, err
		}
		for {
			i := bytes.LastIndexByte(block, '\n')
			if i < 0 {
				break
			}
			if found++; found == n {
				return start + int64(i) + 1, n, nil
			}
			block = block[:i]
		}
		end = start
	}
	return 0, found + 1, nil
}
