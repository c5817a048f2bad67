package registryauth

import (
	"encoding/base64"
	"encoding/json"
)

// Credentials are what an engine sends to a registry for us. The JSON form is
// that of the X-Registry-Auth header.
type Credentials struct {
	Username      string `json:"username,omitempty"`
	Password      string `json:"password,omitempty"`
	IdentityToken string `json:"identitytoken,omitempty"`
	RegistryToken string `json:"registrytoken,omitempty"`
	ServerAddress string `json:"serveraddress,omitempty"`
}

// Header is the value of X-Registry-Auth: base64 in the URL alphabet, padded,
// of the JSON form.
func (c Credentials) Header() string {
	data, _ := json.Marshal(c) // strings only: cannot fail
	return base64.URLEncoding.EncodeToString(data)
}
