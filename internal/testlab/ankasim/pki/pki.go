// Package pki makes the certificates the tests of the stand-in need. It is
// test support: nothing that is built into the stand-in imports it.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
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
	PEM  string // the certificate itself
	Pool *x509.CertPool

	dir  string
	cert *x509.Certificate
	key  crypto.Signer
	next int64
}

// Pair is an issued certificate with its key.
type Pair struct {
	CertPath, KeyPath string // PEM, the key in PKCS#8
	CertPEM, KeyPEM   string // what is in those files
	TLS               tls.Certificate
}

// NewAuthority makes a self-signed authority whose files end with the test.
func NewAuthority(t testing.TB, name string) *Authority {
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
	a.Path, a.PEM = a.write(t, name+".pem", "CERTIFICATE", der)
	a.Pool = x509.NewCertPool()
	a.Pool.AddCert(a.cert)
	return a
}

// Issue makes a certificate for loopback that serves both ends of a connection,
// and for more addresses and names, such as those of a lab's hosts.
func (a *Authority) Issue(t testing.TB, name string, more ...string) Pair {
	t.Helper()
	return a.issue(t, newKey(t), a.template(name, more))
}

// IssueSHA1 is Issue with the signature that services refuse from 1.24.0 on.
// The authority signs with a key of its own for that, as SHA-1 goes with RSA.
func IssueSHA1(t testing.TB, name string) Pair {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	check(t, err)
	a := &Authority{dir: t.TempDir(), key: key, next: 1, cert: &x509.Certificate{Subject: pkix.Name{CommonName: name}}}
	template := a.template(name, nil)
	template.SignatureAlgorithm = x509.SHA1WithRSA
	return a.issue(t, newKey(t), template)
}

func (a *Authority) template(name string, more []string) *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.next), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, host := range more {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return template
}

func (a *Authority) issue(t testing.TB, key crypto.Signer, template *x509.Certificate) Pair {
	t.Helper()
	a.next++
	name := template.Subject.CommonName
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	check(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	check(t, err)
	var p Pair
	p.CertPath, p.CertPEM = a.write(t, name+"-cert.pem", "CERTIFICATE", der)
	p.KeyPath, p.KeyPEM = a.write(t, name+"-key.pem", "PRIVATE KEY", keyDER)
	p.TLS, err = tls.LoadX509KeyPair(p.CertPath, p.KeyPath)
	check(t, err)
	return p
}

// Revoke writes a revocation list that names p and returns its path.
func (a *Authority) Revoke(t testing.TB, p Pair) string {
	t.Helper()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{
			{SerialNumber: p.TLS.Leaf.SerialNumber, RevocationTime: time.Now().Add(-time.Minute)},
		},
	}, a.cert, a.key)
	check(t, err)
	path, _ := a.write(t, "crl.pem", "X509 CRL", der)
	return path
}

func (a *Authority) write(t testing.TB, name, kind string, der []byte) (path, text string) {
	t.Helper()
	path = filepath.Join(a.dir, name)
	data := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	check(t, os.WriteFile(path, data, 0o600))
	return path, string(data)
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	return key
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
