package secureetcd

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

func TestMain(m *testing.M) { testlab.Main(m) }

// TestAccSecureEtcd_letsAControllerIn runs the stand-in in a container, with
// HTTPS, against etcd with TLS and a login; and again with a wrong password.
func TestAccSecureEtcd_letsAControllerIn(t *testing.T) {
	lab := testlab.LabForTest(t, 2)
	const password = "canary-of-etcd"
	e := Start(t, lab.Hosts[0], password)
	host := lab.Hosts[1]
	authority := pki.NewAuthority(t, "web-ca")
	web := authority.Issue(t, "web", host.Address)
	certs := filepath.Join(t.TempDir(), "anka")
	must(t, os.MkdirAll(certs, 0o700))
	for name, content := range map[string]string{
		"etcd-ca.pem": e.CA, "etcd.pem": e.Cert, "etcd.key": e.Key, "web.pem": web.CertPEM, "web.key": web.KeyPEM,
	} {
		must(t, os.WriteFile(filepath.Join(certs, name), []byte(content), 0o600))
	}
	run := func(name, password string) {
		args := []string{"create", "--name", name, "-p", "443:80"}
		for _, variable := range []string{
			"ALLOW_EMPTY_REGISTRY=true", "USE_HTTPS=true", "SERVER_CERT=/anka/web.pem", "SERVER_KEY=/anka/web.key",
			"ETCD_ENDPOINTS=" + e.Endpoint, "USE_ETCD_TLS=true", "ETCD_CA_CERT=/anka/etcd-ca.pem", "ETCD_CERT=/anka/etcd.pem",
			"ETCD_CERT_KEY=/anka/etcd.key", "USE_ETCD_LOGIN=true", "ETCD_USERNAME=" + e.Username, "ETCD_PASSWORD=" + password,
		} {
			args = append(args, "-e", "ANKA_"+variable)
		}
		_, err := host.Docker(t.Context(), append(args, images.Controller)...)
		must(t, err)
		_, err = host.Docker(t.Context(), "cp", certs, name+":/anka")
		must(t, err)
		_, err = host.Docker(t.Context(), "start", name)
		must(t, err)
	}

	run("good", password)
	browser := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool}}}
	begin := time.Now()
	until(t, "the controller to be ready", func(ctx context.Context) bool {
		code, _ := get(ctx, browser, "https://"+host.Address+"/readyz")
		return code == http.StatusOK
	})
	t.Logf("ready after %s", time.Since(begin).Round(time.Millisecond))
	if _, files := get(t.Context(), browser, "https://"+host.Address+"/ankasim/files"); !strings.Contains(files, `"ANKA_ETCD_CERT_KEY":{"path":"/anka/etcd.key","mode":"0600"`) {
		t.Errorf("files: %s", files)
	}
	_, err := host.Docker(t.Context(), "rm", "-f", "good")
	must(t, err)

	run("bad", "wrong")
	until(t, "the controller with a wrong password to end", func(ctx context.Context) bool {
		state, err := host.Docker(ctx, "inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "bad")
		return err == nil && strings.TrimSpace(state) == "exited 1"
	})
}

func get(ctx context.Context, client *http.Client, url string) (int, string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err.Error()
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}

func until(t *testing.T, what string, done func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done(ctx) {
		select {
		case <-ctx.Done():
			t.Fatalf("waited 30s for %s", what)
		case <-tick.C:
		}
	}
}
