package registryauth

import (
	"context"

	"github.com/berthdev/berth/internal/clientconfig"
)

// Env is the process's surroundings; see clientconfig.Env.
type Env = clientconfig.Env

// MissingHelperError tells that credentials may be in a helper that is not
// installed. Lookup returns it with found == false: a caller goes on without
// credentials, logs it, and adds it to the registry's refusal if there is one.
type MissingHelperError struct {
	Helper string // the program's name, docker-credential-x
	File   string // the configuration file that names it
	Server string // the registry it was to be asked about
}

func (e *MissingHelperError) Error() string {
	return "credential helper " + e.Helper + " named in " + e.File + " is not installed: going on without credentials for " + e.Server
}

// Lookup finds the credentials for the registry of an image reference. Found is
// false when there are none. The error may be a *MissingHelperError.
func Lookup(ctx context.Context, env Env, image string) (c Credentials, found bool, err error) {
	return Credentials{}, false, nil
}

// All returns every credential that can be listed, by registry key.
func All(ctx context.Context, env Env) (map[string]Credentials, error) {
	return nil, nil
}
