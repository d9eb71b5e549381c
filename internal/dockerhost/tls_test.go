package dockerhost

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// testCA signs certificates for tests.
type testCA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newCA(t *testing.T) *testCA {
	t.Helper()
	ca := &testCA{}
	var err error
	ca.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := certificate()
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, ca.key.Public(), ca.key)
	must(t, err)
	ca.cert, err = x509.ParseCertificate(der)
	must(t, err)
	ca.pem = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return ca
}

func certificate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
}

// issue makes a certificate for 127.0.0.1 that serves both sides.
func (ca *testCA) issue(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := certificate()
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, private.Public(), ca.key)
	must(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
}

func TestTLS_isVerifiedOnBothSides(t *testing.T) {
	ca, other := newCA(t), newCA(t)
	serverCert, serverKey := ca.issue(t)
	clientCert, clientKey := ca.issue(t)
	foreignCert, foreignKey := other.issue(t)
	pair, err := tls.X509KeyPair([]byte(serverCert), []byte(serverKey))
	must(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	good := TLSConfig{CA: ca.pem, Cert: clientCert, Key: clientKey}
	cases := map[string]struct {
		config TLSConfig
		want   string
	}{
		"good":                {good, ""},
		"wrong CA":            {TLSConfig{CA: other.pem, Cert: clientCert, Key: clientKey}, "not signed by the CA in tls"},
		"system's CAs":        {TLSConfig{Cert: clientCert, Key: clientKey}, "not signed by the CA in tls"},
		"other name":          {TLSConfig{CA: ca.pem, Cert: clientCert, Key: clientKey, ServerName: "docker.example.org"}, "for another name"},
		"no certificate":      {TLSConfig{CA: ca.pem}, "the daemon refused our certificate"},
		"foreign certificate": {TLSConfig{CA: ca.pem, Cert: foreignCert, Key: foreignKey}, "the daemon refused our certificate"},
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		d := newFakeDaemon(t)
		d.TLS = &tls.Config{
			Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
			MinVersion: version, MaxVersion: version,
		}
		d.Config.ErrorLog = discard()
		d.StartTLS()
		url := "tcp://" + d.Listener.Addr().String()
		for name, c := range cases {
			_, err := newHost(t, Config{Name: "h1", DockerHost: url, TLS: &c.config}).Containers(testContext(t))
			if c.want == "" {
				must(t, err)
				continue
			}
			t.Log(name)
			wantText(t, err, c.want, `host "h1" (`+url+`)`)
			if !IsUnreachable(err) {
				t.Errorf("%s: the host does not count as unreachable", name)
			}
		}
		_, err := newHost(t, Config{Name: "h1", DockerHost: url, Insecure: true}).Containers(testContext(t))
		wantText(t, err, "the daemon wants TLS on this port")
	}
	plain := newFakeDaemon(t)
	plain.Start()
	_, err = newHost(t, Config{Name: "h1", DockerHost: "tcp://" + plain.Listener.Addr().String(), TLS: &good}).Containers(testContext(t))
	wantText(t, err, "does not speak TLS on this port", "2376")
}

func TestTLS_plainNeedsPermission(t *testing.T) {
	_, err := New(Config{Name: "h1", DockerHost: "tcp://10.0.1.4:2375"})
	wantText(t, err, `host "h1": docker_host: tcp:// without tls`, "insecure = true")
}
