package registryauth

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/berthdev/berth/internal/clientconfig"
)

// decodeEntry makes credentials of an entry of "auths". "auth" is the base64 of
// user:password and wins over the two fields in clear; the base64 may lack its
// padding, and the password may be followed by NULs, as docker's decoder allows.
func decodeEntry(e clientconfig.Auth, server string) (Credentials, error) {
	c := Credentials{
		Username:      e.Username,
		Password:      e.Password,
		IdentityToken: e.IdentityToken,
		RegistryToken: e.RegistryToken,
		ServerAddress: server,
	}
	text := strings.TrimRight(strings.TrimSpace(e.Auth), "=")
	if text == "" {
		return c, nil
	}
	data, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return Credentials{}, fmt.Errorf("decode auth: not base64") // err quotes nothing, but say no more
	}
	user, password, ok := strings.Cut(string(data), ":")
	if !ok || user == "" && e.IdentityToken == "" {
		return Credentials{}, fmt.Errorf("decode auth: not user:password")
	}
	c.Username, c.Password = user, strings.TrimRight(password, "\x00")
	return c, nil
}
