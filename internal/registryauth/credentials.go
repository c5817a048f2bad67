package registryauth

import (
	"encoding/base64"
	"encoding/json"
)

// Credentials are what an engine sends to a registry for us. The JSON form is
// that of the X-Registry-Auth header. The zero value is anonymous.
type Credentials struct {
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	// IdentityToken is exchanged for an access token; it stands for the
	// password.
	IdentityToken string `json:"identitytoken,omitempty"`
	// RegistryToken is a bearer token sent as it is.
	RegistryToken string `json:"registrytoken,omitempty"`
	// ServerAddress is the registry's host, for Docker Hub its old URL.
	ServerAddress string `json:"serveraddress,omitempty"`
}

// Header is the value of X-Registry-Auth: base64 in the URL alphabet, padded,
// of the JSON form. Anonymous credentials give that of "{}".
func (c Credentials) Header() string {
	data, _ := json.Marshal(c) // strings only: cannot fail
	return base64.URLEncoding.EncodeToString(data)
}

// String shows whose credentials they are and none of the secrets.
func (c Credentials) String() string {
	kind := "anonymous"
	switch {
	case c.RegistryToken != "":
		kind = "registry token"
	case c.IdentityToken != "":
		kind = "identity token"
	case c.Username != "" || c.Password != "":
		kind = "user " + c.Username
	}
	return kind + " at " + c.ServerAddress
}

// GoString keeps %#v from showing secrets.
func (c Credentials) GoString() string { return "registryauth.Credentials(" + c.String() + ")" }

// empty tells whether there is nothing to send: docker leaves such entries in
// "auths" for what a credential helper keeps.
func (c Credentials) empty() bool {
	return c.Username == "" && c.Password == "" && c.IdentityToken == "" && c.RegistryToken == ""
}
