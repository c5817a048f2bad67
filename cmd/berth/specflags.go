package main

import (
	"bufio"
	"cmp"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// specFlags are all flags that say what a container is.
func specFlags() []specFlag {
	return slices.Concat(processFlags(), networkFlags(), storageFlags(), resourceFlags(), securityFlags(), healthFlags())
}

// finish turns what the flags and the arguments said into the Spec.
func (d *draft) finish(image string, command []string) (berth.Spec, error) {
	d.spec.Image = image
	if len(command) > 0 {
		d.spec.Command = command
	}
	env, unset, err := environment(d.envFiles, d.env)
	if err != nil {
		return berth.Spec{}, err
	}
	d.spec.Env = env
	for _, k := range unset {
		if !slices.Contains(d.spec.UnsetEnv, k) {
			d.spec.UnsetEnv = append(d.spec.UnsetEnv, k)
		}
	}
	if err := d.addLabels(); err != nil {
		return berth.Spec{}, err
	}
	if err := d.joinNetworks(); err != nil {
		return berth.Spec{}, usageError{err}
	}
	switch {
	case d.noHealth && d.hasHealth:
		return berth.Spec{}, usageError{errNoHealth}
	case d.noHealth:
		d.spec.Healthcheck = &berth.Healthcheck{Test: []string{"NONE"}}
	case d.hasHealth:
		d.spec.Healthcheck = &d.health
	}
	return d.spec, d.spec.Validate()
}

// addLabels joins --label-file and --label.
func (d *draft) addLabels() error {
	var list []string
	for _, name := range d.labelFiles {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		for lines := bufio.NewScanner(f); ; {
			if !lines.Scan() {
				f.Close()
				if err := lines.Err(); err != nil {
					return err
				}
				break
			}
			if line := strings.TrimSpace(lines.Text()); line != "" && line[0] != '#' {
				list = append(list, line)
			}
		}
	}
	labels, err := berth.ParseLabels(append(list, d.labels...))
	if len(labels) > 0 {
		d.spec.Labels = labels
	}
	return err
}

var (
	fieldName = regexp.MustCompile(`\bSpec\.[A-Za-z]\w*(?:\[\w*\])?(?:\.\w+)*`)
	indexed   = regexp.MustCompile(`\[\d+\]`)
)

// flagNames replaces the fields of a Spec, as the library's errors name them, by the flags that set them.
func flagNames(text string) string {
	flags := map[string]string{}
	for _, f := range specFlags() {
		if f.field != "" {
			flags[f.field] = cmp.Or(flags[f.field], "--"+f.name)
		}
	}
	return fieldName.ReplaceAllStringFunc(text, func(field string) string {
		for path := strings.TrimPrefix(field, "Spec."); ; {
			for _, p := range []string{path, indexed.ReplaceAllString(path, "")} {
				if flag, ok := flags[p]; ok {
					return flag
				}
			}
			dot := strings.LastIndexByte(path, '.')
			if dot < 0 {
				return field
			}
			path = path[:dot]
		}
	})
}

var errNoHealth = errors.New("--no-healthcheck excludes the other flags of the health check")
