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
		// Without HTTPS nobody presents a certificate, but a path that is wrong
		// ends the start all the same.
		if auth.Enabled && auth.CACertPath != "" {
			return nil, acceptClientCertificates(&tls.Config{}, auth)
		}
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
	for _, der := range pair.Certificate {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return tls.Certificate{}, err
		}
		switch certificate.SignatureAlgorithm {
		case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1:
			return tls.Certificate{}, fmt.Errorf("the certificate of %s is signed with SHA-1", certificate.Subject)
		default:
		}
	}
	return pair, nil
}

func cipherSuites(names []string) ([]uint16, error) {
	var ids []uint16
	for _, name := range names {
		id, err := settings.CipherSuite(name)
		if err != nil {
			return nil, fmt.Errorf("ANKA_CIPHER_SUITES: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func acceptClientCertificates(config *tls.Config, auth settings.Auth) error {
	caPEM, err := os.ReadFile(auth.CACertPath)
	if err != nil {
		return fmt.Errorf("cannot load %s: %w", auth.Variable("CA_CERT"), err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(caPEM) {
		return fmt.Errorf("cannot load %s: %s holds no PEM certificate", auth.Variable("CA_CERT"), auth.CACertPath)
	}
	// Only verified when given: a root token or a probe needs no certificate.
	config.ClientAuth = tls.VerifyClientCertIfGiven
	if auth.CRLPath == "" {
		return nil
	}
	revoked, err := revokedSerials(auth.CRLPath)
	if err != nil {
		return fmt.Errorf("cannot load %s %s: %w", auth.Variable("CRL"), auth.CRLPath, err)
	}
	// Unlike VerifyPeerCertificate this also runs on resumed sessions.
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) > 0 && revoked[serialOf(state.PeerCertificates[0])] {
			return errors.New("the client certificate is revoked")
		}
		return nil
	}
	return nil
}

// serial names a certificate: its number is only unique with its issuer.
type serial struct{ issuer, number string }

func serialOf(c *x509.Certificate) serial {
	return serial{string(c.RawIssuer), c.SerialNumber.String()}
}

// revokedSerials reads one list in DER, or any number in PEM. Signatures are
// not checked: whoever writes the file could as well replace the authority.
func revokedSerials(path string) (map[serial]bool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var lists [][]byte
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		lists = append(lists, block.Bytes)
	}
	if lists == nil {
		lists = [][]byte{data}
	}
	serials := map[serial]bool{}
	for _, der := range lists {
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			return nil, err
		}
		for _, entry := range list.RevokedCertificateEntries {
			serials[serial{string(list.RawIssuer), entry.SerialNumber.String()}] = true
		}
	}
	return serials, nil
}
