//go:build linux

package state

import (
	"bytes"
	"testing"
)

// What is read of a container.json is written and read the same.
func FuzzDecodeConfig(f *testing.F) {
	data, err := encodeConfig(testConfig("one"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	cfg := testConfig("one")
	cfg.Layers = diffIDs(2)
	if data, err = encodeConfig(cfg); err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"id":"x","spec":{"stopTimeout":"1s"},"imageVolumes":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := decodeConfig(data)
		if err != nil {
			return
		}
		first, err := encodeConfig(cfg)
		if err != nil {
			return // text that JSON cannot hold
		}
		again, err := decodeConfig(first)
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		if second, err := encodeConfig(again); err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s\n%s\n%v", first, second, err)
		}
	})
}
