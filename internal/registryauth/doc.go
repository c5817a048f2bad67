// Package registryauth finds the credentials for an image's registry where
// Docker and Podman keep them: auth.json, config.json, .dockercfg and
// credential helpers. It also splits image references.
//
// It stores nothing, logs nobody in and speaks to no registry.
package registryauth
