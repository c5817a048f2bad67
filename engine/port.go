package engine

import "net/netip"

// Port publishes a port of the container on the engine's host.
type Port struct {
	// Container is the port in the container: "80", "80/udp", "8000-8010/tcp". The protocol is tcp, udp or sctp; default tcp.
	Container string `json:"container"`
	// Host is the port on the engine's host: "8080", "" or "0" for one that the engine chooses, or a range.
	// A range as long as the container's maps port by port; a range for one container port lets the engine choose in it.
	Host string `json:"host,omitzero"`
	// HostIP is the address of the engine's host to listen on; the zero value is all.
	HostIP netip.Addr `json:"hostIP,omitzero"`
	// Range publishes that many consecutive ports, from Container and Host on (podman-py's "range"). 0 and 1 are one port.
	Range uint16 `json:"range,omitzero"`
}

// PortMapping is one port after [Port.Expand].
type PortMapping struct {
	ContainerPort uint16
	Protocol      string // tcp, udp, sctp
	HostIP        netip.Addr
	HostPort      uint16 // 0: the engine chooses, out of [HostPort, HostPortEnd] when HostPortEnd is set
	HostPortEnd   uint16 // != 0: the engine chooses in HostPort..HostPortEnd
}

// PortBinding is a port as the engine has published it.
type PortBinding struct {
	Container string     `json:"container"` // "80/tcp"
	HostIP    netip.Addr `json:"hostIP"`    // zero when exposed but not published
	HostPort  uint16     `json:"hostPort"`  // 0 when exposed but not published
}
