package engine

import (
	"strconv"
	"strings"
)

// ParseSecret reads a secret in the form of podman run --secret:
// NAME[,target=…][,uid=…][,gid=…][,mode=0400]. The name may be given as source=NAME.
// A secret of type=env is an error: see [ParseSecretEnv]. Errors are InvalidErrors.
func ParseSecret(s string) (SecretMount, error) {
	m, env, err := parseSecret(s)
	if err == nil && env {
		err = &InvalidError{Option: "secret", Value: s, Reason: "type=env makes it a variable, which belongs to SecretEnv"}
	}
	if err != nil {
		return SecretMount{}, err
	}
	return m, nil
}

// ParseSecretEnv reads a secret that becomes a variable: NAME,type=env[,target=VARIABLE].
// Without a target the variable is called as the secret. Errors are InvalidErrors.
func ParseSecretEnv(s string) (variable, secret string, err error) {
	m, env, err := parseSecret(s)
	bad := func(reason string) (string, string, error) {
		return "", "", &InvalidError{Option: "secret", Value: s, Reason: reason}
	}
	if err != nil {
		return "", "", err
	}
	if !env {
		return bad("want type=env")
	}
	if m.UID != 0 || m.GID != 0 || m.Mode != nil {
		return bad("a variable has no owner and no mode")
	}
	if m.Target == "" {
		m.Target = m.Source
	}
	if reason := envKeyFault(m.Target); reason != "" {
		return bad(reason)
	}
	return m.Target, m.Source, nil
}

func parseSecret(s string) (m SecretMount, env bool, err error) {
	bad := func(reason string) (SecretMount, bool, error) {
		return SecretMount{}, false, &InvalidError{Option: "secret", Value: s, Reason: reason}
	}
	fields, err := csvFields(s)
	if err != nil {
		return bad(err.Error())
	}
	seen := map[string]bool{}
	for i, field := range fields {
		key, value, ok := strings.Cut(field, "=")
		if i == 0 && !ok {
			key, value = "source", field
		}
		if key == "src" {
			key = "source"
		}
		if value == "" {
			return bad(key + " has no value")
		}
		if seen[key] {
			return bad(key + " is given twice")
		}
		seen[key] = true
		switch key {
		case "source":
			m.Source = value
		case "target":
			m.Target = value
		case "type":
			if value != "mount" && value != "env" {
				return bad("the type is neither mount nor env")
			}
			env = value == "env"
		case "uid", "gid":
			id, err := strconv.ParseUint(value, 10, 32)
			if err != nil {
				return bad(key + " is no number")
			}
			if key == "uid" {
				m.UID = uint32(id)
			} else {
				m.GID = uint32(id)
			}
		case "mode":
			mode, err := parseMode(value)
			if err != nil {
				return bad("the mode is not octal")
			}
			m.Mode = new(mode)
		default:
			return bad("unknown option " + key)
		}
	}
	if reason := m.fault(); reason != "" {
		return bad(reason)
	}
	return m, env, nil
}

// fault is why m is malformed; "" if it is not.
func (m SecretMount) fault() string {
	if m.Source == "" {
		return "the secret's name is missing"
	}
	if m.Mode != nil && *m.Mode&^0o7777 != 0 {
		return "the mode has other bits than those of chmod(2)"
	}
	return ""
}
