// Package secureetcd runs an etcd with TLS and logins on a host of the lab, for
// tests of what connects to it. It is test support, above package testlab. The
// cluster has one member and ends with its container, which the lab removes
// before its next test.
package secureetcd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// Container is the name of etcd's container on the host.
const Container = "secure-etcd"

const (
	startTimeout = 30 * time.Second
	attempt      = 2 * time.Second
	rootPassword = "root-of-the-lab"
)

// Etcd is what a client needs: all of it, as the server asks for a client
// certificate and then for a login.
type Etcd struct {
	Endpoint           string // https://ADDRESS:2379
	CA                 string // PEM, issuer of the server's certificate and of clients' certificates
	Cert, Key          string // PEM of a client's certificate
	Username, Password string // may read and write every key
	Authority          *pki.Authority
}

// Start runs etcd on host and turns logins on. The password is the caller's, so
// that a test can look for it where it must not be.
func Start(t testing.TB, host *testlab.Host, password string) Etcd {
	t.Helper()
	authority := pki.NewAuthority(t, "etcd-ca")
	server, client := authority.Issue(t, "server", host.Address), authority.Issue(t, "client")
	e := Etcd{
		Endpoint: "https://" + host.Address + ":2379", CA: authority.PEM, Cert: client.CertPEM, Key: client.KeyPEM,
		Username: "anka", Password: password, Authority: authority,
	}
	certs := filepath.Join(t.TempDir(), "certs")
	for name, content := range map[string]string{"ca.pem": authority.PEM, "cert.pem": server.CertPEM, "key.pem": server.KeyPEM} {
		must(t, os.MkdirAll(certs, 0o700))
		must(t, os.WriteFile(filepath.Join(certs, name), []byte(content), 0o600))
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	_, err := host.Docker(ctx, "create", "--name", Container, "-p", "2379:2379", images.Etcd35, "/usr/local/bin/etcd",
		"--name=m", "--data-dir=/data", "--listen-client-urls=https://0.0.0.0:2379", "--advertise-client-urls="+e.Endpoint,
		"--cert-file=/certs/cert.pem", "--key-file=/certs/key.pem", "--trusted-ca-file=/certs/ca.pem", "--client-cert-auth")
	must(t, err)
	_, err = host.Docker(ctx, "cp", certs, Container+":/certs")
	must(t, err)
	_, err = host.Docker(ctx, "start", Container)
	must(t, err)
	must(t, e.requireLogin(ctx, client.TLS, authority.Pool))
	return e
}

// requireLogin makes the users, once etcd answers, and turns authentication on.
func (e Etcd) requireLogin(ctx context.Context, certificate tls.Certificate, roots *x509.CertPool) error {
	client, err := clientv3.New(clientv3.Config{
		Endpoints: []string{e.Endpoint}, DialTimeout: startTimeout, Logger: zap.NewNop(), Context: ctx,
		TLS: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}},
	})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	if err := e.answers(ctx, client); err != nil {
		return err
	}
	_, addRoot := client.UserAdd(ctx, "root", rootPassword)
	_, grantRoot := client.UserGrantRole(ctx, "root", "root")
	_, addRole := client.RoleAdd(ctx, e.Username)
	// From the smallest key to the end of all keys.
	_, allow := client.RoleGrantPermission(ctx, e.Username, "\x00", "\x00", clientv3.PermissionType(clientv3.PermReadWrite))
	_, addUser := client.UserAdd(ctx, e.Username, e.Password)
	_, grantUser := client.UserGrantRole(ctx, e.Username, e.Username)
	if err := errors.Join(addRoot, grantRoot, addRole, allow, addUser, grantUser); err != nil {
		return fmt.Errorf("make the users of etcd at %s: %w", e.Endpoint, err)
	}
	if _, err := client.AuthEnable(ctx); err != nil {
		return fmt.Errorf("turn on logins of etcd at %s: %w", e.Endpoint, err)
	}
	return nil
}

func (e Etcd) answers(ctx context.Context, client *clientv3.Client) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		try, cancel := context.WithTimeout(ctx, attempt)
		_, err := client.Get(try, "any")
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("etcd at %s did not answer within %s: %w", e.Endpoint, startTimeout, err)
		case <-tick.C:
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
