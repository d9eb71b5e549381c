package replicationops_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/replicationops"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

func pool(t *testing.T, pem []byte) *x509.CertPool {
	t.Helper()
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(pem) {
		t.Fatalf("no certificate in %s", pem)
	}
	return p
}

func leaf(t *testing.T, c replication.Credentials) *x509.Certificate {
	t.Helper()
	pair, err := tls.X509KeyPair(c.Cert, c.Key)
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf
}

// TestNewCredentials: the primary is a server of its address and nothing else,
// the others are clients and nothing else, and only of their own authority.
func TestNewCredentials(t *testing.T) {
	for _, address := range []string{"10.0.0.1", "fd00::1", "h1.example.com"} {
		made, err := replicationops.NewCredentials("anka", "h1", address, []string{"h1", "h2"})
		if err != nil {
			t.Fatal(err)
		}
		again, err := replicationops.NewCredentials("anka", "h1", address, []string{"h1", "h2"})
		if err != nil {
			t.Fatal(err)
		}
		roots, others := pool(t, made.Hosts["h1"].CA), pool(t, again.Hosts["h1"].CA)
		source, follower := leaf(t, made.Hosts["h1"]), leaf(t, made.Hosts["h2"])
		verify := func(c *x509.Certificate, name string, in *x509.CertPool, usage x509.ExtKeyUsage) error {
			_, err := c.Verify(x509.VerifyOptions{DNSName: name, Roots: in, KeyUsages: []x509.ExtKeyUsage{usage}})
			return err
		}
		if err := verify(source, address, roots, x509.ExtKeyUsageServerAuth); err != nil {
			t.Errorf("%s: the source: %v", address, err)
		}
		if err := verify(follower, "", roots, x509.ExtKeyUsageClientAuth); err != nil {
			t.Errorf("%s: the follower: %v", address, err)
		}
		for what, err := range map[string]error{
			"another address":      verify(source, "10.0.0.9", roots, x509.ExtKeyUsageServerAuth),
			"a source as client":   verify(source, "", roots, x509.ExtKeyUsageClientAuth),
			"a follower as server": verify(follower, "", roots, x509.ExtKeyUsageServerAuth),
			"another authority":    verify(source, address, others, x509.ExtKeyUsageServerAuth),
		} {
			if err == nil {
				t.Errorf("%s: %s is accepted", address, what)
			}
		}
		if made.Authority == again.Authority || len(made.Authority) != 16 || bytes.Equal(made.Hosts["h1"].Key, made.Hosts["h2"].Key) {
			t.Errorf("authorities %q and %q", made.Authority, again.Authority)
		}
	}
	if a, b := replicationops.NewID(), replicationops.NewID(); a == b || len(a) != 32 {
		t.Errorf("got %q and %q", a, b)
	}
}
