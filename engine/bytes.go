package engine

// Bytes is a size in bytes.
type Bytes int64

// Binary units, as container engines count.
const (
	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
	TiB Bytes = 1 << 40
)
