//go:build linux

package image

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
)

// change applies Dockerfile instructions, one a string, as docker commit --change
// does: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, STOPSIGNAL, USER, VOLUME
// and WORKDIR. Errors are InvalidErrors; ONBUILD is an UnsupportedError. With an error c is half changed.
func (c *ContainerConfig) change(list []string) error {
	cmdSet := false
	for _, line := range list {
		if err := c.instruction(line, &cmdSet); err != nil {
			return err
		}
	}
	return nil
}

func (c *ContainerConfig) instruction(line string, cmdSet *bool) error {
	line = strings.TrimSpace(line)
	name, rest := line, ""
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		name, rest = line[:i], strings.TrimSpace(line[i:])
	}
	bad := func(format string, args ...any) error {
		return &engine.InvalidError{Option: "change", Value: line, Reason: fmt.Sprintf(format, args...)}
	}
	if strings.ContainsAny(line, "\n\x00") {
		return bad("it is more than one line")
	}
	name = strings.ToUpper(name)
	if rest == "" && name != "CMD" && name != "ENTRYPOINT" {
		return bad("want an instruction and its arguments")
	}
	var err error
	switch name {
	case "CMD":
		c.Cmd, *cmdSet = c.command(rest), true
	case "ENTRYPOINT":
		c.Entrypoint = c.command(rest)
		if !*cmdSet {
			c.Cmd = nil // that of the base would be arguments of the new entry point
		}
	case "ENV":
		err = c.env(rest)
	case "LABEL":
		err = c.label(rest)
	case "EXPOSE":
		err = c.expose(rest)
	case "VOLUME":
		err = c.volume(rest)
	case "USER":
		c.User, err = c.word(rest)
	case "STOPSIGNAL":
		err = c.stopSignal(rest)
	case "WORKDIR":
		var dir string
		if dir, err = c.word(rest); err == nil {
			if !path.IsAbs(dir) {
				dir = path.Join("/", c.WorkingDir, dir)
			}
			c.WorkingDir = path.Clean(dir)
		}
	case "HEALTHCHECK":
		err = c.healthcheck(rest)
	case "ONBUILD":
		return &engine.UnsupportedError{Option: "change", Value: "ONBUILD", Engine: "embedded", Reason: "images are not built here"}
	default:
		return bad("want CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR")
	}
	if err != nil {
		return bad("%v", err)
	}
	return nil
}

// command is a JSON array of words, or a line for the image's shell.
func (c *ContainerConfig) command(rest string) []string {
	if list, ok := jsonWords(rest); ok {
		return list
	}
	if rest == "" {
		return nil
	}
	shell := c.Shell
	if len(shell) == 0 {
		shell = []string{"/bin/sh", "-c"}
	}
	return append(slices.Clone(shell), rest)
}

func jsonWords(s string) ([]string, bool) {
	var list []string
	if !strings.HasPrefix(s, "[") || json.Unmarshal([]byte(s), &list) != nil {
		return nil, false
	}
	return list, true
}

// word expands variables and takes quotes away; the whole is one value.
func (c *ContainerConfig) word(s string) (string, error) { return expand(s, c.lookup) }

func (c *ContainerConfig) lookup(name string) (string, bool) {
	for _, e := range c.Env {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// pairs reads KEY=VALUE… or, with a space after the first word, KEY and the rest as its value.
func (c *ContainerConfig) pairs(rest string) ([][2]string, error) {
	words, err := split(rest)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(words[0], "=") {
		key, value, ok := strings.Cut(strings.Replace(rest, "\t", " ", 1), " ")
		if !ok {
			return nil, fmt.Errorf("want KEY=VALUE")
		}
		words = []string{key + "=" + strings.TrimSpace(value)}
	}
	var out [][2]string
	for _, w := range words {
		k, v, ok := strings.Cut(w, "=")
		if !ok {
			return nil, fmt.Errorf("%q: want KEY=VALUE", w)
		}
		if k, err = c.word(k); err != nil {
			return nil, err
		}
		if v, err = c.word(v); err != nil {
			return nil, err
		}
		if k == "" {
			return nil, fmt.Errorf("%q: the key is empty", w)
		}
		out = append(out, [2]string{k, v})
	}
	return out, nil
}

func (c *ContainerConfig) env(rest string) error {
	pairs, err := c.pairs(rest)
	if err != nil {
		return err
	}
	env := slices.Clone(c.Env)
	for _, p := range pairs {
		entry := p[0] + "=" + p[1]
		if i := slices.IndexFunc(env, func(e string) bool { return strings.HasPrefix(e, p[0]+"=") }); i >= 0 {
			env[i] = entry
		} else {
			env = append(env, entry)
		}
	}
	c.Env = env
	return nil
}

func (c *ContainerConfig) label(rest string) error {
	pairs, err := c.pairs(rest)
	if err != nil {
		return err
	}
	labels := maps.Clone(c.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	for _, p := range pairs {
		labels[p[0]] = p[1]
	}
	c.Labels = labels
	return nil
}

func (c *ContainerConfig) expose(rest string) error {
	words, err := split(rest)
	if err != nil {
		return err
	}
	ports := maps.Clone(c.ExposedPorts)
	if ports == nil {
		ports = map[string]struct{}{}
	}
	for _, w := range words {
		if w, err = c.word(w); err != nil {
			return err
		}
		number, proto, ok := strings.Cut(w, "/")
		if !ok {
			proto = "tcp"
		}
		proto = strings.ToLower(proto)
		if proto != "tcp" && proto != "udp" && proto != "sctp" {
			return fmt.Errorf("port %q: want tcp, udp or sctp", w)
		}
		from, to, isRange := strings.Cut(number, "-")
		if !isRange {
			to = from
		}
		a, err1 := strconv.ParseUint(from, 10, 16)
		b, err2 := strconv.ParseUint(to, 10, 16)
		if err1 != nil || err2 != nil || a == 0 || b < a {
			return fmt.Errorf("port %q", w)
		}
		for p := a; p <= b; p++ {
			ports[fmt.Sprintf("%d/%s", p, proto)] = struct{}{}
		}
	}
	c.ExposedPorts = ports
	return nil
}

func (c *ContainerConfig) volume(rest string) error {
	words, ok := jsonWords(rest)
	if !ok {
		var err error
		if words, err = split(rest); err != nil {
			return err
		}
	}
	volumes := maps.Clone(c.Volumes)
	if volumes == nil {
		volumes = map[string]struct{}{}
	}
	for _, w := range words {
		w, err := c.word(w)
		if err != nil {
			return err
		}
		if w == "" {
			return fmt.Errorf("a volume's path is empty")
		}
		volumes[w] = struct{}{}
	}
	c.Volumes = volumes
	return nil
}

func (c *ContainerConfig) stopSignal(rest string) error {
	sig, err := c.word(rest)
	if err != nil {
		return err
	}
	if _, _, err := engine.ParseSignal(sig); err != nil {
		return err
	}
	c.StopSignal = sig
	return nil
}

// healthcheck reads NONE or options and CMD.
func (c *ContainerConfig) healthcheck(rest string) error {
	h := &Healthcheck{}
	options := strings.HasPrefix(rest, "--")
	for strings.HasPrefix(rest, "--") {
		option, after, _ := strings.Cut(rest, " ")
		rest = strings.TrimSpace(after)
		key, value, ok := strings.Cut(option[2:], "=")
		if !ok {
			return fmt.Errorf("option %s: want --%s=VALUE", option, key)
		}
		if key == "retries" {
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 {
				return fmt.Errorf("option %s: want a number from 1", option)
			}
			h.Retries = n
			continue
		}
		to := map[string]*time.Duration{"interval": &h.Interval, "timeout": &h.Timeout, "start-period": &h.StartPeriod, "start-interval": &h.StartInterval}[key]
		if to == nil {
			return fmt.Errorf("unknown option --%s", key)
		}
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 || d > 0 && d < time.Millisecond {
			return fmt.Errorf("option %s: want a duration of 1ms or more", option)
		}
		*to = d
	}
	kind, rest, _ := strings.Cut(rest, " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToUpper(kind) {
	case "NONE":
		if rest != "" || options {
			return fmt.Errorf("NONE takes nothing")
		}
		h.Test = []string{"NONE"}
	case "CMD":
		if rest == "" {
			return fmt.Errorf("CMD without a command")
		}
		if list, ok := jsonWords(rest); ok {
			if len(list) == 0 {
				return fmt.Errorf("CMD without a command")
			}
			h.Test = append([]string{"CMD"}, list...)
		} else {
			h.Test = []string{"CMD-SHELL", rest}
		}
	default:
		return fmt.Errorf("want NONE or CMD")
	}
	c.Healthcheck = h
	return nil
}
