//go:build linux

package image

import (
	"fmt"
	"os"
)

func (s *Store) blobPath(digest string) string { return s.path("blobs", "sha256", hexOf(digest)) }

// blob reads a configuration or manifest and verifies it.
func (s *Store) blob(digest string) ([]byte, error) {
	if !isDigest(digest) {
		return nil, fmt.Errorf("blob %q: not a digest", digest)
	}
	data, err := os.ReadFile(s.blobPath(digest))
	if err != nil {
		return nil, err
	}
	if got := digestOf(data); got != digest {
		return nil, fmt.Errorf("blob %s was changed on disk: its digest is %s", digest, got)
	}
	return data, nil
}

// putBlob keeps a configuration or manifest. The caller holds gc.lock, shared.
func (s *Store) putBlob(data []byte) (digest string, err error) {
	digest = digestOf(data)
	if _, err := s.blob(digest); err == nil {
		return digest, nil
	}
	return digest, s.write(s.blobPath(digest), data)
}
