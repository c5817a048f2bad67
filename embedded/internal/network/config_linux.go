package network

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
)

// config is root/networks/NAME.json: a network.
type config struct {
	ID           string            `json:"id"`
	Name         string            `json:"name"`
	Driver       string            `json:"driver"` // bridge, host, null
	Created      time.Time         `json:"created"`
	Internal     bool              `json:"internal,omitzero"`
	IPv6         bool              `json:"ipv6,omitzero"`
	DNSDisabled  bool              `json:"dnsDisabled,omitzero"`
	NoMasquerade bool              `json:"noMasquerade,omitzero"`
	Isolated     bool              `json:"isolated,omitzero"` // its containers do not reach each other
	MTU          int               `json:"mtu,omitzero"`      // 0 is the default route's
	Prefix       string            `json:"prefix,omitzero"`   // of interfaces in containers; "" is eth
	HostIP       netip.Addr        `json:"hostIP,omitzero"`   // ports without an address are published here
	Interface    string            `json:"interface,omitzero"`
	Subnets      []engine.Subnet   `json:"subnets"` // at most one of a family, complete
	Labels       map[string]string `json:"labels"`
	Options      map[string]string `json:"options"`
}

// subnet returns the subnet of a family, nil if there is none.
func (c *config) subnet(v6 bool) *engine.Subnet {
	for i := range c.Subnets {
		if c.Subnets[i].Subnet.Addr().Is6() == v6 {
			return &c.Subnets[i]
		}
	}
	return nil
}

// attrs is what inspect shows, without containers.
func (c *config) attrs() engine.NetworkAttrs {
	raw, _ := json.Marshal(c) // strings, numbers, addresses: it cannot fail
	return engine.NetworkAttrs{
		ID:            c.ID,
		Name:          c.Name,
		Driver:        c.Driver,
		Created:       c.Created,
		Scope:         "local",
		Internal:      c.Internal,
		IPv6:          c.IPv6,
		InterfaceName: c.Interface,
		Subnets:       slices.Clone(c.Subnets),
		Labels:        c.Labels,
		Options:       c.Options,
		Raw:           raw,
	}
}

// The networks that always exist. host and none have no file.
func predefined(name string) bool {
	return name == Default || name == "host" || name == "none" || name == "default"
}

// builtin are the networks without a bridge.
func builtin() []*config {
	id := func(b byte) string { return strings.Repeat(hex.EncodeToString([]byte{b}), 32) }
	return []*config{
		{ID: id(0x01), Name: "host", Driver: "host"},
		{ID: id(0x02), Name: "none", Driver: "null"},
	}
}

func (m *Manager) configDir() string             { return filepath.Join(m.root, "networks") }
func (m *Manager) configPath(name string) string { return filepath.Join(m.configDir(), name+".json") }

// configs are all bridge networks, the default one among them, sorted by name.
func (m *Manager) configs(ctx context.Context) ([]*config, error) {
	if _, err := m.defaultConfig(ctx); err != nil {
		return nil, err
	}
	return m.files()
}

// files are the networks that have a file.
func (m *Manager) files() ([]*config, error) {
	list, err := names(m.configDir())
	if err != nil {
		return nil, err
	}
	slices.Sort(list)
	var out []*config
	for _, name := range list {
		if name, ok := cutExt(name, ".json"); ok && validName(name) {
			c := new(config)
			if err := readJSON(m.configPath(name), c); errors.Is(err, fs.ErrNotExist) {
				continue // just removed
			} else if err != nil {
				return nil, err
			}
			out = append(out, c)
		}
	}
	return out, nil
}

// find returns the bridge network with this name, ID or unique start of an ID.
func (m *Manager) find(ctx context.Context, op, ref string) (*config, error) {
	if ref == "" {
		return nil, &engine.InvalidError{Option: "network", Reason: "the name is empty"}
	}
	if ref == Default || ref == "default" {
		return m.defaultConfig(ctx)
	}
	for _, c := range builtin() {
		if c.Name == ref {
			return c, nil
		}
	}
	if validName(ref) {
		c := new(config)
		if err := readJSON(m.configPath(ref), c); err == nil {
			return c, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	all, err := m.configs(ctx)
	if err != nil {
		return nil, err
	}
	var found []*config
	for _, c := range append(all, builtin()...) {
		if c.ID == ref || c.Name == ref {
			return c, nil
		}
		if strings.HasPrefix(c.ID, ref) {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 0:
		return nil, fail(op, ref, engine.ErrNotFound, "network %s not found", ref)
	case 1:
		return found[0], nil
	}
	return nil, fail(op, ref, engine.ErrInvalid, "network ID %s is the start of several", ref)
}

// defaultConfig returns the default network, which is made when it is asked for the first time.
func (m *Manager) defaultConfig(ctx context.Context) (*config, error) {
	c := new(config)
	err := readJSON(m.configPath(Default), c)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return c, err
	}
	unlock, err := m.lockConfigs(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := readJSON(m.configPath(Default), c); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return c, err
	}
	files, err := m.files()
	if err != nil {
		return nil, err
	}
	id := newID()
	subnet, err := chooseSubnet(true, files)
	if err != nil {
		return nil, fail("create network", Default, nil, "%v", err)
	}
	c = &config{ID: id, Name: Default, Driver: "bridge", Created: now(), Interface: bridgeName(id), Subnets: []engine.Subnet{subnet}}
	return c, writeJSON(m.configPath(Default), c)
}

// lockConfigs takes the lock of the networks' files.
func (m *Manager) lockConfigs(ctx context.Context) (unlock func(), err error) {
	f, err := lockFile(ctx, filepath.Join(m.configDir(), "lock"))
	if err != nil {
		return nil, err
	}
	if err := m.sweepTemps(); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// sweepTemps removes the configurations that nobody has come to the end of writing.
func (m *Manager) sweepTemps() error {
	list, err := names(m.configDir())
	if err != nil {
		return err
	}
	for _, name := range list {
		if _, ok := cutExt(name, tempExt); ok {
			if err := os.Remove(filepath.Join(m.configDir(), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// newID returns 64 hexadecimal digits.
func newID() string {
	var b [32]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// bridgePrefix begins the names of our bridges: rules of other firewalls can name it.
const bridgePrefix = "berth-"

// bridgeName fills the 15 bytes that an interface's name may have.
func bridgeName(id string) string { return bridgePrefix + id[:9] }

// validName says whether a network may be called so: Docker's rule.
func validName(s string) bool {
	for i, c := range []byte(s) {
		alnum := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !alnum && (i == 0 || c != '_' && c != '.' && c != '-') {
			return false
		}
	}
	return s != "" && len(s) <= 200
}

// fail makes the error of an operation on a network or a container.
func fail(op, object string, kind error, format string, args ...any) error {
	return &engine.APIError{Engine: "embedded", Op: op, Object: object, Message: fmt.Sprintf(format, args...), Kind: kind}
}

// ensureDirs makes the directories.
func (m *Manager) ensureDirs() error {
	for _, dir := range []string{m.configDir(), m.netDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	return nil
}
