package cgroup

import (
	"fmt"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// blockIO: a weight of 0 is the kernel's default, a rate of 0 is no limit.
func (t *translator) blockIO(b *specs.LinuxBlockIO) {
	if b == nil {
		return
	}
	if v := b.Weight; v != nil {
		t.ioWeight(*v)
	}
	if v := b.LeafWeight; v != nil && *v != 0 {
		t.refuse("BlkioLeafWeight", "no I/O scheduler of this kernel has weights of leaves")
	}
	for _, w := range b.WeightDevice {
		if w.LeafWeight != nil && *w.LeafWeight != 0 {
			t.refuse("BlkioWeightDevice", "no I/O scheduler of this kernel has weights of leaves")
		}
		if w.Weight != nil {
			t.ioWeightDevice(fmt.Sprintf("%d:%d", w.Major, w.Minor), *w.Weight)
		}
	}
	t.throttle("BlkioDeviceReadBps", "read_bps", "rbps", b.ThrottleReadBpsDevice)
	t.throttle("BlkioDeviceWriteBps", "write_bps", "wbps", b.ThrottleWriteBpsDevice)
	t.throttle("BlkioDeviceReadIOps", "read_iops", "riops", b.ThrottleReadIOPSDevice)
	t.throttle("BlkioDeviceWriteIOps", "write_iops", "wiops", b.ThrottleWriteIOPSDevice)
}

// The schedulers' names for the weight differ: bfq has its own files, and iocost (v2) and cfq (v1) the plain ones.

func (t *translator) ioWeight(w uint16) {
	file := names{"blkio.weight", "io.weight"}
	value, initial := texts{strconv.Itoa(int(w)), "default " + strconv.Itoa(weightOfBlkio(w))}, texts{"500", "default 100"}
	if t.has(ctlIO, "blkio.bfq.weight") || t.has(ctlIO, "io.bfq.weight") {
		file = names{"blkio.bfq.weight", "io.bfq.weight"}
		value, initial = either(strconv.Itoa(int(w))), either("100")
	}
	t.set("BlkioWeight", ctlIO, file, value, initial, w == 0)
}

func (t *translator) ioWeightDevice(device string, w uint16) {
	file := names{"blkio.weight_device", "io.weight"}
	value := texts{strconv.Itoa(int(w)), strconv.Itoa(weightOfBlkio(w))}
	initial := texts{"0", "default"}
	if t.has(ctlIO, "blkio.bfq.weight_device") || t.has(ctlIO, "io.bfq.weight") {
		file = names{"blkio.bfq.weight_device", "io.bfq.weight"}
		value, initial = either(strconv.Itoa(int(w))), texts{"0", "default"}
	}
	line := func(v texts) texts { return texts{device + " " + v.v1, device + " " + v.v2} }
	t.add("BlkioWeightDevice", ctlIO, file, device, line(value), line(initial), w == 0)
}

// weightOfBlkio is the weight of v2's io.weight, 1 to 10000, for that of blkio, 10 to 1000: a straight line.
func weightOfBlkio(w uint16) int {
	if w < 10 {
		return 1
	}
	return 1 + (int(w)-10)*9999/990
}

func (t *translator) throttle(option, v1, v2 string, devices []specs.LinuxThrottleDevice) {
	for _, d := range devices {
		device := fmt.Sprintf("%d:%d", d.Major, d.Minor)
		rate := strconv.FormatUint(d.Rate, 10)
		t.add(option, ctlIO, names{"blkio.throttle." + v1 + "_device", "io.max"}, device+" "+v2,
			texts{device + " " + rate, device + " " + v2 + "=" + rate},
			texts{device + " 0", device + " " + v2 + "=max"}, d.Rate == 0)
	}
}
