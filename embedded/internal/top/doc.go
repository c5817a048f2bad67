// Package top lists processes as ps(1) does, from /proc, without a program of the
// host or of the image.
package top
