package service_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/certificates"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// authority signs certificates for tests.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	text        string
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func pkcs8(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return block("PRIVATE KEY", der)
}

func newAuthority(t testing.TB, name string) authority {
	t.Helper()
	return newAuthorityWith(t, name, newKey(t))
}

func newAuthorityWith(t testing.TB, name string, key crypto.Signer) authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{certificate, key, block("CERTIFICATE", der)}
}

// issue signs a certificate that is no authority.
func (a authority) issue(t testing.TB, name string, public crypto.PublicKey) string {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
	}, a.certificate, public, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return block("CERTIFICATE", der)
}

func (a authority) revoke(t testing.TB) string {
	t.Helper()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Unix(0, 0), NextUpdate: time.Unix(1<<32, 0),
	}, a.certificate, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return block("X509 CRL", der)
}

// withAlgorithm rewrites the algorithm of a signature in a certificate: nobody
// signs with SHA-1 any more, not even for tests.
func withAlgorithm(t testing.TB, text, from, to string) string {
	t.Helper()
	parsed, _ := pem.Decode([]byte(text))
	der := strings.ReplaceAll(string(parsed.Bytes), from, to)
	if der == string(parsed.Bytes) {
		t.Fatal("the certificate is not signed as expected")
	}
	return block("CERTIFICATE", []byte(der))
}

func TestCheckValue_certificates(t *testing.T) {
	ca := newAuthority(t, "Root")
	key := newKey(t)
	leaf := ca.issue(t, "controller", key.Public())
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaCA := newAuthorityWith(t, "Old root", rsaKey)
	rsaLeaf := rsaCA.issue(t, "old", key.Public())
	// The object identifiers of RSA with SHA-256 and with SHA-1 in DER.
	const rsaOID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01"
	sha1 := withAlgorithm(t, rsaLeaf, rsaOID+"\x0b", rsaOID+"\x05")
	sha1Root := withAlgorithm(t, rsaCA.text, rsaOID+"\x0b", rsaOID+"\x05")

	row := service.Setting{Group: "https", Attribute: "server_cert", Kind: service.KindCertificate}
	for name, c := range map[string]struct{ value, want string }{
		"one":             {leaf, ""},
		"chain":           {leaf + ca.text, ""},
		"with comments":   {"Certificate:\n  Data\n" + leaf, ""},
		"RSA and SHA-256": {rsaLeaf, ""},
		"SHA-1":           {sha1, "signed with SHA1-RSA, which services refuse from version 1.24.0 on"},
		"SHA-1 root":      {leaf + sha1Root, ""},
		"SHA-1 in chain":  {leaf + sha1, "certificate 2 (CN=old) is signed with SHA1-RSA"},
		"path":            {"/etc/ssl/cert.pem", "the content of a file, not its path: use file()"},
		"relative path":   {"cert.pem", "use file()"},
		"text":            {"two\nlines\n", "not PEM text, which has lines"},
		"cut off":         {leaf[:len(leaf)/2], "a block of the PEM text is damaged"},
		"second cut off":  {leaf + ca.text[:100], "a block of the PEM text is damaged"},
		"no certificate":  {block("CERTIFICATE", []byte("garbage")), "certificate 1 cannot be read"},
		"key":             {pkcs8(t, key), "contains a private key, and only certificates may be here"},
		"key in chain":    {leaf + pkcs8(t, key), "contains a private key"},
		"list":            {ca.revoke(t), "contains a revocation list"},
	} {
		expect(t, name, row.CheckValue(c.value, certificates.Reader{}), c.want)
	}
}

func TestCheckValue_privateKeys(t *testing.T) {
	key := newKey(t)
	sec1, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	legacy := string(pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}, Bytes: []byte("canary"),
	}))
	row := service.Setting{Group: "https", Attribute: "server_key", Kind: service.KindPrivateKey}
	for name, c := range map[string]struct{ value, want string }{
		"ECDSA":               {pkcs8(t, key), ""},
		"RSA":                 {pkcs8(t, rsaKey), ""},
		"Ed25519":             {pkcs8(t, edKey), ""},
		"PKCS#1":              {block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), "old format of RSA PRIVATE KEY"},
		"SEC 1":               {block("EC PRIVATE KEY", sec1), "openssl pkcs8 -topk8 -nocrypt -in old.pem -out new.pem"},
		"SEC 1 of openssl":    {block("EC PARAMETERS", []byte{6, 0}) + block("EC PRIVATE KEY", sec1), "old format of EC PRIVATE KEY"},
		"password":            {block("ENCRYPTED PRIVATE KEY", []byte("canary")), "has a password, which the service cannot be told. Remove it with: openssl"},
		"password, PKCS#1":    {legacy, "has a password"},
		"certificate":         {newAuthority(t, "Root").text, "contains a certificate, and only a private key may be here"},
		"key and certificate": {pkcs8(t, key) + newAuthority(t, "Root").text, "contains a certificate, and only one private key"},
		"damaged":             {block("PRIVATE KEY", []byte("canary")), "the private key cannot be read"},
		"path":                {"/mnt/cert/canary.key", "not its path"},
	} {
		err := row.CheckValue(c.value, certificates.Reader{})
		expect(t, name, err, c.want)
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the error shows the value: %v", name, err)
		}
	}
}

func TestCheckValue_revocationLists(t *testing.T) {
	ca := newAuthority(t, "Root")
	row := service.Setting{Group: "authentication", Attribute: "crl", Kind: service.KindCRL}
	expect(t, "one", row.CheckValue(ca.revoke(t), certificates.Reader{}), "")
	expect(t, "two", row.CheckValue(ca.revoke(t)+ca.revoke(t), certificates.Reader{}), "")
	expect(t, "certificate", row.CheckValue(ca.text, certificates.Reader{}), "contains a certificate, and only revocation lists")
	expect(t, "damaged", row.CheckValue(block("X509 CRL", []byte("x")), certificates.Reader{}), "revocation list 1 cannot be read")
}

// expect checks an error by a part of its text, "" for none.
func expect(t *testing.T, name string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", name, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s: got %v, want %q in it", name, err, want)
	}
}
