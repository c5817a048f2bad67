package connect

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLSFiles says where the parts of a TLS client configuration are. Of each part
// at most one form is set: the file's name or its PEM content. The zero value
// verifies the server against the system's roots and shows no certificate.
type TLSFiles struct {
	// CA, Cert and Key are names of PEM files: the authorities that may have
	// signed the server's certificate, our certificate and its key.
	CA, Cert, Key string
	// CAPEM, CertPEM and KeyPEM are the same as content.
	CAPEM, CertPEM, KeyPEM []byte
	// SkipVerify accepts any server certificate. CA is then not read.
	SkipVerify bool
	// ServerName is the name that the certificate must have, "" for the host's.
	ServerName string
}

// Config reads the files and makes the configuration. It is called once for
// each client, so that files may change between clients. Its errors name the
// file.
func (t *TLSFiles) Config() (*tls.Config, error) {
	c := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         t.ServerName,
		InsecureSkipVerify: t.SkipVerify,
	}
	if !t.SkipVerify {
		if err := t.roots(c); err != nil {
			return nil, err
		}
	}
	if err := t.certificate(c); err != nil {
		return nil, err
	}
	return c, nil
}

// roots sets the authorities.
func (t *TLSFiles) roots(c *tls.Config) error {
	pem, name, err := part("CA certificate", t.CA, t.CAPEM)
	if err != nil || pem == nil {
		return err
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("read TLS CA certificate %s: no PEM certificate in it", name)
	}
	return nil
}

// certificate sets our own certificate.
func (t *TLSFiles) certificate(c *tls.Config) error {
	cert, certName, err := part("certificate", t.Cert, t.CertPEM)
	if err != nil {
		return err
	}
	key, keyName, err := part("key", t.Key, t.KeyPEM)
	if err != nil {
		return err
	}
	switch {
	case cert == nil && key == nil:
		return nil
	case key == nil:
		return fmt.Errorf("read TLS certificate %s: it has no key beside it", certName)
	case cert == nil:
		return fmt.Errorf("read TLS key %s: it has no certificate beside it", keyName)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("read TLS certificate %s and key %s: %w", certName, keyName, err)
	}
	c.Certificates = []tls.Certificate{pair}
	return nil
}

// part is one part's content, nil when it is not set, and a name for messages.
func part(what, file string, content []byte) (pem []byte, name string, err error) {
	if file == "" {
		return content, "(given as PEM)", nil
	}
	if content != nil {
		return nil, "", fmt.Errorf("read TLS %s %s: given as a file and as PEM", what, file)
	}
	pem, err = os.ReadFile(file)
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return nil, "", fmt.Errorf("read TLS %s %s: %w", what, file, pe.Err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read TLS %s %s: %w", what, file, err)
	}
	if pem == nil {
		pem = []byte{}
	}
	return pem, file, nil
}
