//go:build berth_nofork || !(amd64 || arm64)

package launch

func (c *child) sharable() bool { return false }

func (c *child) startShared(m *machine) (*Process, error) {
	panic("launch: built without fork")
}
