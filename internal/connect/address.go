package connect

import (
	"net"
	"net/url"
	"strings"
)

// The schemes of an Address. SchemeEngine marks an engine's name.
const (
	SchemeUnix   = "unix"
	SchemeNpipe  = "npipe"
	SchemeTCP    = "tcp"
	SchemeHTTP   = "http"
	SchemeHTTPS  = "https"
	SchemeSSH    = "ssh"
	SchemeEngine = "engine"
)

// Docker's own default addresses.
const (
	defaultSocket = "/var/run/docker.sock"
	defaultPipe   = "//./pipe/docker_engine"
)

// Address is a parsed engine address. Two addresses are the same place if they
// are equal.
type Address struct {
	// Scheme is one of the Scheme constants.
	Scheme string
	// Engine is the name, for SchemeEngine.
	Engine string
	// User is the ssh user, "" for ssh's own choice.
	User string
	// Host is a name or an IP address without brackets, "" for unix and npipe.
	Host string
	// Port is decimal; "" for ssh's own choice, and for unix and npipe.
	Port string
	// Path is the socket for unix and ssh (ssh: "" for the engine's default),
	// the pipe (//./pipe/x) for npipe, and for tcp, http and https the prefix
	// of every request, "" or starting with a slash.
	Path string
}

// HostPort is the address to dial over TCP.
func (a Address) HostPort() string { return net.JoinHostPort(a.Host, a.Port) }

// String is the canonical form, which ParseHost reads back to the same Address.
func (a Address) String() string {
	switch a.Scheme {
	case "":
		return ""
	case SchemeEngine:
		return a.Engine
	case SchemeUnix:
		return "unix://" + a.Path
	case SchemeNpipe:
		return "npipe://" + a.Path
	}
	var b strings.Builder
	b.WriteString(a.Scheme + "://")
	if a.User != "" {
		b.WriteString(url.User(a.User).String() + "@")
	}
	host := strings.ReplaceAll(a.Host, "%", "%25") // an IPv6 zone
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	b.WriteString(host)
	if a.Port != "" {
		b.WriteString(":" + a.Port)
	}
	b.WriteString(a.Path)
	return b.String()
}
