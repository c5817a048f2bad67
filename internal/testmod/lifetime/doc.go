// Package lifetime holds tests of what the embedded engine's containers outlive and
// what they leave: programs that end or are killed, monitors that are killed, reboots, several
// programs with one state directory, disks that are full, kernels that lack something.
//
// They need root, overlay and a static busybox, and run when BERTH_EMBEDDED is 1, in
// namespaces of their own. BERTH_SEED repeats a run with other moments than the usual ones;
// BERTH_SOAK=1 adds the long cases.
package lifetime
