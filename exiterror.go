package berth

// ExitError is a process that ended with a code other than 0.
type ExitError struct {
	Code           int
	Stdout, Stderr []byte // the last 64 KiB of what was collected
	OOMKilled      *bool  // nil where the engine does not tell
	Container      *Container
	Message        string // the engine's words, if it had any
}

func (e *ExitError) Error() string { return "" }
