package engine

import (
	"encoding/json"
	"io/fs"
)

type plainMount Mount

type mountJSON struct {
	*plainMount
	Mode *octalText `json:"mode,omitzero"`
}

// MarshalJSON writes Mode as octal text.
func (m Mount) MarshalJSON() ([]byte, error) {
	return json.Marshal(mountJSON{(*plainMount)(&m), (*octalText)(m.Mode)})
}

// UnmarshalJSON reads Mode as octal text and as a number. An unknown member is an InvalidError.
func (m *Mount) UnmarshalJSON(data []byte) error {
	j := mountJSON{(*plainMount)(m), (*octalText)(m.Mode)}
	if err := unmarshalStrict(data, "Mount", &j); err != nil {
		return err
	}
	m.Mode = (*fs.FileMode)(j.Mode)
	return nil
}

type plainSecretMount SecretMount

type secretMountJSON struct {
	*plainSecretMount
	Mode *octalText `json:"mode,omitzero"`
}

// MarshalJSON writes Mode as octal text.
func (m SecretMount) MarshalJSON() ([]byte, error) {
	return json.Marshal(secretMountJSON{(*plainSecretMount)(&m), (*octalText)(m.Mode)})
}

// UnmarshalJSON reads Mode as octal text and as a number. An unknown member is an InvalidError.
func (m *SecretMount) UnmarshalJSON(data []byte) error {
	j := secretMountJSON{(*plainSecretMount)(m), (*octalText)(m.Mode)}
	if err := unmarshalStrict(data, "SecretMount", &j); err != nil {
		return err
	}
	m.Mode = (*uint32)(j.Mode)
	return nil
}
