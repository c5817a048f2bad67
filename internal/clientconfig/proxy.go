package clientconfig

// proxies is one entry of the key "proxies".
type proxies struct {
	HTTP  string `json:"httpProxy"`
	HTTPS string `json:"httpsProxy"`
	FTP   string `json:"ftpProxy"`
	No    string `json:"noProxy"`
	All   string `json:"allProxy"`
}

// ProxyEnv is the environment that containers get from the user's proxy
// settings for the engine at host (a canonical address as of package connect),
// else from the settings named "default"; nil when there are none. Each
// variable is there in upper and lower case, because programs disagree on which
// they read. all_proxy is Docker's (since 23); docker-py knows the other four.
func (c *Config) ProxyEnv(host string) (map[string]string, error) {
	var all map[string]*proxies
	if err := c.value("proxies", &all); err != nil {
		return nil, err
	}
	p := all[host]
	if p == nil {
		p = all["default"]
	}
	if p == nil {
		return nil, nil
	}
	env := make(map[string]string)
	for _, v := range []struct{ upper, lower, value string }{
		{"HTTP_PROXY", "http_proxy", p.HTTP},
		{"HTTPS_PROXY", "https_proxy", p.HTTPS},
		{"FTP_PROXY", "ftp_proxy", p.FTP},
		{"NO_PROXY", "no_proxy", p.No},
		{"ALL_PROXY", "all_proxy", p.All},
	} {
		if v.value != "" {
			env[v.upper] = v.value
			env[v.lower] = v.value
		}
	}
	if len(env) == 0 {
		return nil, nil
	}
	return env, nil
}
