package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/berthdev/berth"
)

// storageFlags are about files: mounts, devices, the root file system.
func storageFlags() []specFlag {
	mounts := func(d *draft) *[]berth.Mount { return &d.spec.Mounts }
	return []specFlag{
		{"volume", "v", "[SOURCE:]TARGET[:OPTIONS]", "directory of the engine's host, or volume, to mount", "Mounts", parsedList(berth.ParseMount, mounts)},
		{"mount", "", "type=TYPE,KEY=VALUE…", "mount in detail: type, src, dst, readonly, …", "Mounts", parsedList(berth.ParseMountFlag, mounts)},
		{"tmpfs", "", "TARGET[:OPTIONS]", "memory to mount: size=64m, mode=1777, ro, …", "Mounts", parsedList(parseTmpfs, mounts)},
		{"volumes-from", "", "CONTAINER[:OPTIONS]", "container whose volumes to mount", "VolumesFrom", texts(func(d *draft) *[]string { return &d.spec.VolumesFrom })},
		{"volume-driver", "", "DRIVER", "driver of the volumes that are created", "VolumeDriver", text(func(d *draft) *string { return &d.spec.VolumeDriver })},
		{"storage-opt", "", "KEY=VALUE", "option of the storage driver", "StorageOpt", pairs(func(d *draft) *map[string]string { return &d.spec.StorageOpt })},
		{"shm-size", "", "SIZE", "size of /dev/shm", "ShmSize", size(func(d *draft) *berth.Bytes { return &d.spec.ShmSize })},
		{"read-only", "", "", "make the root file system read-only", "ReadOnly", toggle(func(d *draft) *bool { return &d.spec.ReadOnly })},
		{"read-only-tmpfs", "", "", "writable /run, /tmp and /var/tmp of a read-only container (Podman)", "ReadWriteTmpfs", optional(func(d *draft) **bool { return &d.spec.ReadWriteTmpfs })},
		{"device", "", "PATH[:PATH][:rwm]", "device of the engine's host, or a CDI name", "Devices", func(d *draft, s string) error {
			if isCDI(s) {
				d.spec.CDIDevices = append(d.spec.CDIDevices, s)
				return nil
			}
			dev, err := berth.ParseDevice(s)
			d.spec.Devices = append(d.spec.Devices, dev)
			return err
		}},
		{"device-cgroup-rule", "", "RULE", "rule for devices, such as \"c 13:* rwm\"", "DeviceCgroupRules", texts(func(d *draft) *[]string { return &d.spec.DeviceCgroupRules })},
		{"gpus", "", "GPUS", "GPUs: all, a number, or device=ID", "DeviceRequests", parsedList(berth.ParseGPUs, func(d *draft) *[]berth.DeviceRequest { return &d.spec.DeviceRequests })},
	}
}

// isCDI tells a CDI name (vendor.com/class=name) from a path.
func isCDI(s string) bool { return !strings.HasPrefix(s, "/") && strings.Contains(s, "=") }

// parseTmpfs reads a mount in the form of docker run --tmpfs: TARGET[:OPTION[,OPTION]…].
func parseTmpfs(s string) (berth.Mount, error) {
	target, options, _ := strings.Cut(s, ":")
	if target == "" {
		return berth.Mount{}, errors.New("the target is missing")
	}
	m := berth.Tmpfs(target)
	if options == "" {
		return m, nil
	}
	for option := range strings.SplitSeq(options, ",") {
		key, value, _ := strings.Cut(option, "=")
		switch key {
		case "":
			return m, errors.New("an option is empty")
		case "ro", "rw":
			m.ReadOnly = key == "ro"
		case "size":
			n, err := berth.ParseBytes(value)
			if err != nil {
				return m, err
			}
			m.Size = n
		case "mode":
			mode, err := strconv.ParseUint(value, 8, 32)
			if err != nil || mode&^0o7777 != 0 {
				return m, fmt.Errorf("mode %q is not octal", value)
			}
			m.Mode = new(fs.FileMode(mode))
		default:
			m.Options = append(m.Options, option)
		}
	}
	return m, nil
}

// hasType tells whether a list of comma-separated options has type=name.
func hasType(s, name string) bool {
	for option := range strings.SplitSeq(s, ",") {
		if option == "type="+name {
			return true
		}
	}
	return false
}
