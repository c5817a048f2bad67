package enginetest

import (
	"bytes"
	"context"
	"os"
	"path/filepath"

	"github.com/berthdev/berth"
)

// hostDir makes a directory on the engine's host, which need not be this
// machine's file system, and removes it with the case. It is reached through a container.
func (t *T) hostDir() string {
	t.Helper()
	name := t.NewName()
	spec := t.Spec()
	spec.Mounts = []berth.Mount{berth.Bind("/var/tmp", "/h")}
	t.Sh(spec, "mkdir /h/"+name)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		spec.Command = []string{"rm", "-rf", "/h/" + name}
		if _, err := t.Client().Containers.Run(ctx, spec); err != nil {
			t.Errorf("remove the host directory: %v", err)
		}
	})
	return "/var/tmp/" + name
}

// hostFile puts a file on the engine's host and returns its path there.
func (t *T) hostFile(name, content string) string {
	t.Helper()
	dir := t.hostDir()
	t.writeHost(dir, name, content)
	return dir + "/" + name
}

// writeHost writes a file into a directory of the engine's host.
func (t *T) writeHost(dir, name, content string) {
	t.Helper()
	spec := t.Spec("sh", "-c", "cat >/h/"+name)
	spec.Mounts = []berth.Mount{berth.Bind(dir, "/h")}
	_, err := t.Client().Containers.Run(t.Context(), spec, berth.RunOptions{Stdin: bytes.NewBufferString(content)})
	t.Check(err, "write %s/%s", dir, name)
}

// engineFile puts a file where this engine reads files that options name: the client's machine for Docker, whose API
// takes the content, the engine's host for the others.
func (t *T) engineFile(name, content string) string {
	t.Helper()
	if t.Kind() == "podman" {
		return t.hostFile(name, content)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// volume makes a volume and removes it with the case.
func (t *T) volume(opts berth.VolumeCreateOptions) string {
	t.Helper()
	if opts.Name == "" {
		opts.Name = t.NewName()
	}
	opts.Labels = t.Labels()
	v, err := t.Client().Volumes.Create(t.Context(), opts)
	t.Check(err, "create volume")
	t.removeVolumeLater(v.Name())
	return v.Name()
}

func (t *T) removeVolumeLater(name string) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		v, err := t.Client().Volumes.Get(ctx, name)
		if err == nil {
			err = v.Remove(ctx, berth.VolumeRemoveOptions{Force: true})
		}
		if err != nil {
			t.Errorf("remove volume %s: %v", name, err)
		}
	})
}

// network makes a network and removes it with the case.
func (t *T) network(opts berth.NetworkCreateOptions) *berth.Network {
	t.Helper()
	if opts.Name == "" {
		opts.Name = t.NewName()
	}
	opts.Labels = t.Labels()
	n, err := t.Client().Networks.Create(t.Context(), opts)
	t.Check(err, "create network")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := n.Remove(ctx); err != nil {
			t.Errorf("remove network %s: %v", n.Name(), err)
		}
	})
	return n
}

// secret makes a secret and removes it with the case.
func (t *T) secret(data string) string {
	t.Helper()
	s, err := t.Client().Secrets.Create(t.Context(), t.NewName(), []byte(data))
	t.Check(err, "create secret")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Remove(ctx); err != nil {
			t.Errorf("remove secret: %v", err)
		}
	})
	return s.Name()
}
