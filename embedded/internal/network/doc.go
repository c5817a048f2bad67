// Package network gives containers their networks: bridges, addresses, published
// ports and names. It uses netlink and nftables and no other program.
//
// A [Manager] knows the networks of one state directory. Networks are files
// (root/networks); what of them exists in the kernel since the boot, and who uses
// which address, is below the run directory (run/net). There is no daemon: every
// process that opens the same directories sees the same networks, and flock keeps
// them apart.
//
// [Manager.Connect] is called by the monitor of a container while the container's
// first process waits in its new network namespace. It returns a [Session], which
// lives in the monitor: it serves names inside the namespace and forwards the
// published ports of the host's own connections. Everything that outlives the
// monitor (bridge port, addresses, elements of nftables sets) is written down in the
// run directory first, so that [Manager.Release] finds it after a kill -9.
//
// # What is changed on the host
//
//   - one bridge for each network in use, named berth-XXXXXXXXX, and a veth pair for each
//     container in it;
//   - one nftables table, inet berth (inet berth-XXXXXXXX for a run directory other
//     than /run/berth), with chains at prerouting (published ports), forward
//     (networks do not reach each other, nobody outside reaches a port that is not published)
//     and postrouting (masquerading);
//   - net.ipv4.ip_forward, and net.ipv6.conf.all.forwarding when an IPv6 network is used, are set
//     to 1 if they are 0. They stay so: others may have come to rely on them. Interfaces with accept_ra=1 get 2
//     before IPv6 forwarding is turned on, so that the host keeps the routes it learns;
//   - where the chain DOCKER-USER exists and packets would be dropped otherwise: two accept rules in it for each
//     bridge, tagged with the comment "berth", removed with the bridge.
//
// Other tables, chains and rules are read, never changed. Where another base chain would drop
// the packets of a bridge, Connect fails with an error that names it, and the command that
// allows them (Options.NoForwardCheck goes on instead).
//
// The iptables before nftables is read as well; its tables cannot be changed rule by rule, so a DOCKER-USER there is
// left to the user.
//
// [Manager.Sweep] removes the bridges without containers and, with the last one, the table.
//
// # Published ports
//
// A port is reserved by a listening socket in the monitor, bound as asked for. Packets from other machines do not
// come there: an element of an nftables map sends them to the container. What
// the host itself and its containers dial is forwarded by the monitor, so that no route_localnet
// is needed. The container then sees the bridge's address as the other end.
//
// # Names
//
// In networks other than the default one, 127.0.0.11 is a name server: it knows
// the names of the containers in the networks of the asking one, and forwards the rest to the
// host's resolvers, from the host's namespace. In the default network it only forwards, and is there only when the
// host's own resolvers are at loopback addresses, where a container does not reach them. It listens on a port of its own inside the namespace and port 53 is redirected to it, so that a
// container may serve port 53 itself.
package network
