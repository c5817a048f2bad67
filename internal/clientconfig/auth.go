package clientconfig

// Auth is one entry of the key "auths": credentials kept in the file itself.
type Auth struct {
	Auth          string `json:"auth"` // base64 of "user:password"
	Username      string `json:"username"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

// Auths are the credentials kept in the file, by registry key.
func (c *Config) Auths() (map[string]Auth, error) {
	var m map[string]Auth
	err := c.value("auths", &m)
	return m, err
}

// CredsStore is the suffix of the credential helper for every registry that
// CredHelpers does not name, "" for none.
func (c *Config) CredsStore() (string, error) {
	var s string
	err := c.value("credsStore", &s)
	return s, err
}

// CredHelpers are suffixes of credential helpers by registry key. An empty
// suffix means the file itself.
func (c *Config) CredHelpers() (map[string]string, error) {
	var m map[string]string
	err := c.value("credHelpers", &m)
	return m, err
}
