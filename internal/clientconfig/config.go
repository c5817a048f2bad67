package clientconfig

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// Config is Docker's client configuration file as found on one reading. Each
// method decodes its own key, so that a mistake in one does not spoil the
// others. The zero Config is an absent file. It is immutable and safe for
// concurrent use.
type Config struct {
	path string
	keys map[string]json.RawMessage
	err  error // why the file as a whole is unusable
	mute bool  // the methods for values do not return err, but nothing
}

// Load reads config.json of env.DockerDir. It never fails: an unusable file is
// reported by the methods that need a value from it. An absent file is an empty
// one. So is one in the home directory that this process may not read, as a
// service with another user's HOME finds it; Err alone tells of it then. One
// that DOCKER_CONFIG names must be readable.
func Load(env Env) *Config {
	dir := env.DockerDir()
	if dir == "" {
		return &Config{}
	}
	c := LoadFile(env, env.Join(dir, "config.json"))
	c.mute = errors.Is(c.err, fs.ErrPermission) && env.Var("DOCKER_CONFIG") == ""
	return c
}

// LoadFile reads a file in the format of config.json from another place.
func LoadFile(env Env, path string) *Config {
	data, err := env.Read(path)
	if err != nil {
		return unreadable(path, err)
	}
	return Parse(path, data)
}

// unreadable is the Config of a file that could not be read: an empty one when
// it is not there (with HOME=/dev/null the error is ENOTDIR).
func unreadable(path string, err error) *Config {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return &Config{path: path}
	}
	return &Config{path: path, err: fmt.Errorf("read client configuration: %w", err)}
}

// Parse makes a Config of a file's content; path is for messages. An empty file
// is an empty configuration, as for docker.
func Parse(path string, data []byte) *Config {
	c := &Config{path: path}
	if len(data) == 0 {
		return c
	}
	if err := json.Unmarshal(data, &c.keys); err != nil {
		c.err = fmt.Errorf("parse client configuration %s: %w", path, err)
	}
	return c
}

// Path is the file's name, "" when there is no place where it could be.
func (c *Config) Path() string { return c.path }

// Err is why the whole file is unusable, nil for a usable or absent one.
func (c *Config) Err() error { return c.err }

// value decodes one key into v; an absent or null key leaves v alone.
func (c *Config) value(key string, v any) error {
	if c.err != nil && !c.mute {
		return c.err
	}
	raw, ok := c.keys[key]
	if !ok {
		for k := range c.keys { // docker takes keys in any case
			if strings.EqualFold(k, key) {
				raw, ok = c.keys[k], true
			}
		}
	}
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("parse client configuration %s: key %q: %w", c.path, key, err)
	}
	return nil
}

// CurrentContext is the name of the Docker context in use, "" for none.
func (c *Config) CurrentContext() (string, error) {
	var s string
	err := c.value("currentContext", &s)
	return s, err
}

// DetachKeys is the user's key sequence for leaving a terminal session, "" for
// the engine's own.
func (c *Config) DetachKeys() (string, error) {
	var s string
	err := c.value("detachKeys", &s)
	return s, err
}

// HTTPHeaders are headers to add to every request to the engine.
func (c *Config) HTTPHeaders() (map[string]string, error) {
	var m map[string]string
	err := c.value("HttpHeaders", &m)
	return m, err
}
