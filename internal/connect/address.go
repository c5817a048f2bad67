package connect

// Address is a parsed engine address.
type Address struct {
	// Scheme is unix, npipe, tcp, http, https, ssh, or "engine" for a name.
	Scheme string
	// Engine is the name, for Scheme "engine".
	Engine string
	// User is the ssh user, "" for ssh's own choice.
	User string
	// Host is a name or an IP address without brackets, "" for unix and npipe.
	Host string
	// Port is decimal, "" for ssh's own choice (unix, npipe: "").
	Port string
	// Path is the socket for unix and ssh (ssh: "" for the default), the pipe
	// (//./pipe/x) for npipe, the prefix of every request for tcp, http and https.
	Path string
}

// ParseHost parses what DOCKER_HOST, CONTAINER_HOST and WithHost may hold.
func ParseHost(s string, goos string) (Address, error) {
	return Address{}, nil
}

// String is the canonical form.
func (a Address) String() string { return "" }
