// Package certificates reads what PEM blocks contain, for the checks in
// topology/service. It is beside the framework and not in topology, because
// Go's crypto/x509 knows the network and the files of its machine.
package certificates

import (
	"crypto"
	"crypto/x509"
	"errors"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// Reader is a [service.Reader] by crypto/x509. Its zero value is ready.
type Reader struct{}

var _ service.Reader = Reader{}

// Certificate reads one certificate in DER.
func (Reader) Certificate(der []byte) (service.Certificate, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return service.Certificate{}, err
	}
	return service.Certificate{
		Subject: c.Subject.String(), RawSubject: c.RawSubject, RawIssuer: c.RawIssuer, CA: c.IsCA, Version: c.Version,
		Algorithm: c.SignatureAlgorithm.String(), Weak: weak(c.SignatureAlgorithm), PublicKey: c.PublicKey,
	}, nil
}

// weak are the algorithms that TLS no longer takes.
func weak(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return true
	}
	return false
}

// PublicKey is that of a private key in PKCS#8. The error tells nothing of the
// key.
func (Reader) PublicKey(der []byte) (crypto.PublicKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	signer, is := key.(crypto.Signer)
	if err != nil || !is {
		return nil, errors.New("the private key cannot be read, or is of a kind that TLS does not use: RSA, ECDSA and Ed25519 are")
	}
	return signer.Public(), nil
}

// RevocationList reads one revocation list in DER.
func (Reader) RevocationList(der []byte) (service.RevocationList, error) {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return service.RevocationList{}, err
	}
	return service.RevocationList{Issuer: list.Issuer.String(), RawIssuer: list.RawIssuer}, nil
}
