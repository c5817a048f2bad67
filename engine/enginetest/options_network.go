package enginetest

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

func background() context.Context { return context.Background() }

// networkOptions are networks, ports and names.
func networkOptions() []Case {
	return []Case{
		{Name: "option/network", Do: func(t *T) {
			n := t.network(berth.NetworkCreateOptions{})
			spec := t.Sleeper()
			spec.NetworkMode = n.Name()
			c := t.Start(spec)
			a, err := c.Inspect(t.Context())
			t.Check(err, "inspect")
			ep, ok := a.Networks[n.Name()]
			if !ok || !ep.IPv4.IsValid() {
				t.Fatalf("networks are %+v", a.Networks)
			}
			Equal(t, "address of eth0", t.ExecSh(c, "ip -4 -o addr show eth0 | awk '{print $4}'"), ep.IPv4.String())
		}},
		{Name: "option/networks", Do: func(t *T) {
			one := t.network(berth.NetworkCreateOptions{Subnets: []berth.Subnet{{Subnet: netip.MustParsePrefix("10.199.77.0/24")}}})
			two := t.network(berth.NetworkCreateOptions{})
			spec := t.Sleeper()
			spec.Networks = []berth.Endpoint{
				{Network: one.Name(), Aliases: []string{"berth-alias"}, IPv4: netip.MustParseAddr("10.199.77.99"), MACAddress: "02:42:0a:c7:4d:63"},
				{Network: two.Name()},
			}
			c := t.Start(spec)
			out := t.ExecSh(c, "ip -4 -o addr; ip link")
			t.Contains("addresses", out, "10.199.77.99/24")
			t.Contains("links", out, "02:42:0a:c7:4d:63")
			t.Contains("links", out, "eth1")
			// The alias is known to others of the network.
			spec = t.Spec()
			spec.Networks = []berth.Endpoint{{Network: one.Name()}}
			t.Contains("resolution of the alias", t.Sh(spec, "nslookup berth-alias 2>&1 || getent hosts berth-alias; true"), "10.199.77.99")
		}},
		{Name: "option/networks-driver-options", Do: func(t *T) {
			n := t.network(berth.NetworkCreateOptions{})
			spec := t.Sleeper()
			if t.Kind() == "podman" {
				// Its driver takes the name of the interface on the host's side, which a container in the host's network sees.
				spec.Networks = []berth.Endpoint{{Network: n.Name(), DriverOptions: map[string]string{"host_interface_name": "berthopt0"}}}
				t.Start(spec)
				host := t.Spec()
				host.NetworkMode = "host"
				t.Contains("interfaces of the host", t.Sh(host, "ls /sys/class/net"), "berthopt0")
				return
			}
			spec.Networks = []berth.Endpoint{{Network: n.Name(), DriverOptions: map[string]string{"com.example.berth": "x"}}}
			c := t.Start(spec)
			a, err := c.Inspect(t.Context())
			t.Check(err, "inspect")
			Equal(t, "driver option", a.Networks[n.Name()].DriverOptions["com.example.berth"], "x")
		}},
		{Name: "option/networks-unknown", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Networks = []berth.Endpoint{{Network: t.NewName()}}
			c, err := t.Client().Containers.Start(t.Context(), spec)
			if err == nil {
				t.removeLater(c)
				t.Fatal("it runs in a network that does not exist")
			}
			t.Gone("the failure")
		}},
		effect("option/network_disabled", func(t *T, s *berth.Spec) { s.NetworkDisabled = true },
			"ls /sys/class/net | tr '\\n' ' '", "lo "),
		{Name: "option/network_mode", Do: func(t *T) {
			ns := "readlink /proc/self/ns/net"
			own := t.Sh(t.Spec(), ns)
			host := t.Spec()
			host.NetworkMode = "host"
			if got := t.Sh(host, ns); got == own {
				t.Error("host is the container's own network namespace")
			} else {
				Equal(t, "host twice", t.Sh(host, ns), got)
			}
			none := t.Spec()
			none.NetworkMode = "none"
			Equal(t, "interfaces of none", t.Sh(none, "ls /sys/class/net | tr '\\n' ' '"), "lo ")
			other := t.Spec()
			other.NetworkMode = "container:" + t.Shared().ID()
			Equal(t, "namespace of container:", t.Sh(other, ns), t.ExecSh(t.Shared(), ns))
			bridge := t.Spec()
			bridge.NetworkMode = "bridge"
			t.Contains("interfaces of bridge", t.Sh(bridge, "ls /sys/class/net"), "eth0")
		}},
		{Name: "option/network_mode-path", Do: func(t *T) { t.namespacePath("net", func(s *berth.Spec, m string) { s.NetworkMode = m }) }},
		{Name: "option/network_options", Do: func(t *T) {
			spec := t.Spec("true")
			spec.NetworkMode = "slirp4netns"
			spec.Podman = &berth.PodmanSpec{NetworkOptions: map[string][]string{"slirp4netns": {"mtu=1400"}}}
			_, err := t.Client().Containers.Run(t.Context(), spec)
			if err != nil && strings.Contains(err.Error(), "slirp4netns") {
				t.Gone("the refusal")
				if t.Kind() != "podman" {
					t.Unsupported(err)
				}
				t.Untestable("the engine's host has no slirp4netns", err)
			}
			t.Check(err, "run")
		}},
		effect("option/mac_address", func(t *T, s *berth.Spec) { s.MACAddress = "02:42:ac:11:00:77" }, "cat /sys/class/net/eth0/address", "02:42:ac:11:00:77"),
		{Name: "option/ports", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "while :; do echo hello | nc -l -p 80; done")
			spec.Ports = []berth.Port{{Container: "80/tcp"}}
			c := t.Start(spec)
			t.dials(c, "80/tcp", "hello")
			ports, err := c.Ports(t.Context())
			t.Check(err, "ports")
			if len(ports) == 0 || ports[0].HostPort == 0 || ports[0].Container != "80/tcp" {
				t.Errorf("ports are %+v", ports)
			}
		}},
		{Name: "option/ports-fixed", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "while :; do echo fixed | nc -l -p 80; done")
			spec.Ports = []berth.Port{{Container: "80", Host: "28371"}}
			c := t.Start(spec)
			addr := t.dials(c, "80/tcp", "fixed")
			if !strings.HasSuffix(addr, ":28371") {
				t.Errorf("address is %s, want port 28371", addr)
			}
		}},
		{Name: "option/ports-range", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Ports = []berth.Port{{Container: "8000-8002/udp", Host: "28380-28382"}, {Container: "90", Host: "28390", Range: 2, HostIP: netip.MustParseAddr("127.0.0.1")}}
			c := t.Start(spec)
			ports, err := c.Ports(t.Context())
			t.Check(err, "ports")
			got := map[string]uint16{}
			for _, p := range ports {
				got[p.Container] = p.HostPort
				if strings.HasPrefix(p.Container, "9") && p.HostIP.String() != "127.0.0.1" {
					t.Errorf("%s is on %s, want 127.0.0.1", p.Container, p.HostIP)
				}
			}
			for port, want := range map[string]uint16{"8000/udp": 28380, "8001/udp": 28381, "8002/udp": 28382, "90/tcp": 28390, "91/tcp": 28391} {
				Equal(t, "host port of "+port, got[port], want)
			}
		}},
		{Name: "option/publish_all_ports", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "while :; do echo all | nc -l -p 81; done")
			spec.Expose, spec.PublishAllPorts = []string{"81"}, true
			t.dials(t.Start(spec), "81/tcp", "all")
		}},
		{Name: "option/exposed_ports", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Expose = []string{"80/tcp", "80/udp"}
			a, err := t.Create(spec).Inspect(t.Context())
			t.Check(err, "inspect")
			got := strings.Join(a.Config.ExposedPorts, " ")
			Equal(t, "exposed ports", got, "80/tcp 80/udp")
		}},
		{Name: "option/dns", Do: func(t *T) {
			spec := t.Spec()
			spec.DNS = []netip.Addr{netip.MustParseAddr("192.0.2.53")}
			t.Contains("resolv.conf", t.Sh(spec, "cat /etc/resolv.conf"), "nameserver 192.0.2.53")
		}},
		{Name: "option/dns_opt", Do: func(t *T) {
			spec := t.Spec()
			spec.DNSOptions = []string{"ndots:3"}
			t.Contains("resolv.conf", t.Sh(spec, "grep options /etc/resolv.conf"), "ndots:3")
		}},
		{Name: "option/dns_search", Do: func(t *T) {
			spec := t.Spec()
			spec.DNSSearch = []string{"berth.example", "second.example"}
			t.Contains("resolv.conf", t.Sh(spec, "grep search /etc/resolv.conf"), "search berth.example second.example")
		}},
		{Name: "option/extra_hosts", Do: func(t *T) {
			spec := t.Spec()
			spec.ExtraHosts = []string{"berth-one:192.0.2.1", "berth-two:2001:db8::2"}
			out := t.Sh(spec, "awk '{$1=$1};1' /etc/hosts")
			t.Contains("hosts", out, "192.0.2.1 berth-one")
			t.Contains("hosts", out, "2001:db8::2 berth-two")
		}},
		{Name: "option/extra_hosts-gateway", Do: func(t *T) {
			spec := t.Spec()
			spec.ExtraHosts = []string{"berth-host:host-gateway"}
			out := t.Sh(spec, "awk '/berth-host/{print $1}' /etc/hosts")
			if _, err := netip.ParseAddr(out); err != nil {
				t.Errorf("host-gateway became %q, want an address", out)
			}
		}},
		{Name: "option/links", Do: func(t *T) {
			target := t.Sleeper()
			target.Name = t.NewName()
			t.Start(target)
			spec := t.Spec()
			spec.Links = []string{target.Name + ":berth-link"}
			t.Contains("hosts", t.Sh(spec, "cat /etc/hosts"), "berth-link")
		}},
		{Name: "option/pid_mode", Do: func(t *T) {
			t.namespaces("pid", func(s *berth.Spec, m string) { s.PIDMode = m }, "host", "container:")
			t.namespacePath("pid", func(s *berth.Spec, m string) { s.PIDMode = m })
		}},
		{Name: "option/ipc_mode", Do: func(t *T) {
			shareable := t.Sleeper()
			shareable.IPCMode = "shareable"
			c := t.Start(shareable)
			spec := t.Spec()
			spec.IPCMode = "container:" + c.ID()
			ns := "readlink /proc/self/ns/ipc"
			Equal(t, "namespace of container:", t.Sh(spec, ns), t.ExecSh(c, ns))
			t.namespaces("ipc", func(s *berth.Spec, m string) { s.IPCMode = m }, "host")
		}},
		{Name: "option/uts_mode", Do: func(t *T) { t.namespaces("uts", func(s *berth.Spec, m string) { s.UTSMode = m }, "host") }},
		{Name: "option/cgroupns", Do: func(t *T) {
			host, private := t.Spec(), t.Spec()
			host.CgroupNS, private.CgroupNS = "host", "private"
			ns := "readlink /proc/self/ns/cgroup"
			if h, p := t.Sh(host, ns), t.Sh(private, ns); h == p {
				t.Errorf("host and private are the same namespace %s", h)
			}
		}},
		{Name: "option/userns_mode", Do: func(t *T) {
			spec := t.Spec()
			spec.UsernsMode = "host"
			got := t.Sh(spec, "awk '{$1=$1};1' /proc/self/uid_map")
			if t.Client().Engine().Rootless {
				t.Contains("uid_map of host, which is the user's namespace", got, "0 0 1")
				return
			}
			Equal(t, "uid_map of host", got, "0 0 4294967295")
		}},
		// Not beside others: for the numbers of such a container Podman 4.3's storage takes its locks in another order than for all
		// else, and two creations may wait for each other for good.
		{Name: "option/userns_mode-auto", Serial: true, Do: func(t *T) {
			spec := t.Spec("sh", "-c", "awk '{$1=$1};1' /proc/self/uid_map")
			spec.UsernsMode = "auto"
			res, err := t.Client().Containers.Run(t.Context(), spec)
			if err != nil && t.Kind() == "podman" {
				t.Gone("the refusal")
				t.Untestable("the engine's host has no subordinate ids for containers", err)
			}
			t.Check(err, "run")
			if got := strings.TrimSpace(string(res.Stdout)); got == "0 0 4294967295" {
				t.Error("it runs in the host's user namespace")
			}
		}},
		{Name: "option/userns_mode-keep-id", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "awk '{$1=$1};1' /proc/self/uid_map")
			spec.UsernsMode = "keep-id"
			res, err := t.Client().Containers.Run(t.Context(), spec)
			t.Check(err, "run")
			if got := strings.TrimSpace(string(res.Stdout)); got == "0 0 4294967295" {
				t.Error("it runs in the host's user namespace")
			}
		}},
		{Name: "option/idmappings", Do: func(t *T) {
			spec := t.Spec()
			m := []berth.IDMap{{ContainerID: 0, HostID: 200000, Size: 65536}}
			spec.UsernsMode = "private"
			spec.Podman = &berth.PodmanSpec{IDMappings: &berth.IDMappings{UIDMap: m, GIDMap: m}}
			Equal(t, "uid_map", t.Sh(spec, "awk '{$1=$1};1' /proc/self/uid_map"), "0 200000 65536")
		}},
	}
}

// namespaces shows that a mode shares the namespace it names: two containers of mode host have the same one, not the default's.
func (t *T) namespaces(ns string, set func(s *berth.Spec, mode string), modes ...string) {
	t.Helper()
	line := "readlink /proc/self/ns/" + ns
	own := t.Sh(t.Spec(), line)
	for _, mode := range modes {
		spec := t.Spec()
		if mode == "container:" {
			set(&spec, mode+t.Shared().ID())
			Equal(t, "namespace of "+mode, t.Sh(spec, line), t.ExecSh(t.Shared(), line))
			continue
		}
		set(&spec, mode)
		got := t.Sh(spec, line)
		if got == own {
			t.Errorf("mode %s gives a namespace of its own", mode)
		}
		Equal(t, "namespace of "+mode+" again", t.Sh(spec, line), got)
	}
}

// namespacePath shows that ns:PATH joins the namespace at the path.
func (t *T) namespacePath(ns string, set func(s *berth.Spec, mode string)) {
	t.Helper()
	a, err := t.Shared().Inspect(t.Context())
	t.Check(err, "inspect")
	host := t.Spec()
	host.PIDMode = "host"
	host.CapAdd = []string{"SYS_PTRACE"}
	spec := t.Spec()
	set(&spec, "ns:/proc/"+itoa(a.State.PID)+"/ns/"+ns)
	line := "readlink /proc/self/ns/" + ns
	Equal(t, "namespace of ns:PATH", t.Sh(spec, line), t.ExecSh(t.Shared(), line))
}

// dials connects to a published port until it answers want, and returns its address.
func (t *T) dials(c *berth.Container, port, want string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	addr, err := c.Addr(ctx, port)
	t.Check(err, "address of %s", port)
	var got []byte
	for ctx.Err() == nil {
		var conn net.Conn
		if conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", addr); err == nil {
			conn.SetDeadline(time.Now().Add(5 * time.Second))
			got, err = io.ReadAll(conn)
			conn.Close()
			if strings.TrimSpace(string(got)) == want {
				return addr
			}
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	t.Fatalf("%s answers %q (%v), want %q", addr, got, err, want)
	return addr
}
