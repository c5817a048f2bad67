//go:build linux

package network

import (
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/berthdev/berth/engine"
)

// sh runs a command on the host of the tests.
func sh(t testing.TB, line string) string {
	t.Helper()
	out, err := exec.Command("/bin/sh", "-c", line).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
	return string(out)
}

// clearFirewall removes all rules of the host of the tests.
func clearFirewall(t testing.TB) {
	sh(t, "nft flush ruleset; for p in iptables-legacy ip6tables-legacy; do $p -P FORWARD ACCEPT; $p -F; $p -X; done")
}

// TestForwardDrop: where a firewall drops what a container needs, Connect says which chain, and the command that it
// names helps; where it lets it pass, nothing is said. Whether it really passes is what decides.
func TestForwardDrop(t *testing.T) {
	outside := lan(t)
	outside.serve("outside", 7000)
	const docker = ` -N DOCKER-USER; $p -A DOCKER-USER -j RETURN; $p -A FORWARD -j DOCKER-USER;
		$p -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; $p -A FORWARD -i docker0 ! -o docker0 -j ACCEPT; $p -P FORWARD DROP`
	for _, c := range []struct {
		name, rules string
		want        string // the chain in the error; "" when it passes
	}{
		{"nothing", "true", ""},
		{"iptables-nft, accept", "iptables-nft -P FORWARD ACCEPT; iptables-nft -A FORWARD -i docker0 -j DROP", ""},
		{"iptables-nft, drop", "iptables-nft -P FORWARD DROP", "chain FORWARD of table filter (ip)"},
		{"iptables-nft, drop but answers", "iptables-nft -P FORWARD DROP; iptables-nft -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "chain FORWARD of table filter (ip)"},
		{"iptables-nft, drop but new from inside and answers", "iptables-nft -P FORWARD DROP; iptables-nft -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; iptables-nft -A FORWARD -s 10.0.0.0/8 -o ext0 -j ACCEPT", ""},
		{"iptables-nft, reject in a chain of its own", "iptables-nft -N x; iptables-nft -A x -j REJECT; iptables-nft -A FORWARD -p udp -j RETURN; iptables-nft -A FORWARD -g x", "chain FORWARD of table filter (ip)"},
		{"iptables-nft, drop from others", "iptables-nft -A FORWARD -s 203.0.113.0/24 -j DROP; iptables-nft -A FORWARD ! -i berth-+ ! -o berth-+ -j DROP", ""},
		{"iptables-legacy, accept", "iptables-legacy -P FORWARD ACCEPT; iptables-legacy -A FORWARD -i docker0 -j DROP", ""},
		{"iptables-legacy, drop", "iptables-legacy -P FORWARD DROP", "chain FORWARD of table filter (iptables-legacy)"},
		{"iptables-legacy, drop but ours", "iptables-legacy -P FORWARD DROP; iptables-legacy -N ours; iptables-legacy -A ours -i berth-+ -j ACCEPT; iptables-legacy -A FORWARD -j ours; iptables-legacy -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", ""},
		{"iptables-legacy, reject at the end", "iptables-legacy -A FORWARD -i docker0 -j ACCEPT; iptables-legacy -A FORWARD -j REJECT", "chain FORWARD of table filter (iptables-legacy)"},
		{"iptables-legacy, Docker", "p=iptables-legacy; $p" + docker, "chain FORWARD of table filter (iptables-legacy)"},
		{"nft, drop", "nft 'add table inet fw; add chain inet fw passing { type filter hook forward priority 10; policy drop; }'", "chain passing of table fw (inet)"},
		{"nft, like firewalld", `nft 'add table inet firewalld; add chain inet firewalld filter_FORWARD { type filter hook forward priority 10; policy accept; };
			add chain inet firewalld zones; add rule inet firewalld filter_FORWARD ct state vmap { established : accept, related : accept, invalid : drop };
			add rule inet firewalld filter_FORWARD iifname "lo" accept; add rule inet firewalld filter_FORWARD jump zones;
			add rule inet firewalld zones iifname { "docker0", "virbr0" } accept; add rule inet firewalld filter_FORWARD reject with icmpx type admin-prohibited'`, "chain filter_FORWARD of table firewalld (inet)"},
		{"nft, drop but ours", `nft 'add table inet fw; add chain inet fw passing { type filter hook forward priority 10; policy drop; };
			add rule inet fw passing iifname vmap { "docker0" : drop }; add rule inet fw passing ct state { established, related } accept; add rule inet fw passing ip saddr { 10.188.0.0/14, 192.168.0.0/16 } accept'`, ""},
		{"nft, drop but ours by name", `nft 'add table ip fw; add chain ip fw passing { type filter hook forward priority 10; policy drop; };
			add rule ip fw passing iifname "berth-*" accept; add rule ip fw passing ct state & (established|related) != 0 counter accept'`, ""},
		{"iptables-nft, Docker", "p=iptables-nft; $p" + docker, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			clearFirewall(t)
			defer clearFirewall(t)
			m := newManager(t)
			sh(t, c.rules)
			box, err := tryConnect(t, m, nil)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("error is %v, want one about %s", err, c.want)
				}
				// It told the truth.
				open := *m
				open.opts.NoForwardCheck = true
				shut := connect(t, &open, nil)
				wantSilence(t, shut.machine, "tcp", "192.0.2.2:7000")
				shut.end()
				// The command that it names helps.
				sh(t, regexp.MustCompile(`Allow them with: (.*) \(embedded\)$`).FindStringSubmatch(err.Error())[1])
				box = connect(t, m, nil)
			} else if err != nil {
				t.Fatalf("connect: %v", err)
			}
			wantAnswer(t, box.machine, "tcp", "192.0.2.2:7000", "outside 192.0.2.1")
			box.end()
		})
	}
}

// TestDockerUser: two rules come into DOCKER-USER with a bridge and go with it; iptables can read them.
func TestDockerUser(t *testing.T) {
	outside := lan(t)
	clearFirewall(t)
	defer clearFirewall(t)
	for _, p := range []string{"iptables-nft", "ip6tables-nft"} {
		sh(t, p+" -N DOCKER-USER; "+p+" -A DOCKER-USER -j RETURN; "+p+" -A FORWARD -j DOCKER-USER; "+p+" -P FORWARD DROP")
	}
	before := sh(t, "iptables-nft -S DOCKER-USER; ip6tables-nft -S DOCKER-USER")
	m := newManager(t)
	create(t, m, engine.NetworkCreateOptions{Name: "six", IPv6: true})
	c := connect(t, m, func(r *Request) {
		r.Endpoints[0].Network = "six"
		r.Ports = []engine.PortMapping{tcp(80, 9901, "")}
	})
	c.serve("c", 80)
	wantAnswer(t, outside, "tcp", "192.0.2.1:9901", "c 192.0.2.2")
	wantAnswer(t, outside, "tcp", "[2001:db8::1]:9901", "c 2001:db8::2")
	d := connect(t, m, func(r *Request) { r.Endpoints[0].Network = "six" })
	var wg sync.WaitGroup
	removeAccepts(c.session.record.Load().Endpoints[0].Bridge)
	for range 4 {
		wg.Go(func() {
			cfg, err := m.find(t.Context(), "test", "six")
			if err == nil {
				err = m.checkForward(t.Context(), cfg, true)
			}
			if err != nil {
				t.Errorf("check: %v", err)
			}
		})
	}
	wg.Wait()
	bridge := c.session.record.Load().Endpoints[0].Bridge
	for _, p := range []string{"iptables-nft", "ip6tables-nft"} {
		out := sh(t, p+" -S DOCKER-USER")
		for _, want := range []string{"-A DOCKER-USER -i " + bridge + " .*-j ACCEPT", "-A DOCKER-USER -o " + bridge + " .*-j ACCEPT"} {
			if n := len(regexp.MustCompile(want).FindAllString(out, -1)); n != 1 || !strings.Contains(out, "berth") {
				t.Errorf("%d rules %s in\n%s", n, want, out)
			}
		}
	}
	c.end()
	d.end()
	if err := m.Sweep(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if after := sh(t, "iptables-nft -S DOCKER-USER; ip6tables-nft -S DOCKER-USER"); after != before {
		t.Errorf("DOCKER-USER is\n%s, was\n%s", after, before)
	}
}
