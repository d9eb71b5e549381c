package serve

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
)

// TLSConfig loads the certificates of an HTTPS listener, or returns nil when
// HTTPS is off. It refuses what the real ones are documented to refuse: keys
// that are not PKCS#8, keys with a password, certificates signed with SHA-1.
func TLSConfig(t settings.TLS, auth settings.Auth) (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil
	}
	certificate, err := loadKeyPair(t.CertPath, t.KeyPath)
	if err != nil {
		return nil, fmt.Errorf("cannot load the server certificate %s with key %s: %w", t.CertPath, t.KeyPath, err)
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tlsVersions[t.MinVersion],
		MaxVersion:   tlsVersions[t.MaxVersion],
	}
	if config.MaxVersion != 0 && config.MinVersion > config.MaxVersion {
		return nil, fmt.Errorf("ANKA_MIN_TLS_VERSION %s is above ANKA_MAX_TLS_VERSION %s", t.MinVersion, t.MaxVersion)
	}
	if config.CipherSuites, err = cipherSuites(t.CipherSuites); err != nil {
		return nil, err
	}
	if auth.Enabled && auth.CACertPath != "" {
		if err := acceptClientCertificates(config, auth); err != nil {
			return nil, err
		}
	}
	return config, nil
}

var tlsVersions = map[string]uint16{
	"": 0, "tls_1.0": tls.VersionTLS10, "tls_1.1": tls.VersionTLS11, "tls_1.2": tls.VersionTLS12, "tls_1.3": tls.VersionTLS13,
}

func loadKeyPair(certPath, keyPath string) (tls.Certificate, error) {
	certPEM, err := os.ReadFile(certPath)
	if err != nil {
		return tls.Certificate{}, err
	}
	keyPEM, err := os.ReadFile(keyPath)
	if err != nil {
		return tls.Certificate{}, err
	}
	block, _ := pem.Decode(keyPEM)
	if block == nil || block.Type != "PRIVATE KEY" {
		return tls.Certificate{}, errors.New("the key is not PKCS#8 in PEM without a password")
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return tls.Certificate{}, err
	}
	switch pair.Leaf.SignatureAlgorithm {
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1:
		return tls.Certificate{}, errors.New("the certificate is signed with SHA-1")
	default:
		return pair, nil
	}
}

func cipherSuites(names []string) ([]uint16, error) {
	known := map[string]uint16{}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		known[suite.Name] = suite.ID
	}
	var ids []uint16
	for _, name := range names {
		id, found := known[name]
		if !found {
			return nil, fmt.Errorf("ANKA_CIPHER_SUITES: unknown cipher suite %q", name)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func acceptClientCertificates(config *tls.Config, auth settings.Auth) error {
	caPEM, err := os.ReadFile(auth.CACertPath)
	if err != nil {
		return fmt.Errorf("cannot load ANKA_CA_CERT: %w", err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(caPEM) {
		return fmt.Errorf("cannot load ANKA_CA_CERT: %s holds no PEM certificate", auth.CACertPath)
	}
	// Only verified when given: a root token or a probe needs no certificate.
	config.ClientAuth = tls.VerifyClientCertIfGiven
	if auth.CRLPath == "" {
		return nil
	}
	revoked, err := revokedSerials(auth.CRLPath)
	if err != nil {
		return fmt.Errorf("cannot load ANKA_CRL %s: %w", auth.CRLPath, err)
	}
	// Unlike VerifyPeerCertificate this also runs on resumed sessions.
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) > 0 && revoked[state.PeerCertificates[0].SerialNumber.String()] {
			return errors.New("the client certificate is revoked")
		}
		return nil
	}
	return nil
}

func revokedSerials(path string) (map[string]bool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	list, err := x509.ParseRevocationList(data)
	if err != nil {
		return nil, err
	}
	serials := map[string]bool{}
	for _, entry := range list.RevokedCertificateEntries {
		serials[entry.SerialNumber.String()] = true
	}
	return serials, nil
}
