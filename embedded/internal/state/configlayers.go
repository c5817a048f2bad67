package state

import (
	"bytes"
	"slices"
)

// The layers of a container are the first member of its container.json: those of an image of many are most of the
// file, and a parser of JSON looks at each byte of it several times. Who reads the file as any other JSON finds them too.

const (
	layersStart = `{"layers":["`
	layersNext  = `","`
	layersEnd   = `"],`
	diffIDStart = "sha256:"
	diffIDSize  = len(diffIDStart) + 64
)

// canLead tells that layers can be written by putLayers: there are some, all of them digests as they are usually written.
func canLead(layers []string) bool {
	return len(layers) > 0 && !slices.ContainsFunc(layers, func(l string) bool { return !plainDiffID(l) })
}

// putLayers makes layers the first member of an object that has others.
func putLayers(layers []string, object []byte) []byte {
	out := make([]byte, 0, len(layersStart)+len(layers)*(diffIDSize+len(layersNext))+len(object)+1)
	sep := layersStart
	for _, l := range layers {
		out = append(append(out, sep...), l...)
		sep = layersNext
	}
	return append(append(out, layersEnd...), object[1:]...)
}

// cutLayers takes away what putLayers has put. In anything else it finds no layers, and object is data as it was.
func cutLayers(data []byte) (layers []string, object []byte) {
	rest, ok := bytes.CutPrefix(data, []byte(layersStart))
	if !ok {
		return nil, data
	}
	const step = diffIDSize + len(layersNext) // which is as long as layersEnd
	n := 1
	for ; ; n++ {
		if len(rest) < n*step || !plainDiffID(string(rest[(n-1)*step:][:diffIDSize])) {
			return nil, data
		}
		if after := string(rest[n*step-len(layersNext) : n*step]); after == layersEnd {
			break
		} else if after != layersNext {
			return nil, data
		}
	}
	names := string(rest[:n*step]) // one piece of memory for all
	layers = make([]string, n)
	for i := range layers {
		layers[i] = names[i*step:][:diffIDSize]
	}
	return layers, append([]byte("{"), rest[n*step:]...)
}

// plainDiffID tells a SHA-256 digest in small letters.
func plainDiffID(s string) bool {
	return len(s) == diffIDSize && s[:len(diffIDStart)] == diffIDStart && isHex(s[len(diffIDStart):])
}
