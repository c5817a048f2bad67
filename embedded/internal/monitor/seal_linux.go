package monitor

type sealed struct{}

func (c *Client) closeSeal() error { return nil }
