// Package logs keeps what a container writes to its stdout and stderr, and reads
// it back.
//
// The format is that of Docker's json-file driver, one entry a line:
//
//	{"log":"text\n","stream":"stdout","time":"2026-11-21T22:00:00.123456789Z"}
//
// An entry is a line with its end, or a piece of a line: lines are cut after 16 KiB,
// and what comes last may lack its end. Pieces of one line have the same time. So the log
// fields of a stream, joined, are byte for byte what was written. Text that is not
// UTF-8, which JSON cannot hold, has one more field, "raw", with the bytes in base64; its
// log field holds U+FFFD in their place, for other readers.
//
// A [Writer] belongs to the container's monitor. It has no goroutine, and does not
// sync. Readers are other processes as a rule; they know the files' names alone, and
// learn of news by inotify. The package is for Linux only.
package logs
