//go:build linux

package network

func play(role string) int { return 1 }
