package network

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
)

// Identify is the name and the ID of the network that ref means by name, ID or unique start of the ID.
func (m *Manager) Identify(ctx context.Context, ref string) (name, id string, err error) {
	c, err := m.find(ctx, "find network", ref)
	if err != nil {
		return "", "", err
	}
	return c.Name, c.ID, nil
}

// Inspect finds a network by name, ID or unique start of the ID.
func (m *Manager) Inspect(ctx context.Context, ref string) (*engine.NetworkAttrs, error) {
	c, err := m.find(ctx, "inspect network", ref)
	if err != nil {
		return nil, err
	}
	a := c.attrs()
	a.Containers = map[string]engine.NetworkContainer{}
	ids, err := m.members(c.ID)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		r, err := m.readRecord(id)
		if err != nil {
			return nil, err
		}
		if r == nil || !m.alive(id) {
			continue
		}
		if e := r.endpointOf(c.ID); e != nil {
			a.Containers[id] = engine.NetworkContainer{Name: r.Name, IPv4: e.IPv4, IPv6: e.IPv6, MACAddress: e.MAC}
		}
	}
	return &a, nil
}

// List returns networks sorted by name, "bridge", "host" and "none" among them, without their containers.
func (m *Manager) List(ctx context.Context, filters engine.Filters) ([]engine.NetworkAttrs, error) {
	match, err := m.matcher(filters, false)
	if err != nil {
		return nil, err
	}
	all, err := m.configs(ctx)
	if err != nil {
		return nil, err
	}
	out := []engine.NetworkAttrs{}
	for _, c := range append(all, builtin()...) {
		ok, err := match(c)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, c.attrs())
		}
	}
	slices.SortFunc(out, func(a, b engine.NetworkAttrs) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// matcher reads filters. Keys are combined by and, values of one key by or, but those of label by and.
func (m *Manager) matcher(filters engine.Filters, prune bool) (func(*config) (bool, error), error) {
	var tests []func(*config) (bool, error)
	for _, key := range sortedKeys(filters) {
		values := filters[key]
		invalid := func(value, reason string) error {
			return &engine.InvalidError{Option: "filter " + key, Value: value, Reason: reason}
		}
		oneOf := func(f func(c *config, v string) bool) {
			tests = append(tests, func(c *config) (bool, error) {
				return slices.ContainsFunc(values, func(v string) bool { return f(c, v) }), nil
			})
		}
		switch {
		case key == "label" || prune && key == "label!":
			tests = append(tests, func(c *config) (bool, error) {
				for _, v := range values {
					k, want, has := strings.Cut(v, "=")
					got, ok := c.Labels[k]
					if found := ok && (!has || got == want); found != (key == "label") {
						return false, nil
					}
				}
				return true, nil
			})
		case prune && key == "until":
			for _, v := range values {
				t, err := engine.ParseTime(v)
				if err != nil {
					return nil, invalid(v, err.Error())
				}
				tests = append(tests, func(c *config) (bool, error) { return c.Created.Before(t), nil })
			}
		case prune:
			return nil, invalid("", "want until, label or label!")
		case key == "name":
			oneOf(func(c *config, v string) bool { return strings.Contains(c.Name, v) })
		case key == "id":
			oneOf(func(c *config, v string) bool { return strings.HasPrefix(c.ID, v) })
		case key == "driver":
			oneOf(func(c *config, v string) bool { return c.Driver == v })
		case key == "scope":
			oneOf(func(c *config, v string) bool { return v == "local" })
		case key == "type":
			for _, v := range values {
				if v != "custom" && v != "builtin" {
					return nil, invalid(v, "want custom or builtin")
				}
			}
			oneOf(func(c *config, v string) bool { return predefined(c.Name) == (v == "builtin") })
		case key == "dangling":
			for _, v := range values {
				if v != "true" && v != "false" && v != "1" && v != "0" {
					return nil, invalid(v, "want true or false")
				}
			}
			tests = append(tests, func(c *config) (bool, error) {
				ids, err := m.live(c.ID)
				return slices.ContainsFunc(values, func(v string) bool {
					return (v == "true" || v == "1") == (len(ids) == 0 && !predefined(c.Name))
				}), err
			})
		default:
			return nil, invalid("", "no filter of networks")
		}
	}
	return func(c *config) (bool, error) {
		for _, t := range tests {
			if ok, err := t(c); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	}, nil
}

// live are the containers in a network whose session lives.
func (m *Manager) live(networkID string) ([]string, error) {
	ids, err := m.members(networkID)
	return slices.DeleteFunc(ids, func(id string) bool { return !m.alive(id) }), err
}

// Remove removes a network, its bridge and its rules. One with a container in it, or one that inUse says is used, is ErrConflict.
func (m *Manager) Remove(ctx context.Context, ref string, inUse InUse) error {
	const op = "remove network"
	c, err := m.find(ctx, op, ref)
	if err != nil {
		return err
	}
	if predefined(c.Name) {
		return fail(op, c.Name, engine.ErrInvalid, "%s is a pre-defined network and cannot be removed", c.Name)
	}
	unlock, err := m.lock(ctx)
	if err != nil {
		return fail(op, c.Name, nil, "%v", err)
	}
	defer unlock()
	ids, err := m.live(c.ID)
	if err != nil {
		return fail(op, c.Name, nil, "%v", err)
	}
	if inUse != nil {
		for _, id := range inUse(c.Name, c.ID) {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) > 0 {
		slices.Sort(ids)
		return fail(op, c.Name, engine.ErrConflict, "network %s has active endpoints: %s", c.Name, joinText(ids))
	}
	// Records of the dead refer to it.
	if err := m.releaseDead(); err != nil {
		return fail(op, c.Name, nil, "%v", err)
	}
	if err := m.teardown(c); err != nil {
		return fail(op, c.Name, nil, "%v", err)
	}
	if err := os.Remove(m.configPath(c.Name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail(op, c.Name, nil, "%v", err)
	}
	for _, dir := range []string{"endpoints", "addresses"} {
		os.RemoveAll(m.netDir(dir, c.ID))
	}
	return nil
}

// Prune removes the networks that nobody uses.
func (m *Manager) Prune(ctx context.Context, filters engine.Filters, inUse InUse) (engine.PruneReport, error) {
	var report engine.PruneReport
	match, err := m.matcher(filters, true)
	if err != nil {
		return report, err
	}
	all, err := m.files()
	if err != nil {
		return report, err
	}
	var errs []error
	for _, c := range all {
		if ok, err := match(c); err != nil {
			return report, err
		} else if !ok || predefined(c.Name) {
			continue
		}
		switch err := m.Remove(ctx, c.Name, inUse); {
		case err == nil:
			report.Deleted = append(report.Deleted, c.Name)
		case errors.Is(err, engine.ErrConflict) || errors.Is(err, engine.ErrNotFound):
		default:
			if report.Errors == nil {
				report.Errors = map[string]error{}
			}
			report.Errors[c.Name] = err
			errs = append(errs, err)
		}
	}
	return report, errors.Join(errs...)
}
