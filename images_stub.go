package berth

import "context"

// Image is a handle of an image.
type Image struct {
	cli *Client
	id  string
}

// Get looks an image up.
func (s *Images) Get(ctx context.Context, ref string) (*Image, error) {
	return &Image{s.cli, ref}, nil
}
