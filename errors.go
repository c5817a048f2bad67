package berth

import "github.com/berthdev/berth/engine"

// The kinds of error that callers act on. Test for them with [errors.Is].
var (
	ErrNotFound             = engine.ErrNotFound             // the container, image, volume, network, exec or path does not exist
	ErrImageNotFound        = engine.ErrImageNotFound        // the image does not exist here or in its registry; also an ErrNotFound
	ErrConflict             = engine.ErrConflict             // the name is taken, or the object's state forbids the call
	ErrNotRunning           = engine.ErrNotRunning           // the call needs a running container; also an ErrConflict
	ErrUnavailable          = engine.ErrUnavailable          // the engine cannot be reached, or went away during the call
	ErrUnauthorized         = engine.ErrUnauthorized         // the registry or the engine refused, or the socket's permissions forbid it
	ErrInvalid              = engine.ErrInvalid              // an argument or option is malformed, or the engine rejected its value
	ErrUnsupported          = engine.ErrUnsupported          // this engine cannot do it
	ErrCommandNotFound      = engine.ErrCommandNotFound      // the command does not exist in the container (exit code 127)
	ErrCommandNotExecutable = engine.ErrCommandNotExecutable // the command exists and cannot be executed (exit code 126)
)

// APIError is an engine's answer that a call failed. It unwraps to one of the
// kinds. See [engine.APIError].
type APIError = engine.APIError

// UnsupportedError says that an engine cannot honour an option or a call, and
// names it. It is an [ErrUnsupported]. See [engine.UnsupportedError].
type UnsupportedError = engine.UnsupportedError

// InvalidError names the option whose value is malformed. It is an [ErrInvalid].
// See [engine.InvalidError].
type InvalidError = engine.InvalidError

// ConnectError says that no engine could be reached: what was tried, in order,
// and why each attempt failed. It is an [ErrUnavailable]. See [engine.ConnectError].
type ConnectError = engine.ConnectError

// Attempt is one address that a [ConnectError] tells of. See [engine.Attempt].
type Attempt = engine.Attempt

// ExecAliveError says that the process of a command could not be ended: it
// lives on in its container. See [engine.ExecAliveError].
type ExecAliveError = engine.ExecAliveError
