// Package pki makes the certificates the tests of the stand-in need. It is
// test support: nothing that is built into the stand-in imports it.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority issues certificates and writes them to files of a test.
type Authority struct {
	Path string // of its certificate, PEM
	Pool *x509.CertPool

	dir  string
	cert *x509.Certificate
	key  crypto.Signer
	next int64
}

// Pair is an issued certificate with its key.
type Pair struct {
	CertPath, KeyPath string // PEM, the key in PKCS#8
	TLS               tls.Certificate
}

// NewAuthority makes a self-signed authority whose files end with the test.
func NewAuthority(t *testing.T, name string) *Authority {
	t.Helper()
	a := &Authority{dir: t.TempDir(), key: newKey(t), next: 2}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	check(t, err)
	a.cert, err = x509.ParseCertificate(der)
	check(t, err)
	a.Path = a.write(t, name+".pem", "CERTIFICATE", der)
	a.Pool = x509.NewCertPool()
	a.Pool.AddCert(a.cert)
	return a
}

// Issue makes a certificate for loopback that serves both ends of a connection.
func (a *Authority) Issue(t *testing.T, name string) Pair {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.next), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	a.next++
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	check(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	check(t, err)
	p := Pair{
		CertPath: a.write(t, name+"-cert.pem", "CERTIFICATE", der),
		KeyPath:  a.write(t, name+"-key.pem", "PRIVATE KEY", keyDER),
	}
	p.TLS, err = tls.LoadX509KeyPair(p.CertPath, p.KeyPath)
	check(t, err)
	return p
}

// Revoke writes a revocation list that names p and returns its path.
func (a *Authority) Revoke(t *testing.T, p Pair) string {
	t.Helper()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{
			{SerialNumber: p.TLS.Leaf.SerialNumber, RevocationTime: time.Now().Add(-time.Minute)},
		},
	}, a.cert, a.key)
	check(t, err)
	return a.write(t, "crl.pem", "X509 CRL", der)
}

func (a *Authority) write(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(a.dir, name)
	check(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return path
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	return key
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
