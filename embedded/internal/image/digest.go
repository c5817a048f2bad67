//go:build linux

package image

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strings"
)

const sha256Prefix = "sha256:"

// isDigest tells whether s is sha256: with 64 lower-case hexadecimal digits. It is
// the only form that the store makes file names of.
func isDigest(s string) bool {
	rest, ok := strings.CutPrefix(s, sha256Prefix)
	return ok && len(rest) == 64 && isHex(rest)
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return sha256Prefix + hex.EncodeToString(sum[:])
}

func sumOf(h hash.Hash) string { return sha256Prefix + hex.EncodeToString(h.Sum(nil)) }

// hexOf is a digest without its algorithm.
func hexOf(digest string) string { return strings.TrimPrefix(digest, sha256Prefix) }
