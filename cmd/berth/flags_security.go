package main

// securityFlags are about privileges and namespaces.
func securityFlags() []specFlag {
	return []specFlag{
		{"privileged", "", "", "give the container all capabilities and devices", "Privileged", toggle(func(d *draft) *bool { return &d.spec.Privileged })},
		{"cap-add", "", "CAPABILITY", "capability to add", "CapAdd", texts(func(d *draft) *[]string { return &d.spec.CapAdd })},
		{"cap-drop", "", "CAPABILITY", "capability to drop", "CapDrop", texts(func(d *draft) *[]string { return &d.spec.CapDrop })},
		{"security-opt", "", "OPTION", "no-new-privileges, seccomp=…, apparmor=…, label=…, …", "SecurityOpt", texts(func(d *draft) *[]string { return &d.spec.SecurityOpt })},
		{"sysctl", "", "KEY=VALUE", "kernel parameter of the container's namespaces", "Sysctls", pairs(func(d *draft) *map[string]string { return &d.spec.Sysctls })},
		{"userns", "", "MODE", "user namespace: host, auto, keep-id, …", "UsernsMode", text(func(d *draft) *string { return &d.spec.UsernsMode })},
		{"pid", "", "MODE", "pid namespace: host, private, container:NAME", "PIDMode", text(func(d *draft) *string { return &d.spec.PIDMode })},
		{"ipc", "", "MODE", "IPC namespace: host, private, shareable, none, container:NAME", "IPCMode", text(func(d *draft) *string { return &d.spec.IPCMode })},
		{"uts", "", "MODE", "UTS namespace: host, private, container:NAME", "UTSMode", text(func(d *draft) *string { return &d.spec.UTSMode })},
		{"cgroupns", "", "MODE", "cgroup namespace: host, private", "CgroupNS", text(func(d *draft) *string { return &d.spec.CgroupNS })},
	}
}
