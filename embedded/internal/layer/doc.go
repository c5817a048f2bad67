// Package layer turns the tar of an image's layer into a directory that overlayfs
// takes as a lower directory, and back.
//
// [Apply] unpacks a tar; nothing in it can reach what is outside of the
// directory: see tree.go. [Replay] gives the same tar again, byte for byte, from
// the directory and the journal that Apply wrote. [Diff] is the tar of what a
// container has changed, its overlay upper directory, and [Changes] the list of it.
//
// It knows nothing of images, digests of compressed layers, or registries, and it
// mounts nothing. It is for Linux only.
package layer
