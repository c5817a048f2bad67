package engine

import (
	"encoding/json"
	"net/netip"
	"time"
)

// VolumeCreateOptions describe a new volume.
type VolumeCreateOptions struct {
	Name          string // "" lets the engine choose
	Driver        string
	DriverOptions map[string]string
	Labels        map[string]string
}

// VolumeAttrs is a volume.
type VolumeAttrs struct {
	Name       string
	Driver     string
	Mountpoint string // on the engine's host
	Created    time.Time
	Labels     map[string]string
	Options    map[string]string
	Scope      string
	Anonymous  bool
	Raw        json.RawMessage
}

// NetworkCreateOptions describe a new network.
type NetworkCreateOptions struct {
	Name          string
	Driver        string // bridge by default
	Internal      bool
	IPv6          bool
	Attachable    bool // Docker Swarm
	Subnets       []Subnet
	Labels        map[string]string
	Options       map[string]string
	IPAMDriver    string
	IPAMOptions   map[string]string
	DNSDisabled   bool // Podman
	InterfaceName string
}

// Subnet is a range of addresses of a network.
type Subnet struct {
	Subnet  netip.Prefix
	Range   netip.Prefix // addresses are given out of it; zero is all of Subnet
	Gateway netip.Addr
}

// NetworkAttrs is a network.
type NetworkAttrs struct {
	ID            string
	Name          string
	Driver        string
	Created       time.Time
	Scope         string
	Internal      bool
	IPv6          bool
	InterfaceName string
	Subnets       []Subnet
	Labels        map[string]string
	Options       map[string]string
	// Containers in it by ID; the list of networks does not fill it.
	Containers map[string]NetworkContainer
	Raw        json.RawMessage
}

// NetworkContainer is a container in a network.
type NetworkContainer struct {
	Name       string
	IPv4       netip.Prefix
	IPv6       netip.Prefix
	MACAddress string
}

// SecretCreateOptions describe a new secret.
type SecretCreateOptions struct {
	Driver        string
	DriverOptions map[string]string
	Labels        map[string]string
	Replace       bool // Podman >= 4.7
}

// SecretAttrs is a secret, without its data.
type SecretAttrs struct {
	ID      string
	Name    string
	Driver  string
	Options map[string]string
	Labels  map[string]string
	Created time.Time
	Updated time.Time
	Raw     json.RawMessage
}
