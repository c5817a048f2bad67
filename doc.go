// Package berth runs containers from Go programs.
package berth
