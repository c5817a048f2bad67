package rig

import (
	"os"
	"testing"
)

// ShortDir is t.TempDir with a name that is short enough for a unix socket in it.
func ShortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "berth")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the test's directory: %v", err)
		}
	})
	return dir
}

// WriteFile writes a file of the test.
func WriteFile(t testing.TB, name string, data []byte, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, data, mode); err != nil {
		t.Fatal(err)
	}
}

// NoEnvironment unsets every variable by which an engine could be chosen, and
// makes an empty home, so that the test alone decides. It returns the home.
func NoEnvironment(t *testing.T) string {
	t.Helper()
	for _, key := range []string{
		"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION", "DOCKER_CONFIG", "DOCKER_AUTH_CONFIG",
		"CONTAINER_HOST", "CONTAINER_CONNECTION", "CONTAINER_SSHKEY", "CONTAINERS_CONF", "CONTAINERS_CONF_OVERRIDE", "PODMAN_CONNECTIONS_CONF",
		"XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "COLIMA_HOME", "REGISTRY_AUTH_FILE",
	} {
		t.Setenv(key, "") // for the end of the test
		os.Unsetenv(key)
	}
	home := ShortDir(t)
	t.Setenv("HOME", home)
	return home
}
