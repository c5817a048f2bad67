//go:build linux

package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func diffIDs(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("sha256:%064x", i+1))
	}
	return all
}

// TestConfigLayers: layers come back as they were, those of any JSON too, and any reader of JSON finds them.
func TestConfigLayers(t *testing.T) {
	odd := func(s string) []string { return append(diffIDs(2), s) }
	for name, layers := range map[string][]string{
		"nil": nil, "empty": {}, "one": diffIDs(1), "many": diffIDs(500),
		"another digest": odd("sha512:" + strings.Repeat("a", 128)), "a quote": odd("sha256:" + strings.Repeat("a", 63) + `"`),
		"capitals": odd("sha256:" + strings.Repeat("A", 64)), "short": odd("sha256:12"), "no name": odd(""), "no kind": odd(strings.Repeat("a", 71)),
	} {
		t.Run(name, func(t *testing.T) {
			c := testConfig("one")
			c.Layers = layers
			data, err := encodeConfig(c)
			if err != nil {
				t.Fatal(err)
			}
			var text struct{ Layers []string }
			if err := json.Unmarshal(data, &text); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(layers, text.Layers); diff != "" {
				t.Errorf("as JSON (-want +got):\n%s", diff)
			}
			// As earlier programs wrote it: among the other members.
			var all map[string]json.RawMessage
			if err := json.Unmarshal(data, &all); err != nil {
				t.Fatal(err)
			}
			sorted, err := json.Marshal(all)
			if err != nil {
				t.Fatal(err)
			}
			var indented bytes.Buffer
			if err := json.Indent(&indented, data, "", " "); err != nil {
				t.Fatal(err)
			}
			for _, form := range [][]byte{data, sorted, indented.Bytes()} {
				was := bytes.Clone(form)
				got, err := decodeConfig(form)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(layers, got.Layers); diff != "" || got.ID != c.ID || got.Name != "one" || got.Spec.Image != c.Spec.Image {
					t.Errorf("%s:\n(-want +got):\n%s", form, diff)
				}
				if !bytes.Equal(was, form) {
					t.Errorf("reading changed %s into %s", was, form)
				}
			}
		})
	}
}

// TestCutLayersShort: what ends too early is no configuration.
func TestCutLayersShort(t *testing.T) {
	c := testConfig("one")
	c.Layers = diffIDs(2)
	data, err := encodeConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(data) - 1 {
		if c, err := decodeConfig(data[:n]); err == nil && !json.Valid(data[:n]) {
			t.Fatalf("%s is read as %+v", data[:n], c)
		}
	}
}
