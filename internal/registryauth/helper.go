package registryauth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// helperPrefix begins the name of every credential helper.
const helperPrefix = "docker-credential-"

// maxOutput bounds what is read of a helper's output, in bytes.
const maxOutput = 1 << 20

// waitDelay is how long a killed helper's output is waited for, when a child of
// its own keeps it open.
const waitDelay = 100 * time.Millisecond

// helper is one credential helper.
type helper struct {
	env  Env
	name string // the program's
	file string // the configuration that names it
}

func newHelper(env Env, suffix, file string) (helper, error) {
	if strings.ContainsAny(suffix, `/\`) {
		return helper{}, fmt.Errorf("find credential helper: %s: %q is not the end of a program's name", file, suffix)
	}
	return helper{env, helperPrefix + suffix, file}, nil
}

// get asks for one server's credentials; not found is no error.
func (h helper) get(ctx context.Context, server string) (c Credentials, found bool, err error) {
	out, err := h.run(ctx, "get", server)
	if h.isNotFound(err) {
		return Credentials{}, false, nil
	}
	if err != nil {
		return Credentials{}, false, err
	}
	var answer struct{ Username, Secret string }
	if err := json.Unmarshal(out, &answer); err != nil {
		return Credentials{}, false, &HelperError{h.name, h.file, server, "its answer is not JSON", err}
	}
	c = Credentials{Username: answer.Username, Password: answer.Secret, ServerAddress: server}
	if answer.Username == "<token>" {
		c.Username, c.Password, c.IdentityToken = "", "", answer.Secret
	}
	return c, !c.empty(), nil
}

// list asks for the servers that the helper knows.
func (h helper) list(ctx context.Context) ([]string, error) {
	out, err := h.run(ctx, "list", "")
	if h.isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var answer map[string]string
	if err := json.Unmarshal(out, &answer); err != nil {
		return nil, &HelperError{h.name, h.file, "", "its answer is not JSON", err}
	}
	servers := make([]string, 0, len(answer))
	for server := range answer {
		servers = append(servers, server)
	}
	slices.Sort(servers)
	return servers, nil
}

// run runs the helper until it ends or ctx is done.
func (h helper) run(ctx context.Context, verb, input string) ([]byte, error) {
	path, err := h.env.LookPath(h.name)
	if err != nil {
		return nil, &MissingHelperError{h.name, h.file, input, err}
	}
	stdout, stderr := &capped{}, &capped{}
	cmd := exec.CommandContext(ctx, path, verb)
	cmd.Stdin = strings.NewReader(input)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.WaitDelay = waitDelay
	cmd.Env = []string{}
	if h.env.Environ != nil {
		cmd.Env = h.env.Environ()
	}
	if err := cmd.Start(); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("run credential helper %s: %w", h.name, ctx.Err())
		}
		return nil, &MissingHelperError{h.name, h.file, input, err}
	}
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil && err != nil:
		return nil, fmt.Errorf("run credential helper %s: %w", h.name, ctx.Err())
	case err == nil && stdout.over:
		return nil, &HelperError{h.name, h.file, input, "its answer is too long", nil}
	case err == nil:
		return stdout.buf.Bytes(), nil
	}
	// Helpers say on stdout why they fail; what they run says it on stderr.
	text := strings.TrimSpace(stdout.buf.String() + "\n" + stderr.buf.String())
	if containsAny(text, "executable file not found", "command not found", "not initialized") {
		return nil, &MissingHelperError{h.name, h.file, input, &HelperError{h.name, h.file, input, text, err}}
	}
	return nil, &HelperError{h.name, h.file, input, text, err}
}

// isNotFound tells whether a helper failed because it has no such credentials.
// Each helper words it in its own way, and the docker-py way of knowing one
// wording makes pulls of public images fail (docker-py #2482).
func (h helper) isNotFound(err error) bool {
	e, ok := errors.AsType[*HelperError](err)
	if !ok {
		return false
	}
	if _, ok := errors.AsType[*MissingHelperError](err); ok {
		return false
	}
	if _, ok := errors.AsType[*exec.ExitError](e.Err); !ok {
		return false
	}
	return containsAny(e.Text,
		"not found",      // "credentials not found in native keychain"
		"no credentials", // "no credentials server URL", "no credentials for"
		"could not be found",
		"cannot be found", // Windows
		"can't be found",
		"cannot find",
		"no such",
		"not exist",
		"no matching",
		"not logged in",
	)
}

func containsAny(text string, parts ...string) bool {
	text = strings.ToLower(text)
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// capped is a buffer that drops what is more than maxOutput. The buffer is not
// embedded: its ReadFrom would know no bound.
type capped struct {
	buf  bytes.Buffer
	over bool
}

func (c *capped) Write(p []byte) (int, error) {
	if room := maxOutput - c.buf.Len(); len(p) > room {
		c.over = true
		c.buf.Write(p[:room])
		return len(p), nil
	}
	return c.buf.Write(p)
}
