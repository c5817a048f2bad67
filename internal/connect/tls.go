package connect

import "crypto/tls"

// TLSFiles says where the parts of a TLS client configuration are. Of each part
// at most one form is set: the file's name or its PEM content.
type TLSFiles struct {
	CA, Cert, Key          string
	CAPEM, CertPEM, KeyPEM []byte
	// SkipVerify accepts any server certificate.
	SkipVerify bool
	// ServerName is the name that the certificate must have, "" for the host's.
	ServerName string
}

// Config reads the files. Its errors name the file.
func (t *TLSFiles) Config() (*tls.Config, error) {
	return nil, nil
}
