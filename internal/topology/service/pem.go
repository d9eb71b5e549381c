package service

import (
	"bytes"
	"crypto"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// convert is what turns any private key into one that the services read.
const convert = "openssl pkcs8 -topk8 -nocrypt -in old.pem -out new.pem"

// Reader reads what PEM blocks contain, in DER. It is given from outside,
// because the library for it knows the network. Its errors tell nothing of keys.
type Reader interface {
	Certificate(der []byte) (Certificate, error)
	// PublicKey is that of a private key in PKCS#8.
	PublicKey(der []byte) (crypto.PublicKey, error)
	RevocationList(der []byte) (RevocationList, error)
}

// Certificate is what is judged of one.
type Certificate struct {
	// Subject is for messages, such as "CN=controller".
	Subject               string
	RawSubject, RawIssuer []byte // in DER
	// CA: it may sign others. Version is that of X.509.
	CA      bool
	Version int
	// Algorithm of the signature; Weak when TLS no longer takes it.
	Algorithm string
	Weak      bool
	PublicKey crypto.PublicKey
}

// RevocationList is what is judged of one.
type RevocationList struct {
	Issuer    string // for messages
	RawIssuer []byte // in DER
}

// blocks are the PEM blocks of a text.
func blocks(text string) ([]*pem.Block, error) {
	var found []*pem.Block
	rest := []byte(text)
	for {
		block, after := pem.Decode(rest)
		if block == nil {
			break
		}
		found, rest = append(found, block), after
	}
	switch {
	case bytes.Contains(rest, []byte("-----BEGIN")):
		return nil, errors.New("a block of the PEM text is damaged, such as by lost line breaks: compare it with the original file")
	case len(found) > 0:
		return found, nil
	case strings.HasPrefix(strings.TrimSpace(text), "/") || !strings.Contains(text, "\n"):
		return nil, errors.New("it is not PEM text. It takes the content of a file, not its path: use file()")
	}
	return nil, errors.New("it is not PEM text, which has lines with -----BEGIN and -----END")
}

// unexpected says what a block of another type means.
func unexpected(block *pem.Block, want string) error {
	what := block.Type
	switch {
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		what = "private key"
	case block.Type == "CERTIFICATE":
		what = "certificate"
	case block.Type == "X509 CRL":
		what = "revocation list"
	}
	return fmt.Errorf("it contains a %s, and only %s may be here", what, want)
}

// parseCertificates reads a certificate and its chain, or several authorities.
func parseCertificates(text string, r Reader) ([]Certificate, error) {
	found, err := blocks(text)
	if err != nil {
		return nil, err
	}
	var certificates []Certificate
	for i, block := range found {
		if block.Type != "CERTIFICATE" {
			return nil, unexpected(block, "certificates")
		}
		certificate, err := r.Certificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d cannot be read: %w", i+1, err)
		}
		certificates = append(certificates, certificate)
	}
	return certificates, nil
}

// checkCertificates refuses what the service does. Whether a certificate has
// expired depends on the clock and is not looked at.
func (s Setting) checkCertificates(text string, r Reader) error {
	certificates, err := parseCertificates(text, r)
	if err != nil {
		return err
	}
	for i, c := range certificates {
		if c.Weak && !selfSigned(c) {
			return fmt.Errorf("certificate %d (%s) is signed with %s, which services refuse from version 1.24.0 on: have it signed with SHA-256", i+1, c.Subject, c.Algorithm)
		}
	}
	return nil
}

// selfSigned: the signature of a root by itself proves nothing.
func selfSigned(c Certificate) bool { return c.CA && bytes.Equal(c.RawIssuer, c.RawSubject) }

// authority reports whether c may sign others. Certificates of before version
// 3 do not say.
func authority(c Certificate) bool {
	return c.CA || c.Version < 3 || bytes.Equal(c.RawIssuer, c.RawSubject)
}

// parsePrivateKey reads the one form of keys that services read, and returns
// the public key to it. Its errors tell nothing of the key.
func parsePrivateKey(text string, r Reader) (crypto.PublicKey, error) {
	found, err := blocks(text)
	if err != nil {
		return nil, err
	}
	if len(found) > 1 && found[0].Type == "EC PARAMETERS" {
		found = found[1:]
	}
	block := found[0]
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return nil, errors.New("the key has a password, which the service cannot be told. Remove it with: " + convert)
	case block.Type != "PRIVATE KEY" && strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, fmt.Errorf("the key is in the old format of %s, and the service reads PKCS#8 (BEGIN PRIVATE KEY). Convert it with: %s", block.Type, convert)
	case block.Type != "PRIVATE KEY":
		return nil, unexpected(block, "a private key")
	case len(found) > 1:
		return nil, unexpected(found[1], "one private key")
	}
	return r.PublicKey(block.Bytes)
}

// parseCRLs reads one or more revocation lists.
func parseCRLs(text string, r Reader) ([]RevocationList, error) {
	found, err := blocks(text)
	if err != nil {
		return nil, err
	}
	var lists []RevocationList
	for i, block := range found {
		if block.Type != "X509 CRL" {
			return nil, unexpected(block, "revocation lists (BEGIN X509 CRL)")
		}
		list, err := r.RevocationList(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("revocation list %d cannot be read: %w", i+1, err)
		}
		lists = append(lists, list)
	}
	return lists, nil
}

// fits reports how a key belongs to certificates: nil when it is that of the
// first.
func fits(key crypto.PublicKey, certificates []Certificate) error {
	public, is := key.(interface{ Equal(crypto.PublicKey) bool })
	if !is {
		return nil
	}
	for i, c := range certificates {
		switch {
		case !public.Equal(c.PublicKey):
		case i == 0:
			return nil
		default:
			return fmt.Errorf("it is the key of certificate %d (%s), and the service's own certificate has to be the first: change their order", i+1, c.Subject)
		}
	}
	return fmt.Errorf("it is not the key of the certificate (%s): give the two that belong together", certificates[0].Subject)
}

// issuedBy reports whether one of the authorities has the name of who issued
// the list.
func issuedBy(list RevocationList, authorities []Certificate) bool {
	for _, a := range authorities {
		if bytes.Equal(list.RawIssuer, a.RawSubject) {
			return true
		}
	}
	return false
}
