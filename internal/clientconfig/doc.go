// Package clientconfig reads what a user has told the docker command in
// ~/.docker/config.json: extra HTTP headers, proxies for containers, detach
// keys, the current context and where registry credentials are kept. It also
// defines Env, the view of the process's surroundings that this package,
// internal/connect and internal/registryauth are functions of.
//
// It is not a configuration of Berth, writes nothing, and keeps nothing between
// calls. A file that cannot be read or parsed is an error only for the caller
// that asks for a value from it.
package clientconfig
