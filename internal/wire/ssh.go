package wire

import (
	"context"
	"net"
)

// SSHConfig says how an SSH reaches its host.
type SSHConfig struct {
	User, Host   string
	Port         string
	SocketPath   string   // remote unix socket to forward; empty uses DialStdio
	Binary       string   // default "ssh"
	ExtraArgs    []string // before the destination
	Interactive  bool     // lets ssh ask for passwords and host keys
	DialStdio    []string // remote command; default tries docker, then podman
	IdentityFile string
}

// SSH dials through the user's ssh.
type SSH struct{}

func NewSSH(cfg SSHConfig) (*SSH, error)                  { panic("not yet") }
func (s *SSH) Dial(ctx context.Context) (net.Conn, error) { panic("not yet") }
func (s *SSH) Close() error                               { panic("not yet") }
