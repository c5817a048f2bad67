// Package top lists processes as ps(1) does, from /proc, without a program of the
// host or of the image.
//
// It knows the options of procps' ps that choose columns (-f, u, -o and their
// like); those that choose processes mean nothing, since the processes are given. An option or
// column that it does not know is an *engine.UnsupportedError.
package top
