//go:build linux

package image

import (
	"encoding/json"
	"time"

	"github.com/berthdev/berth/engine"
)

// Inspect tells about an image.
func (s *Store) Inspect(ref string) (*engine.ImageAttrs, error) {
	x, id, err := s.lookUp("inspect image", ref)
	if err != nil {
		return nil, err
	}
	img, err := s.image(x, id)
	if err != nil {
		return nil, err
	}
	a := &engine.ImageAttrs{
		ID:           img.ID,
		RepoTags:     familiar(img.Names),
		RepoDigests:  familiar(img.Digests),
		Parent:       img.Parent,
		Comment:      img.comment(),
		Author:       img.Config.Author,
		Created:      timeOf(img.Config.Created),
		OS:           img.Config.OS,
		Architecture: img.Config.Architecture,
		Variant:      img.Config.Variant,
		Size:         engine.Bytes(x.Images[id].Size),
		Config:       img.Neutral(),
		Layers:       img.DiffIDs,
	}
	a.Raw, err = rawInspect(a, &img.Config.Config, x.Images[id].Tagged)
	return a, err
}

// comment is Docker's, else that of the last step, as Podman has it.
func (i *Image) comment() string {
	if i.Config.Comment != "" || len(i.Config.History) == 0 {
		return i.Config.Comment
	}
	return i.Config.History[len(i.Config.History)-1].Comment
}

func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// rawInspect is the answer in the shape of Docker's API.
func rawInspect(a *engine.ImageAttrs, c *ContainerConfig, tagged time.Time) (json.RawMessage, error) {
	return json.Marshal(struct {
		ID           string `json:"Id"`
		RepoTags     []string
		RepoDigests  []string
		Parent       string
		Comment      string
		Created      time.Time
		Author       string
		Config       *ContainerConfig
		Architecture string
		Variant      string `json:",omitempty"`
		OS           string `json:"Os"`
		Size         int64
		RootFS       struct {
			Type   string
			Layers []string
		}
		Metadata struct{ LastTagTime time.Time }
	}{
		a.ID, a.RepoTags, a.RepoDigests, a.Parent, a.Comment, a.Created, a.Author, c, a.Architecture, a.Variant, a.OS, int64(a.Size),
		struct {
			Type   string
			Layers []string
		}{"layers", a.Layers},
		struct{ LastTagTime time.Time }{tagged},
	})
}

// History lists the steps of an image's making, the newest first. Only the newest
// has an ID. A step that made a layer has its size.
func (s *Store) History(ref string) ([]engine.HistoryEntry, error) {
	img, err := s.Resolve(ref)
	if err != nil {
		return nil, err
	}
	steps := img.Config.History
	if len(steps) == 0 { // not told: one step a layer
		steps = make([]History, max(1, len(img.DiffIDs)))
		for i := range steps {
			steps[i] = History{Created: img.Config.Created, EmptyLayer: len(img.DiffIDs) == 0}
		}
	}
	out := make([]engine.HistoryEntry, len(steps))
	layer := 0
	for i, h := range steps {
		e := engine.HistoryEntry{Created: timeOf(h.Created), CreatedBy: h.CreatedBy, Comment: h.Comment}
		if !h.EmptyLayer && layer < len(img.DiffIDs) {
			size, err := s.sizeOf(img.DiffIDs[layer : layer+1])
			if err != nil {
				return nil, err
			}
			e.Size = engine.Bytes(size)
			layer++
		}
		out[len(steps)-1-i] = e
	}
	out[0].ID, out[0].Tags = img.ID, familiar(img.Names)
	return out, nil
}
