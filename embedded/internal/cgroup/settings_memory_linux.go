package cgroup

import (
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// memory: 0 and -1 are no limit.
func (t *translator) memory(m *specs.LinuxMemory) {
	if m == nil {
		return
	}
	none := texts{"-1", "max"}
	limit := func(option string, file names, v *int64) {
		if v == nil {
			return
		}
		t.set(option, ctlMemory, file, either(strconv.FormatInt(*v, 10)), none, *v <= 0)
	}
	limit("Memory", names{"memory.limit_in_bytes", "memory.max"}, m.Limit)
	t.swap(m)
	if v := m.Reservation; v != nil {
		t.set("MemoryReservation", ctlMemory, names{"memory.soft_limit_in_bytes", "memory.low"}, either(strconv.FormatInt(*v, 10)), texts{"-1", "0"}, *v <= 0)
	}
	//lint:ignore SA1019 kernels before 5.16 have it, and of others the caller is told
	limit("KernelMemory", names{"memory.kmem.limit_in_bytes", ""}, m.Kernel)
	limit("KernelMemoryTCP", names{"memory.kmem.tcp.limit_in_bytes", ""}, m.KernelTCP)
	if v := m.Swappiness; v != nil {
		t.set("MemorySwappiness", ctlMemory, names{"memory.swappiness", ""}, either(strconv.FormatUint(*v, 10)), texts{v1: t.inherited("memory.swappiness", "60")}, false)
	}
	if v := m.DisableOOMKiller; v != nil {
		t.set("OOMKillDisable", ctlMemory, names{"memory.oom_control", ""}, either("1"), either("0"), !*v)
	}
	if v := m.UseHierarchy; v != nil && !*v {
		t.refuse("MemoryUseHierarchy", "the kernel's memory controller always counts groups in a group")
	}
}

// swap: the configuration has memory and swap together, as v1 does; v2 has swap alone.
func (t *translator) swap(m *specs.LinuxMemory) {
	if m.Swap == nil {
		return
	}
	const option = "MemorySwap"
	none := texts{"-1", "max"}
	value := none
	if v := *m.Swap; v > 0 {
		value.v1 = strconv.FormatInt(v, 10)
		memory := t.limitOf(m)
		switch {
		case memory <= 0:
			t.invalid(option, value.v1, "it needs a limit of memory")
			return
		case v < memory:
			t.invalid(option, value.v1, "it is memory and swap together, and less than the limit of memory")
			return
		}
		value.v2 = strconv.FormatInt(v-memory, 10)
	}
	file := names{"memory.memsw.limit_in_bytes", "memory.swap.max"}
	t.set(option, ctlMemory, file, value, none, *m.Swap <= 0)
}

// limitOf is the limit of memory after m is set; 0 is none.
func (t *translator) limitOf(m *specs.LinuxMemory) int64 {
	if m.Limit != nil {
		return *m.Limit
	}
	d := t.find(ctlMemory)
	if d == nil || t.parent {
		return 0
	}
	file := "/memory.limit_in_bytes"
	if d.v2 {
		file = "/memory.max"
	}
	n, err := number(d.path + file)
	if err != nil || n >= unlimited {
		return 0
	}
	return int64(n)
}

// unlimited: limits of v1 from here on are none (it tells the greatest multiple of a page).
const unlimited = 1<<63 - 1<<20

// inherited is what a new group takes over from its parent.
func (t *translator) inherited(file, otherwise string) string {
	d := t.find(ctlMemory)
	if d == nil {
		return otherwise
	}
	if s, err := read(parentOf(d) + "/" + file); err == nil {
		return s
	}
	return otherwise
}
