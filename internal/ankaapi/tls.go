package ankaapi

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// pinError is a server with another certificate than the pinned one.
type pinError struct{ want, got string }

func (e *pinError) Error() string {
	return fmt.Sprintf("the server's certificate has the SHA-256 fingerprint %s, not %s", e.got, e.want)
}

// tls turns the credentials into a configuration of TLS.
func (c Credentials) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM([]byte(c.CA)) {
			return nil, errors.New("the CA of anka_auth contains no PEM certificate")
		}
		config.RootCAs = roots
	}
	if c.ClientCert != "" || c.ClientKey != "" {
		pair, err := tls.X509KeyPair([]byte(c.ClientCert), []byte(c.ClientKey))
		if err != nil {
			return nil, fmt.Errorf("the client certificate of anka_auth cannot be used: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// pinTo makes config accept the certificate with the fingerprint pin and no
// other. Who signed it, for what name and how long is of no matter then.
func pinTo(config *tls.Config, pin string) error {
	pin = strings.ToLower(pin)
	if digest, err := hex.DecodeString(pin); err != nil || len(digest) != sha256.Size {
		return fmt.Errorf("%q is not the SHA-256 fingerprint of a certificate, which has %d hexadecimal digits", pin, 2*sha256.Size)
	}
	// The name and the chain are not looked at, because VerifyConnection asks
	// for more than they prove.
	config.InsecureSkipVerify = true
	// A service may be told to speak nothing newer (ANKA_MAX_TLS_VERSION), and
	// the newest that both know is what is spoken.
	config.MinVersion = tls.VersionTLS10
	// The same goes for cipher suites (ANKA_CIPHER_SUITES), some of which Go
	// offers only when asked to.
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		config.CipherSuites = append(config.CipherSuites, suite.ID)
	}
	config.VerifyConnection = func(state tls.ConnectionState) error {
		// It runs on resumed sessions too, where VerifyPeerCertificate does not.
		if got := fingerprint(state.PeerCertificates[0].Raw); got != pin {
			return &pinError{want: pin, got: got}
		}
		return nil
	}
	return nil
}
