package cgroup

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/engine"
)

// anyNumber is a major or minor number of a rule that stands for all.
const anyNumber = -1

// rule is a device rule with its wildcards resolved: the type is 'b' or 'c'.
type rule struct {
	kind         byte
	major, minor int64
}

// access to a device, as a set.
type access uint8

const (
	accessMknod access = 1 << iota // the bits of the kernel's BPF_DEVCG_ACC_…
	accessRead
	accessWrite
	accessAll = accessMknod | accessRead | accessWrite
)

func (a access) String() string {
	var s strings.Builder
	for _, o := range []struct {
		bit  access
		text string
	}{{accessRead, "r"}, {accessWrite, "w"}, {accessMknod, "m"}} {
		if a&o.bit != 0 {
			s.WriteString(o.text)
		}
	}
	return s.String()
}

// ruleSet is what a list of device rules comes to: a default, and exceptions from
// it in the order in which they came.
type ruleSet struct {
	allow      bool // everything that no exception is about
	exceptions []exception
}

type exception struct {
	rule
	access access
}

// parseRules applies rules in order, with the meaning that the devices controller
// of v1 gives them: a rule about all devices starts anew; any other adds to or
// takes from the exceptions of the default that then stands. Before the first rule all is allowed.
func parseRules(rules []specs.LinuxDeviceCgroup) (ruleSet, error) {
	set := ruleSet{allow: true}
	for _, r := range rules {
		a, err := parseAccess(r.Access)
		if err != nil {
			return set, err
		}
		e := exception{rule: rule{major: numberOf(r.Major), minor: numberOf(r.Minor)}, access: a}
		switch r.Type {
		case "", "a":
			if e.major == anyNumber && e.minor == anyNumber && a == accessAll {
				set = ruleSet{allow: r.Allow}
				continue
			}
			// The kernel would take it for a rule about all devices with all access.
			for _, kind := range []byte{'b', 'c'} {
				e.kind = kind
				set.apply(r.Allow, e)
			}
		case "b", "c":
			e.kind = r.Type[0]
			set.apply(r.Allow, e)
		case "u":
			e.kind = 'c'
			set.apply(r.Allow, e)
		default:
			return set, &engine.InvalidError{Option: "Spec.DeviceCgroupRules", Value: r.Type, Reason: "a type is a, b or c"}
		}
	}
	return set, nil
}

// apply adds e where it differs from the default, and takes it away where it does not.
func (s *ruleSet) apply(allow bool, e exception) {
	for i := range s.exceptions {
		x := &s.exceptions[i]
		if x.rule != e.rule {
			continue
		}
		if allow != s.allow {
			x.access |= e.access
			return
		}
		if x.access &^= e.access; x.access == 0 {
			s.exceptions = append(s.exceptions[:i], s.exceptions[i+1:]...)
		}
		return
	}
	if allow != s.allow {
		s.exceptions = append(s.exceptions, e)
	}
}

func numberOf(n *int64) int64 {
	if n == nil || *n < 0 {
		return anyNumber
	}
	return *n
}

func parseAccess(s string) (access, error) {
	if s == "" {
		return accessAll, nil
	}
	var a access
	for _, c := range s {
		switch c {
		case 'r':
			a |= accessRead
		case 'w':
			a |= accessWrite
		case 'm':
			a |= accessMknod
		default:
			return 0, &engine.InvalidError{Option: "Spec.DeviceCgroupRules", Value: s, Reason: "access is made of r, w and m"}
		}
	}
	return a, nil
}

// line is an exception as the files of v1 write it: "c 1:3 rwm".
func (e exception) line() string {
	number := func(n int64) string {
		if n == anyNumber {
			return "*"
		}
		return strconv.FormatInt(n, 10)
	}
	return fmt.Sprintf("%c %s:%s %s", e.kind, number(e.major), number(e.minor), e.access)
}

// setDevices sets the rules of the group, in place of those it has.
func (g *Group) setDevices(rules []specs.LinuxDeviceCgroup) error {
	set, err := parseRules(rules)
	if err != nil {
		return err
	}
	d := g.with("devices")
	if d == nil {
		if d = g.v2(); d != nil {
			err = setDevicesV2(d.path, set)
		} else if !g.rootless {
			err = &engine.UnsupportedError{Option: "Spec.DeviceCgroupRules", Engine: engineName, Reason: "there is no cgroup controller devices here, nor cgroup v2"}
		}
	} else {
		err = setDevicesV1(d.path, set)
	}
	if err != nil && g.rootless && isDenied(err) {
		// In a user namespace no device node can be made, and those that are bound are the user's anyway.
		return nil
	}
	return err
}

// setDevicesV1 writes the files of the devices controller. The group's own
// processes may meet a denial while a running group's rules are replaced: between the first line and the last.
func setDevicesV1(dir string, set ruleSet) error {
	first, others := "/devices.deny", "/devices.allow"
	if set.allow {
		first, others = others, first
	}
	if err := write(dir+first, "a"); err != nil {
		return err
	}
	for _, e := range set.exceptions {
		if err := write(dir+others, e.line()); err != nil {
			return err
		}
	}
	return nil
}
