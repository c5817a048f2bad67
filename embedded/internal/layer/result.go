//go:build linux

package layer

// Result is what Apply has unpacked.
type Result struct {
	// DiffID is the digest, sha256:…, of the whole tar.
	DiffID string
	// TarSize is the length of the tar in bytes.
	TarSize int64
	// Size is the sum of the lengths of regular files and symbolic links in bytes, as Docker counts it.
	Size int64
	// Skipped are the things that this file system or this user cannot hold, with the reason: device nodes for
	// Options.NoDevices, extended attributes. The tar that Replay gives has them.
	Skipped []string
}
