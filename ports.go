package berth

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/connect"
)

// Ports asks the engine for the container's ports: published ones, with the
// address and port of the engine's host, and exposed ones, without.
func (c *Container) Ports(ctx context.Context) ([]PortBinding, error) {
	attrs, err := c.inspect(ctx, engine.InspectOptions{})
	if err != nil {
		return nil, err
	}
	return attrs.Ports, nil
}

// Addr is the host:port to dial for a port of the container, such as "5432/tcp"
// or "53/udp"; without a protocol it is tcp. It asks the engine.
//
// The host is that of [WithPublishedHost], else the host of a remote engine's
// address, else the loopback address; a port that is published on one address of
// a local engine only has that address. A container in the host's network has its
// own ports there. A port that is not published is [ErrNotFound], a container
// that does not run [ErrNotRunning].
func (c *Container) Addr(ctx context.Context, port string) (string, error) {
	number, proto, err := splitPort(port)
	if err != nil {
		return "", err
	}
	attrs, err := c.inspect(ctx, engine.InspectOptions{})
	if err != nil {
		return "", err
	}
	return c.cli.publishedAddr(attrs, number, proto)
}

// splitPort reads "80", "80/tcp" or "53/udp".
func splitPort(s string) (number uint16, proto string, err error) {
	p, proto, found := strings.Cut(s, "/")
	if !found {
		proto = "tcp"
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil || n == 0 || proto != "tcp" && proto != "udp" && proto != "sctp" {
		return 0, "", &engine.InvalidError{Option: "port", Value: s, Reason: "not of the form 80, 80/tcp or 53/udp"}
	}
	return uint16(n), proto, nil
}

// publishedAddr is where a port of the container is to be dialled.
func (cli *Client) publishedAddr(attrs *Attrs, number uint16, proto string) (string, error) {
	name := fmt.Sprintf("%d/%s", number, proto)
	if !attrs.State.Running() {
		return "", fmt.Errorf("address of port %s of container %s: %w (%s)", name, attrs.Name, engine.ErrNotRunning, attrs.State.Status)
	}
	if attrs.HostConfig.NetworkMode == "host" {
		host, err := cli.dialHost(netip.Addr{})
		return net.JoinHostPort(host, strconv.Itoa(int(number))), err
	}
	b, ok := bestBinding(attrs.Ports, name)
	if !ok {
		return "", fmt.Errorf("address of port %s of container %s: it is not published: %w", name, attrs.Name, engine.ErrNotFound)
	}
	host, err := cli.dialHost(b.HostIP)
	if err != nil {
		return "", fmt.Errorf("address of port %s of container %s: %w", name, attrs.Name, err)
	}
	return net.JoinHostPort(host, strconv.Itoa(int(b.HostPort))), nil
}

// bestBinding is the binding of a port to use: one on all addresses before one
// on a single address, IPv4 before IPv6.
func bestBinding(ports []PortBinding, name string) (best PortBinding, ok bool) {
	rank := func(b PortBinding) int {
		switch {
		case b.HostIP.IsValid() && !b.HostIP.IsUnspecified():
			return 2
		case b.HostIP.Is6():
			return 1
		}
		return 0
	}
	for _, b := range ports {
		if b.Container == name && b.HostPort != 0 && (!ok || rank(b) < rank(best)) {
			best, ok = b, true
		}
	}
	return best, ok
}

// dialHost is the host where a port that is published on ip is reached.
func (cli *Client) dialHost(ip netip.Addr) (string, error) {
	if cli.publishedHost != "" {
		return cli.publishedHost, nil
	}
	host := cli.e.Identity().Host
	addr, err := connect.ParseHost(host, cli.env.GOOS)
	if err != nil || addr.Host == "" || addr.Scheme == connect.SchemeEngine {
		switch { // here, or in a virtual machine that forwards its ports to here
		case !ip.IsValid():
			return "127.0.0.1", nil
		case !ip.IsUnspecified():
			return ip.String(), nil
		case ip.Is6():
			return "::1", nil
		}
		return "127.0.0.1", nil
	}
	switch {
	case !ip.IsValid(), ip.IsUnspecified(), loopback(addr.Host):
		return addr.Host, nil
	case ip.IsLoopback():
		return "", &engine.UnsupportedError{Option: "Container.Addr", Value: ip.String(), Reason: "it is published on the loopback address of " + addr.Host + " only"}
	}
	return ip.String(), nil
}
