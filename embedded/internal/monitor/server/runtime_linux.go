package server

import "errors"

func (m *monitor) addInit(r *run) error { return errors.New("not implemented") }

func (m *monitor) startWithRuntime(r *run, s *streams) (*process, error) {
	return nil, errors.New("not implemented")
}
