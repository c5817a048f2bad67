package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/berthdev/berth"
)

// specFlag is a flag of run that says what the container is.
type specFlag struct {
	name, short string
	arg         string // what its value is called in the help; "" is a switch
	usage       string
	field       string // of berth.Spec that it sets, as errors of the library name it, without "Spec."
	set         func(d *draft, value string) error
}

// draft is a Spec in the making: what the flags said, in their order.
type draft struct {
	spec berth.Spec

	envFiles, env       []string
	labelFiles, labels  []string
	networks            []string
	endpoint            berth.Endpoint // what further flags say of the first network
	health              berth.Healthcheck
	hasHealth, noHealth bool
}

// podman is the part of the Spec that only Podman has.
func (d *draft) podman() *berth.PodmanSpec {
	if d.spec.Podman == nil {
		d.spec.Podman = new(berth.PodmanSpec)
	}
	return d.spec.Podman
}

// flagValue is a specFlag as pflag sees it.
type flagValue struct {
	flag specFlag
	d    *draft
	text string // the last value
}

func (v *flagValue) String() string { return v.text }
func (v *flagValue) Type() string   { return cmp.Or(v.flag.arg, "bool") }

func (v *flagValue) Set(s string) error {
	if v.flag.arg == "" {
		if _, err := strconv.ParseBool(s); err != nil {
			return errors.New("want true or false")
		}
	}
	v.text = s
	return v.flag.set(v.d, s)
}

// register adds the flags to a set of flags; they write into d.
func register(flags *pflag.FlagSet, d *draft, list []specFlag) {
	for _, f := range list {
		p := flags.VarPF(&flagValue{flag: f, d: d}, f.name, f.short, f.usage)
		if f.arg == "" {
			p.NoOptDefVal = "true"
		}
	}
}

// The functions below make a set function of the place that a flag's value goes to.

func text(at func(*draft) *string) func(*draft, string) error {
	return func(d *draft, s string) error { *at(d) = s; return nil }
}

func texts(at func(*draft) *[]string) func(*draft, string) error {
	return func(d *draft, s string) error { p := at(d); *p = append(*p, s); return nil }
}

func toggle(at func(*draft) *bool) func(*draft, string) error {
	return func(d *draft, s string) (err error) { *at(d), err = strconv.ParseBool(s); return err }
}

// optional is toggle for a bool of which nil says something too.
func optional(at func(*draft) **bool) func(*draft, string) error {
	return func(d *draft, s string) error {
		b, err := strconv.ParseBool(s)
		*at(d) = &b
		return err
	}
}

func size(at func(*draft) *berth.Bytes) func(*draft, string) error {
	return func(d *draft, s string) (err error) { *at(d), err = berth.ParseBytes(s); return err }
}

func number(at func(*draft) *int64) func(*draft, string) error {
	return func(d *draft, s string) (err error) { *at(d), err = parseInt(s); return err }
}

func optionalNumber(at func(*draft) **int64) func(*draft, string) error {
	return func(d *draft, s string) error {
		n, err := parseInt(s)
		*at(d) = &n
		return err
	}
}

// parsed is for values that the library reads.
func parsed[T any](parse func(string) (T, error), at func(*draft) *T) func(*draft, string) error {
	return func(d *draft, s string) (err error) { *at(d), err = parse(s); return err }
}

func parsedList[T any](parse func(string) (T, error), at func(*draft) *[]T) func(*draft, string) error {
	return func(d *draft, s string) error {
		v, err := parse(s)
		if err == nil {
			p := at(d)
			*p = append(*p, v)
		}
		return err
	}
}

// pairs collects KEY=VALUE.
func pairs(at func(*draft) *map[string]string) func(*draft, string) error {
	return func(d *draft, s string) error {
		key, value, err := berth.ParseFilter(s)
		if err != nil {
			return errors.New("want KEY=VALUE")
		}
		p := at(d)
		if *p == nil {
			*p = map[string]string{}
		}
		(*p)[key] = value
		return nil
	}
}

func parseInt(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, errors.New("want a whole number")
	}
	return n, nil
}

// parseDuration reads Go's durations, and numbers of seconds.
func parseDuration(s string) (time.Duration, error) {
	if n, err := strconv.ParseInt(s, 10, 32); err == nil {
		return time.Duration(n) * time.Second, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, errors.New("want a duration such as 30s, or a number of seconds")
	}
	return d, nil
}

// parseSeconds reads a number of seconds.
func parseSeconds(s string) (time.Duration, error) {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0, errors.New("want a whole number of seconds")
	}
	return time.Duration(n) * time.Second, nil
}

// parseEntrypoint reads one program, or a JSON array of a program and arguments; ""
// clears the image's.
func parseEntrypoint(s string) ([]string, error) {
	switch {
	case s == "":
		return []string{}, nil
	case s[0] != '[':
		return []string{s}, nil
	}
	var list []string
	if err := json.Unmarshal([]byte(s), &list); err != nil {
		return nil, fmt.Errorf("not a JSON array of strings: %w", err)
	}
	return list, nil
}

// readEnvFiles reads files of variables, the later ones over the earlier.
func readEnvFiles(names []string) (map[string]string, error) {
	env := map[string]string{}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		more, err := berth.ParseEnvFile(f, os.LookupEnv)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		maps.Copy(env, more)
	}
	return env, nil
}

// environment joins --env-file and --env: a variable that --env takes from an environment
// that does not have it is unset.
func environment(files, list []string) (env map[string]string, unset []string, err error) {
	if env, err = readEnvFiles(files); err != nil {
		return nil, nil, err
	}
	more, unset, err := berth.ParseEnv(list, os.LookupEnv)
	if err != nil {
		return nil, nil, err
	}
	maps.Copy(env, more)
	for _, k := range unset {
		delete(env, k)
	}
	if len(env) == 0 {
		env = nil
	}
	return env, unset, nil
}
