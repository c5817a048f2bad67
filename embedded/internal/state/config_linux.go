package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Config reads container.json. The result is the caller's own.
func (s *Store) Config(id string) (*Config, error) {
	data, err := s.read(id, configFile)
	if err != nil {
		return nil, err
	}
	cfg, err := decodeConfig(data)
	if err != nil {
		return nil, fmt.Errorf("read configuration of container %s: %w", id, err)
	}
	return cfg, nil
}

// Peek is Config for readers: its result is shared, and nobody changes it.
func (s *Store) Peek(id string) (*Config, error) {
	if !validID(id) {
		return nil, notFound("find container", id)
	}
	return s.cachedConfig(id)
}

// WriteConfig replaces container.json. The caller holds the container's lock.
func (s *Store) WriteConfig(cfg *Config) error {
	data, err := encodeConfig(cfg)
	if err == nil {
		err = s.replace(s.Dir(cfg.ID), configFile, data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write configuration of container %s: %w", cfg.ID, err)
	}
	return nil
}

// OCI reads config.json.
func (s *Store) OCI(id string) (*specs.Spec, error) {
	data, err := s.read(id, ociFile)
	if err != nil {
		return nil, err
	}
	oci, err := decodeOCI(data)
	if err != nil {
		return nil, fmt.Errorf("read runtime configuration of container %s: %w", id, err)
	}
	return oci, nil
}

// WriteOCI replaces config.json. The caller holds the container's lock.
func (s *Store) WriteOCI(id string, oci *specs.Spec) error {
	if err := s.replaceJSON(s.Dir(id), ociFile, oci); err != nil {
		return fmt.Errorf("write runtime configuration of container %s: %w", id, err)
	}
	return nil
}

// read reads a file that every container has. Without the container it is engine.ErrNotFound.
func (s *Store) read(id, name string) ([]byte, error) {
	if !validID(id) {
		return nil, notFound("find container", id)
	}
	data, err := os.ReadFile(filepath.Join(s.Dir(id), name))
	if errors.Is(err, fs.ErrNotExist) && !exists(s.Dir(id)) {
		return nil, notFound("find container", id)
	}
	if err != nil {
		return nil, fmt.Errorf("read container %s: %w", id, err)
	}
	return data, nil
}

// cachedConfig is Config for readers: its result is shared.
func (s *Store) cachedConfig(id string) (*Config, error) {
	cfg, err := cachedFile(s, &s.cache.configs, id, configFile, func(data []byte) (*Config, error) {
		cfg, err := decodeConfig(data)
		if err == nil && cfg.ID != id {
			err = fmt.Errorf("it is that of %q", cfg.ID)
		}
		if err != nil {
			err = fmt.Errorf("read configuration of container %s: %w", id, err)
		}
		return cfg, err
	})
	var pathErr *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist) && !exists(s.Dir(id)):
		return nil, notFound("find container", id)
	case errors.As(err, &pathErr):
		return nil, fmt.Errorf("read container %s: %w", id, err)
	}
	return cfg, err
}

// cachedExit is ReadExit for readers: its result is shared.
func (s *Store) cachedExit(id string) (*Exit, error) {
	exit, err := cachedFile(s, &s.cache.exits, id, exitFile, func(data []byte) (*Exit, error) {
		exit := &Exit{}
		if err := json.Unmarshal(data, exit); err != nil {
			return nil, fmt.Errorf("read %s: %w", filepath.Join(s.Dir(id), exitFile), err)
		}
		return exit, nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return exit, err
}

// cachedFile is what a file of a container holds, which is read and decoded where m does not have this version of it.
func cachedFile[T any](s *Store, m *map[string]cached[T], id, name string, decode func([]byte) (*T, error)) (*T, error) {
	path := s.Dir(id) + "/" + name
	s.cache.mu.Lock()
	e := (*m)[id]
	s.cache.mu.Unlock()
	if e.is(path) {
		return e.v, nil
	}
	data, at, err := readVersion(path)
	if err != nil {
		return nil, err
	}
	v := e.v
	if !e.holds(data) {
		if v, err = decode(data); err != nil {
			return nil, err
		}
	}
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	keep(m, id, v, at, data)
	return v, nil
}
