// Package node holds files by descriptors, so that a container cannot put others in their place while they
// are read, and turns them into entries of a tar and back: what packages layer and files have in common.
//
// Whose the files are in the tar, which of them are in it and how overlay marks what was removed is theirs.
package node
