package connect

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// issue makes a certificate and its key as PEM, signed by parent or by itself.
func issue(t *testing.T, name string, parent *tls.Certificate) (cert, key []byte, pair *tls.Certificate) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		DNSNames:              []string{name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  parent == nil,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	by, signer := template, any(private)
	if parent != nil {
		by, signer = parent.Leaf, parent.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by, &private.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	der2, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der2})
	made, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key, &made
}

// handshake has client meet a server that demands a certificate of ca's.
func handshake(t *testing.T, client *tls.Config, server *tls.Certificate, ca []byte) error {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	done := make(chan error, 1)
	go func() {
		s := tls.Server(b, &tls.Config{Certificates: []tls.Certificate{*server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool})
		_, err := s.Write([]byte("x"))
		b.Close()
		done <- err
	}()
	c := tls.Client(a, client)
	_, err := c.Read(make([]byte, 1))
	a.Close()
	return errors.Join(err, <-done)
}

func TestTLSConfig(t *testing.T) {
	ca, _, authority := issue(t, "authority", nil)
	_, _, server := issue(t, "engine.example", authority)
	cert, key, _ := issue(t, "me", authority)
	dir := t.TempDir()
	for name, data := range map[string][]byte{"ca.pem": ca, "cert.pem": cert, "key.pem": key} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files := TLSFiles{CA: filepath.Join(dir, "ca.pem"), Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), ServerName: "engine.example"}
	for name, tt := range map[string]struct {
		files TLSFiles
		ok    bool
	}{
		"files":             {files, true},
		"PEM":               {TLSFiles{CAPEM: ca, CertPEM: cert, KeyPEM: key, ServerName: "engine.example"}, true},
		"mixed":             {TLSFiles{CA: files.CA, CertPEM: cert, KeyPEM: key, ServerName: "engine.example"}, true},
		"not verified":      {TLSFiles{CA: "/none", Cert: files.Cert, Key: files.Key, SkipVerify: true}, true},
		"another name":      {TLSFiles{CA: files.CA, Cert: files.Cert, Key: files.Key, ServerName: "other"}, false},
		"no certificate":    {TLSFiles{CA: files.CA, ServerName: "engine.example"}, false},
		"unknown authority": {TLSFiles{CertPEM: cert, KeyPEM: key, ServerName: "engine.example"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := tt.files.Config()
			if err != nil {
				t.Fatal(err)
			}
			if err := handshake(t, c, server, ca); (err == nil) != tt.ok {
				t.Errorf("handshake: %v", err)
			}
		})
	}
}

func TestTLSConfigErrorsNameTheFile(t *testing.T) {
	cert, key, _ := issue(t, "a", nil)
	_, other, _ := issue(t, "b", nil)
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, goodKey, otherKey, rubbish, empty := file("good", cert), file("goodkey", key), file("otherkey", other), file("rubbish", []byte("x")), file("empty", nil)
	none := filepath.Join(dir, "none")
	for name, tt := range map[string]struct {
		files TLSFiles
		say   []string
	}{
		"no CA":                 {TLSFiles{CA: none}, []string{"CA", none}},
		"CA is rubbish":         {TLSFiles{CA: rubbish}, []string{"CA", rubbish}},
		"CA is empty":           {TLSFiles{CA: empty}, []string{"CA", empty}},
		"no certificate":        {TLSFiles{Cert: none, Key: goodKey}, []string{"certificate", none}},
		"no key":                {TLSFiles{Cert: good, Key: none}, []string{"key", none}},
		"key not given":         {TLSFiles{Cert: good}, []string{good, "no key"}},
		"certificate not given": {TLSFiles{Key: goodKey}, []string{goodKey, "no certificate"}},
		"key of another":        {TLSFiles{Cert: good, Key: otherKey}, []string{good, otherKey}},
		"empty key":             {TLSFiles{Cert: good, Key: empty}, []string{good, empty}},
		"twice":                 {TLSFiles{CA: good, CAPEM: cert}, []string{good, "PEM"}},
		"half PEM":              {TLSFiles{CertPEM: cert}, []string{"PEM", "no key"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := tt.files.Config()
			if err == nil || c != nil {
				t.Fatalf("Config() = %v, %v", c, err)
			}
			for _, s := range tt.say {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("error does not say %q: %v", s, err)
				}
			}
		})
	}
	if _, err := (&TLSFiles{CA: none}).Config(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error does not unwrap: %v", err)
	}
}
