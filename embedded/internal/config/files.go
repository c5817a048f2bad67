//go:build linux

package config

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/network"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// networkFiles puts hosts, hostname and resolv.conf in place: the container's own, or those of the container whose
// network it has. A mount of the Spec on one of them wins. The monitor writes hosts and resolv.conf again at each
// start of a container with addresses.
func (b *builder) networkFiles() error {
	dir := filepath.Join(b.in.Dir, "files")
	if b.netOther != nil {
		dir = filepath.Join(filepath.Dir(b.in.Dir), b.netOther.ID, "files")
	} else {
		resolv, err := b.resolv()
		if err != nil {
			return err
		}
		hosts, err := b.hosts()
		if err != nil {
			return err
		}
		b.file("hosts", hosts, 0o644)
		b.file("resolv.conf", resolv, 0o644)
		b.file("hostname", []byte(b.hostname+"\n"), 0o644)
	}
	for _, name := range []string{"resolv.conf", "hostname", "hosts"} {
		b.bindFile(filepath.Join(dir, name), "/etc/"+name, b.s.ReadOnly)
	}
	return nil
}

// file adds a file of the container's own.
func (b *builder) file(name string, data []byte, mode fs.FileMode) {
	uid, gid := hostID(b.cfg.UIDMap, 0), hostID(b.cfg.GIDMap, 0)
	b.out.Files[name] = state.File{Data: data, Mode: mode, UID: int(uid), GID: int(gid)}
}

// hostID is what an ID of the container is outside of it; one that is not mapped is itself.
func hostID(m []engine.IDMap, id uint32) uint32 {
	for _, r := range m {
		if id >= r.ContainerID && id-r.ContainerID < r.Size {
			return r.HostID + id - r.ContainerID
		}
	}
	return id
}

// bindFile mounts a file of the engine's, unless something else is there.
func (b *builder) bindFile(source, target string, readonly bool) {
	if b.taken(target) {
		return
	}
	opts := []string{"rbind", "rprivate"}
	if readonly {
		opts = append(opts, "ro")
	}
	b.add(specs.Mount{Destination: target, Type: "bind", Source: source, Options: opts})
}

// resolv is resolv.conf: a container in the host's network, and one with none, has the host's, changed by its options.
func (b *builder) resolv() ([]byte, error) {
	host, err := os.ReadFile("/etc/resolv.conf")
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	s := b.s
	own := len(b.cfg.Networks) > 0 && slices.ContainsFunc(b.cfg.Networks, func(e state.Endpoint) bool { return e.Network != b.in.DefaultNetwork })
	return network.Resolv(network.ResolvInput{Host: host, DNS: s.DNS, Options: s.DNSOptions, Search: s.DNSSearch, Own: own, HostNetwork: b.cfg.Netns == "host"}), nil
}

// hosts is /etc/hosts: the host's own lines in the host's network.
func (b *builder) hosts() ([]byte, error) {
	if b.cfg.Netns == "host" {
		host, err := os.ReadFile("/etc/hosts")
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		if len(host) > 0 && host[len(host)-1] != '\n' {
			host = append(host, '\n')
		}
		for _, h := range b.s.ExtraHosts {
			name, addr, err := engine.ParseExtraHost(h)
			if err != nil {
				return nil, err
			}
			if addr == "host-gateway" {
				addr = "127.0.0.1" // the container is on the host
			}
			host = append(host, addr+"\t"+name+"\n"...)
		}
		return host, nil
	}
	return network.Hosts(network.HostsInput{Hostname: b.hostname, Domainname: b.s.Domainname, ExtraHosts: b.s.ExtraHosts}), nil
}

// secrets are files that are mounted, and variables that StartSpec reads from files: neither is in config.json.
func (b *builder) secrets() error {
	for i, m := range b.s.Secrets {
		data, err := b.secret(at("Spec.Secrets", i), m.Source)
		if err != nil {
			return err
		}
		target := m.Target
		if target == "" {
			target = m.Source
		}
		if !path.IsAbs(target) {
			target = path.Join("/run/secrets", target)
		}
		mode := fs.FileMode(0o444)
		if m.Mode != nil {
			mode = fs.FileMode(*m.Mode)
		}
		name := secretsDir + "/" + itoa(i)
		b.out.Files[name] = state.File{Data: data, Mode: mode, UID: int(hostID(b.cfg.UIDMap, m.UID)), GID: int(hostID(b.cfg.GIDMap, m.GID))}
		if b.taken(path.Clean(target)) {
			return invalid(at("Spec.Secrets", i), m.Source, "another mount has its target "+target)
		}
		b.add(specs.Mount{Destination: path.Clean(target), Type: "bind", Source: filepath.Join(b.in.Dir, "files", name),
			Options: []string{"rbind", "rprivate", "ro", "nosuid", "nodev", "noexec"}})
	}
	for _, variable := range sortedKeys(b.s.SecretEnv) {
		data, err := b.secret(`Spec.SecretEnv["`+variable+`"]`, b.s.SecretEnv[variable])
		if err != nil {
			return err
		}
		if slices.Contains(data, 0) {
			return invalid(`Spec.SecretEnv["`+variable+`"]`, b.s.SecretEnv[variable], "the secret has a NUL byte: no variable can hold it")
		}
		b.out.Files[secretEnvDir+"/"+variable] = state.File{Data: data, Mode: 0o600} // root's, in whatever namespace the monitor is
	}
	return nil
}

// The directories of secrets, below containers/ID/files.
const (
	secretsDir   = "secrets"
	secretEnvDir = "secretenv"
)

func (b *builder) secret(option, name string) ([]byte, error) {
	if b.in.Secret == nil {
		return nil, unsupported(option, name, "there is no store of secrets")
	}
	data, _, err := b.in.Secret(name)
	return data, err
}
