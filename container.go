package berth

// Container is a handle of a container.
type Container struct {
	cli *Client
	id  string
}

// ID is the container's full ID.
func (c *Container) ID() string { return c.id }
