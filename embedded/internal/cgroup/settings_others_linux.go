package cgroup

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// pids: 0 and less are no limit.
func (t *translator) pids(p *specs.LinuxPids) {
	if p == nil || p.Limit == nil {
		return
	}
	t.set("PidsLimit", ctlPids, names{"pids.max", "pids.max"}, either(strconv.FormatInt(*p.Limit, 10)), either("max"), *p.Limit <= 0)
}

// others are controllers that only an OCI patch asks for.
func (t *translator) others(res *specs.LinuxResources) {
	for _, h := range res.HugepageLimits {
		value := strconv.FormatUint(h.Limit, 10)
		file := "hugetlb." + h.Pagesize
		huge := controller{"hugetlb", "hugetlb"}
		t.set("HugepageLimits", huge, names{file + ".limit_in_bytes", file + ".max"}, either(value), texts{"-1", "max"}, false)
		// Reservations are limited alike where the kernel can, or a mapping would succeed and its use be killed.
		if t.has(huge, file+".rsvd.limit_in_bytes") || t.has(huge, file+".rsvd.max") {
			t.set("HugepageLimits", huge, names{file + ".rsvd.limit_in_bytes", file + ".rsvd.max"}, either(value), texts{"-1", "max"}, false)
		}
	}
	if n := res.Network; n != nil {
		if v := n.ClassID; v != nil {
			t.set("NetworkClassID", controller{v1: "net_cls"}, names{v1: "net_cls.classid"}, either(strconv.FormatUint(uint64(*v), 10)), either("0"), *v == 0)
		}
		for _, p := range n.Priorities {
			t.add("NetworkPriorities", controller{v1: "net_prio"}, names{v1: "net_prio.ifpriomap"}, p.Name,
				either(p.Name+" "+strconv.FormatUint(uint64(p.Priority), 10)), either(p.Name+" 0"), p.Priority == 0)
		}
	}
	for _, device := range slices.Sorted(maps.Keys(res.Rdma)) {
		r := res.Rdma[device]
		value := device
		if r.HcaHandles != nil {
			value += fmt.Sprintf(" hca_handle=%d", *r.HcaHandles)
		}
		if r.HcaObjects != nil {
			value += fmt.Sprintf(" hca_object=%d", *r.HcaObjects)
		}
		t.add("Rdma", controller{"rdma", "rdma"}, names{"rdma.max", "rdma.max"}, device, either(value), either(device+" hca_handle=max hca_object=max"), false)
	}
}

// unified are files of v2 by their names.
func (t *translator) unified(files map[string]string) {
	for _, file := range slices.Sorted(maps.Keys(files)) {
		name, _, ok := strings.Cut(file, ".")
		d := t.g.v2()
		switch {
		case !ok || strings.Contains(file, "/"):
			t.invalid("Unified", file, "it is not the name of a file of a cgroup")
		case d == nil:
			t.refuse("Unified", "this machine has cgroup v1")
		case name != "cgroup" && !slices.Contains(d.controllers, name):
			t.refuse("Unified", "there is no controller "+name+" of cgroup v2 here")
		case !exists(t.where(d) + "/" + file):
			t.refuse("Unified", "cgroup v2 has no file "+file+" here")
		default:
			initial := ""
			if !t.parent {
				initial, _ = read(d.path + "/" + file)
			}
			t.list = append(t.list, setting{option: t.prefix + "Unified", dir: d, file: file, value: files[file], initial: initial})
		}
	}
}
