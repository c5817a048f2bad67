// Package leftover finds and kills the processes of a container that has neither a PID
// namespace nor a cgroup of its own, so that its first process may leave others behind
// which the kernel does not end with it.
//
// They are known by the container's mount namespace, which no other container has, as long as somebody holds
// it; and by the upper directory of the root file system that they see, which names the container for ever.
// A process that has left both (which takes CAP_SYS_ADMIN in the container) is not found.
package leftover
