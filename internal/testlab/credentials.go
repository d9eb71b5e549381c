package testlab

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/ssh"
)

// TLS holds what a client needs for the TLS listeners of all hosts of a lab, as PEM and as files.
type TLS struct {
	CA, Cert, Key             string
	CAPath, CertPath, KeyPath string
}

// SSHKey is the private key that all hosts let in as root, ops (who may use Docker) and guest (who may not), in OpenSSH's PEM format, and the file that holds it.
type SSHKey struct {
	PEM, Path string
}

// authority signs the certificates of one lab; its key is never written to disk.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := certificateTemplate(name)
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("create certificate authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{cert: cert, key: key, pem: encodePEM("CERTIFICATE", der)}, nil
}

// issue returns a certificate and its key as PEM. Without addresses it is a client's certificate.
func (a *authority) issue(name string, addresses ...net.IP) (cert, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := certificateTemplate(name)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if len(addresses) > 0 {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		template.DNSNames, template.IPAddresses = []string{name}, addresses
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, private.Public(), a.key)
	if err != nil {
		return "", "", fmt.Errorf("issue certificate for %s: %w", name, err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	return encodePEM("CERTIFICATE", der), encodePEM("PRIVATE KEY", keyDER), nil
}

func certificateTemplate(name string) *x509.Certificate {
	serial := make([]byte, 15)
	_, _ = rand.Read(serial) // never fails: the standard library ends the program instead
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(0, 1, 0),
	}
}

func encodePEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// newSSHKey returns a private ed25519 key in OpenSSH's PEM format and its public half as a line for authorized_keys.
func newSSHKey(comment string) (private, public string, err error) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", "", err
	}
	block, err := ssh.MarshalPrivateKey(key, comment)
	if err != nil {
		return "", "", err
	}
	sshPublic, err := ssh.NewPublicKey(pub)
	if err != nil {
		return "", "", err
	}
	return string(pem.EncodeToMemory(block)), string(ssh.MarshalAuthorizedKey(sshPublic)), nil
}

// writeCredentials makes all keys and certificates of a new lab and writes each where it is needed: the client's into
// the lab's directory, a server's into the /run/lab of its host.
func writeCredentials(s state) error {
	ca, err := newAuthority("anka lab " + s.Name)
	if err != nil {
		return err
	}
	clientCert, clientKey, err := ca.issue("client")
	if err != nil {
		return err
	}
	private, public, err := newSSHKey("anka-lab-" + s.Name)
	if err != nil {
		return err
	}
	dir := stateDir(s.Name)
	files := map[string]string{
		filepath.Join(dir, "ca.pem"): ca.pem, filepath.Join(dir, "cert.pem"): clientCert,
		filepath.Join(dir, "key.pem"): clientKey, filepath.Join(dir, "id_ed25519"): private,
	}
	for _, h := range s.Hosts {
		cert, key, err := ca.issue(h.Name, net.ParseIP(h.Address), net.IPv4(127, 0, 0, 1))
		if err != nil {
			return err
		}
		hostPrivate, hostPublic, err := newSSHKey(h.Name)
		if err != nil {
			return err
		}
		etc := filepath.Join(dir, h.Name, "run", "lab")
		if err := os.MkdirAll(etc, 0o755); err != nil {
			return err
		}
		files[filepath.Join(etc, "ca.pem")], files[filepath.Join(etc, "cert.pem")] = ca.pem, cert
		files[filepath.Join(etc, "key.pem")], files[filepath.Join(etc, "host_key")] = key, hostPrivate
		files[filepath.Join(etc, "host_key.pub")] = hostPublic
		files[filepath.Join(etc, "authorized_keys")] = public
		files[filepath.Join(etc, "sshd_config")] = sshdConfig
	}
	for path, content := range files {
		mode := fs.FileMode(0o600)
		if filepath.Base(path) == "authorized_keys" {
			mode = 0o644 // OpenSSH reads it as the user who logs in
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			return err
		}
	}
	return nil
}

// sshdConfig is the configuration of every host's OpenSSH server.
var sshdConfig = fmt.Sprintf(`# One server, three ports, so that a client meets every kind of forwarding policy on the same host.
Port %[1]d
Port %[2]d
Port %[3]d
HostKey /run/lab/host_key
AuthorizedKeysFile /run/lab/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PidFile none
PrintMotd no
Match LocalPort %[2]d
	AllowStreamLocalForwarding no
Match LocalPort %[3]d
	AllowStreamLocalForwarding no
	AllowTcpForwarding no
`, SSHPort, SSHPortNoSocket, SSHPortNoForward)
