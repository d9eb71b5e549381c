package replicationops

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// lifetime of certificates. Nothing renews them but an apply, and replication
// must not end by itself: who wants others raises credentials_version.
const lifetime = 20 * 365 * 24 * time.Hour

// clockSkew is how far the clocks of hosts may differ from ours.
const clockSkew = 24 * time.Hour

// Credentials are certificates of one authority, whose key is forgotten as soon
// as they are made: containers that trust it can never become more.
type Credentials struct {
	// Hosts has them by host.
	Hosts map[string]replication.Credentials
	// Authority stands for the authority: 16 hex digits of its fingerprint.
	Authority string
}

// NewCredentials makes an authority and a certificate for each host: for the
// primary one of a server under address, an IP or DNS name, for the others
// those of clients.
func NewCredentials(owner, primary, address string, hosts []string) (Credentials, error) {
	made := Credentials{Hosts: map[string]replication.Credentials{}}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return made, cannotMake(err)
	}
	template, err := certificate("anka_registry " + owner)
	if err != nil {
		return made, cannotMake(err)
	}
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return made, cannotMake(err)
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		return made, cannotMake(err)
	}
	sum := sha256.Sum256(der)
	made.Authority = hex.EncodeToString(sum[:8])
	for _, host := range hosts {
		server := ""
		if host == primary {
			server = address
		}
		cert, private, err := issue(ca, key, host, server)
		if err != nil {
			return made, cannotMake(err)
		}
		made.Hosts[host] = replication.Credentials{CA: encode("CERTIFICATE", der), Cert: cert, Key: private}
	}
	return made, nil
}

func cannotMake(err error) error {
	return fmt.Errorf("unable to make certificates for the replication: %w", err)
}

// issue makes a certificate for name: a server's for the address, a client's
// without one.
func issue(ca *x509.Certificate, by *ecdsa.PrivateKey, name, address string) (cert, private []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template, err := certificate(name)
	if err != nil {
		return nil, nil, err
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if address != "" {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		if ip := net.ParseIP(address); ip != nil {
			template.IPAddresses = []net.IP{ip}
		} else {
			template.DNSNames = []string{address}
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca, &key.PublicKey, by)
	if err != nil {
		return nil, nil, err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", encoded), err
}

func certificate(name string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-clockSkew), NotAfter: time.Now().Add(lifetime),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// NewID makes the ID of a registry: 32 hex digits.
func NewID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails, as documented
	return hex.EncodeToString(id)
}
