package connect

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// connection is one recorded destination of Podman's. The names of its JSON
// fields are those of podman-connections.json (the TLS ones: Podman 5.7).
type connection struct {
	URI       string
	Identity  string
	IsMachine bool
	TLSCA     string
	TLSCert   string
	TLSKey    string

	file string // where it is recorded
}

// connections are all of Podman's.
type connections struct {
	byName map[string]connection
	active string   // the name of the default, "" for none
	looked []string // the files that were looked for
	notes  []Note
}

// readContainersConf takes [engine] service_destinations, active_service and
// the older remote_uri from the files of containers.conf(5), later ones over
// earlier ones: the distribution's, the system's and the user's, each with its
// drop-in directory, or CONTAINERS_CONF alone; CONTAINERS_CONF_OVERRIDE last.
func (c *connections) readContainersConf(env Env) error {
	if file := env.Var("CONTAINERS_CONF"); file != "" {
		if err := c.readConf(env, file, true); err != nil {
			return fmt.Errorf("read CONTAINERS_CONF: %w", err)
		}
	} else {
		var files []string
		if env.GOOS != "windows" {
			files = append(files, "/usr/share/containers/containers.conf", "/etc/containers/containers.conf")
		}
		if dir := env.ContainersDir(); dir != "" {
			files = append(files, env.Join(dir, "containers.conf"))
		}
		for _, file := range files {
			if err := c.readConfAndDropIns(env, file); err != nil {
				return err
			}
		}
	}
	if file := env.Var("CONTAINERS_CONF_OVERRIDE"); file != "" {
		if err := c.readConf(env, file, true); err != nil {
			return fmt.Errorf("read CONTAINERS_CONF_OVERRIDE: %w", err)
		}
	}
	return nil
}

// readConfAndDropIns reads a file that may be absent, then *.conf of its
// directory of drop-ins in the order of their names.
func (c *connections) readConfAndDropIns(env Env, file string) error {
	if err := c.readConf(env, file, false); err != nil {
		return err
	}
	entries, err := env.List(file + ".d")
	if err != nil {
		return nil // absent, or not for us to read
	}
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".conf") {
			continue
		}
		if err := c.readConf(env, env.Join(file+".d", e.Name()), false); err != nil {
			return err
		}
	}
	return nil
}

// readConf reads one file.
func (c *connections) readConf(env Env, file string, must bool) error {
	data, ok, err := c.read(env, file, must)
	if !ok {
		return err
	}
	root, problems := parseTOML(data)
	switch len(problems) {
	case 0:
	case 1:
		c.note("%s: line %d is not understood and left out", file, problems[0])
	default:
		c.note("%s: line %d and %d others are not understood and left out", file, problems[0], len(problems)-1)
	}
	engine, _ := root["engine"].(table)
	if s, ok := engine["active_service"].(string); ok {
		c.active = s
	}
	if s, ok := engine["remote_uri"].(string); ok && s != "" {
		id, _ := engine["remote_identity"].(string)
		c.byName[""] = connection{URI: s, Identity: id, file: file}
	}
	destinations, _ := engine["service_destinations"].(table)
	for name, v := range destinations {
		t, _ := v.(table)
		d := connection{file: file}
		d.URI, _ = t["uri"].(string)
		d.Identity, _ = t["identity"].(string)
		d.IsMachine, _ = t["is_machine"].(bool)
		d.TLSCA, _ = t["tls_ca"].(string)
		d.TLSCert, _ = t["tls_cert"].(string)
		d.TLSKey, _ = t["tls_key"].(string)
		c.byName[name] = d
	}
	return nil
}

// read reads a file. One that may be absent is left out when it is; one that we
// may not read is left out with a note, as a service with another user's HOME
// finds it.
func (c *connections) read(env Env, file string, must bool) (data []byte, ok bool, err error) {
	c.looked = append(c.looked, file)
	data, err = env.Read(file)
	switch {
	case err == nil:
		return data, true, nil
	case must:
		return nil, false, err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil, false, nil
	case errors.Is(err, fs.ErrPermission):
		c.note("%v: left out", err)
		return nil, false, nil
	}
	return nil, false, err
}

func (c *connections) note(format string, args ...any) {
	c.notes = append(c.notes, Note{fmt.Sprintf(format, args...)})
}
