// Package volume keeps volumes: directories that outlive containers.
//
// A volume is the directory ROOT/NAME with its files in data and what is known of it
// in volume.json. The one driver is local, with Docker's options type, device and o: such a
// volume is mounted on its data directory while containers use it ([Store.Mount]). The kernel gets the options as they are, but that
// the name of an NFS or SMB server becomes its address: there is no mount.nfs and no mount.cifs.
//
// The package does not know containers: who uses a volume is asked of the caller. It is for Linux only.
package volume
