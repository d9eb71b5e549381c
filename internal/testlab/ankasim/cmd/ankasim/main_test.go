package main

import (
	"crypto/tls"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
)

const secret = "canary-4711-secret"

func TestController_needsEtcdAtStart(t *testing.T) {
	begin := time.Now()
	dead := freeport.Address(t)
	p := ankasim(t, "controller", "ANKA_ANKA_REGISTRY=http://127.0.0.1:1", "ANKA_ETCD_ENDPOINTS=http://"+dead,
		"ANKA_ETCD_REQUEST_TIMEOUT=1s", "ANKA_LISTEN_ADDR="+freeport.Address(t),
		"ANKA_USE_ETCD_LOGIN=true", "ANKA_ETCD_USERNAME=anka", "ANKA_ETCD_PASSWORD="+secret)
	if code := p.exitCode(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if waited := time.Since(begin); waited < time.Second || waited > 10*time.Second {
		t.Errorf("gave up after %s", waited)
	}
	p.wantFatal(dead, "within 1s", "ANKA_ETCD_REQUEST_TIMEOUT")
	if strings.Contains(p.output.String(), secret) {
		t.Errorf("the log shows the password:\n%s", p.output)
	}
}

func TestStart_refusals(t *testing.T) {
	for name, test := range map[string]struct {
		role string
		env  []string
		code int
		want string
	}{
		"controller without a registry": {"controller", nil, 1, "ANKA_ANKA_REGISTRY"},
		"unreadable server certificate": {"controller", []string{
			"ANKA_ANKA_REGISTRY=http://127.0.0.1:1", "ANKA_USE_HTTPS=true", "ANKA_SERVER_CERT=/nowhere.pem", "ANKA_SERVER_KEY=/nowhere.key",
		}, 1, "/nowhere.pem"},
		"unreadable etcd certificate": {"controller", []string{
			"ANKA_ANKA_REGISTRY=http://127.0.0.1:1", "ANKA_USE_ETCD_TLS=true", "ANKA_ETCD_CA_CERT=/nowhere.pem",
		}, 1, "ANKA_ETCD_CA_CERT"},
		"registry on a bad path": {"registry", []string{"ANKA_BASE_PATH=/dev/null/x"}, 1, "/dev/null/x"},
		"short token": {"registry", []string{
			"ANKA_BASE_PATH=/dev/null/x", "ANKA_ENABLE_AUTH=true", "ANKA_ROOT_TOKEN=short-tkn",
		}, 1, "ANKA_ROOT_TOKEN"},
		"told to exit": {"registry", []string{"ANKASIM_EXIT=7"}, 7, "ANKASIM_EXIT"},
		"unknown role": {"etcd", nil, 2, "usage"},
	} {
		t.Run(name, func(t *testing.T) {
			p := ankasim(t, test.role, test.env...)
			if code := p.exitCode(); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			p.wantFatal(test.want)
			if strings.Contains(p.output.String(), "short-tkn") {
				t.Errorf("the log shows the token:\n%s", p.output)
			}
		})
	}
}

func TestRegistry_exitsLater(t *testing.T) {
	address := freeport.Address(t)
	p := ankasim(t, "registry", "ANKA_LISTEN_ADDR="+address, "ANKA_BASE_PATH="+t.TempDir(), "ANKASIM_EXIT=3", "ANKASIM_EXIT_DELAY=1s")
	p.waitFor(http.DefaultClient, 200, "http://"+address+"/readyz")
	if code := p.exitCode(); code != 3 {
		t.Errorf("exit code %d", code)
	}
}

// TestControllers_shareEtcd is the real thing in small: etcd, a registry and
// two controllers, which are then stopped and which outlive their etcd.
func TestControllers_shareEtcd(t *testing.T) {
	store := startEtcd(t, "http")
	registry, first, second := freeport.Address(t), freeport.Address(t), freeport.Address(t)
	ankasim(t, "registry", "ANKA_LISTEN_ADDR="+registry, "ANKA_BASE_PATH="+t.TempDir(),
		"ANKA_ENABLE_AUTH=true", "ANKA_ROOT_TOKEN="+secret)
	controller := func(address string) *process {
		return ankasim(t, "controller", "ANKA_LISTEN_ADDR="+address, "ANKA_ETCD_ENDPOINTS="+store.endpoint,
			"ANKA_ANKA_REGISTRY=http://"+registry, "ANKA_ENABLE_AUTH=true", "ANKA_ROOT_TOKEN="+secret, "ANKA_V=10")
	}
	one, two := controller(first), controller(second)
	one.waitFor(http.DefaultClient, 200, "http://"+first+"/readyz")
	two.waitFor(http.DefaultClient, 200, "http://"+second+"/readyz")

	ctx := t.Context()
	if code, body, err := fetch(ctx, http.DefaultClient, "POST", "http://"+first+"/ankasim/node", `{"node_id":"n1"}`); err != nil || code != 200 {
		t.Fatalf("node: %d %s %v", code, body, err)
	}
	if body := two.waitFor(http.DefaultClient, 200, "http://root:"+secret+"@"+second+"/api/v1/node"); !strings.Contains(body, `"node_id":"n1"`) {
		t.Errorf("the other controller does not see the node: %s", body)
	}
	if body := two.waitFor(http.DefaultClient, 200, "http://root:"+secret+"@"+second+"/api/v1/status"); body !=
		`{"status":"OK","message":"","body":{"status":"Running","version":"1.50.1-5e3c3f5b","registry_address":"http://`+
			registry+`","registry_status":"Running","license":"enterprise plus"}}` {
		t.Errorf("status: %s", body)
	}

	one.signal(syscall.SIGTERM)
	if code := one.exitCode(); code != 0 {
		t.Errorf("exit code after SIGTERM: %d", code)
	}
	store.process.signal(syscall.SIGSTOP)
	two.waitFor(http.DefaultClient, 503, "http://"+second+"/readyz")
	two.waitFor(http.DefaultClient, 200, "http://"+second+"/livez")
	store.process.signal(syscall.SIGCONT)
	two.waitFor(http.DefaultClient, 200, "http://"+second+"/readyz")
	if strings.Contains(one.output.String()+two.output.String(), secret) {
		t.Errorf("the log shows the token:\n%s\n%s", one.output, two.output)
	}
}

func TestController_etcdWithTLSAndLogin(t *testing.T) {
	authority := pki.NewAuthority(t, "ca")
	server, client, web := authority.Issue(t, "server"), authority.Issue(t, "client"), authority.Issue(t, "web")
	store := startEtcd(t, "https", "--cert-file="+server.CertPath, "--key-file="+server.KeyPath,
		"--trusted-ca-file="+authority.Path, "--client-cert-auth")
	requireLogin(t, store.endpoint, &tls.Config{RootCAs: authority.Pool, Certificates: []tls.Certificate{client.TLS}})

	address := freeport.Address(t)
	start := func(extra ...string) *process {
		return ankasim(t, "controller", append([]string{
			"ANKA_LISTEN_ADDR=" + address, "ANKA_ALLOW_EMPTY_REGISTRY=true", "ANKA_ETCD_ENDPOINTS=" + store.endpoint,
			"ANKA_ETCD_REQUEST_TIMEOUT=5s", "ANKA_USE_ETCD_TLS=true", "ANKA_ETCD_CA_CERT=" + authority.Path,
			"ANKA_USE_HTTPS=true", "ANKA_SERVER_CERT=" + web.CertPath, "ANKA_SERVER_KEY=" + web.KeyPath,
			"ANKA_USE_ETCD_LOGIN=true", "ANKA_ETCD_USERNAME=root",
		}, extra...)...)
	}
	pair := []string{"ANKA_ETCD_CERT=" + client.CertPath, "ANKA_ETCD_CERT_KEY=" + client.KeyPath}
	good := start(append(pair, "ANKA_ETCD_PASSWORD="+secret)...)
	browser := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool}}}
	good.waitFor(browser, 200, "https://"+address+"/readyz")
	good.signal(syscall.SIGTERM)
	if code := good.exitCode(); code != 0 {
		t.Errorf("exit code after SIGTERM: %d", code)
	}

	begin := time.Now()
	wrong := start(append(pair, "ANKA_ETCD_PASSWORD=wrong-"+secret)...)
	if code := wrong.exitCode(); code != 1 || time.Since(begin) > 4*time.Second {
		t.Errorf("wrong password: exit code %d after %s", code, time.Since(begin))
	}
	wrong.wantFatal("refused", store.endpoint)
	bare := start("ANKA_ETCD_REQUEST_TIMEOUT=1s", "ANKA_ETCD_PASSWORD="+secret)
	if code := bare.exitCode(); code != 1 {
		t.Errorf("no client certificate: exit code %d", code)
	}
	skip := func(verify string) *process {
		return ankasim(t, "controller", "ANKA_LISTEN_ADDR="+freeport.Address(t), "ANKA_ALLOW_EMPTY_REGISTRY=true",
			"ANKA_ETCD_ENDPOINTS="+store.endpoint, "ANKA_ETCD_REQUEST_TIMEOUT=2s", "ANKA_USE_ETCD_TLS=true", pair[0], pair[1],
			"ANKA_SKIP_ETCD_TLS_VERIFICATION="+verify, "ANKA_USE_ETCD_LOGIN=true", "ANKA_ETCD_USERNAME=root", "ANKA_ETCD_PASSWORD="+secret)
	}
	if code := skip("false").exitCode(); code != 1 {
		t.Errorf("unknown authority: exit code %d", code)
	}
	unverified := skip("true")
	unverified.until("the listener", func() bool { return strings.Contains(unverified.output.String(), "serving http") })
	anonymous := ankasim(t, "controller", "ANKA_LISTEN_ADDR="+freeport.Address(t), "ANKA_ALLOW_EMPTY_REGISTRY=true",
		"ANKA_ETCD_ENDPOINTS="+store.endpoint, "ANKA_ETCD_REQUEST_TIMEOUT=5s", "ANKA_USE_ETCD_TLS=true",
		"ANKA_ETCD_CA_CERT="+authority.Path, pair[0], pair[1])
	if code := anonymous.exitCode(); code != 1 {
		t.Errorf("no login: exit code %d", code)
	}
	if logs := good.output.String() + wrong.output.String() + bare.output.String(); strings.Contains(logs, secret) {
		t.Errorf("the log shows the password:\n%s", logs)
	}
}

// requireLogin makes etcd ask for user root with the password secret.
func requireLogin(t *testing.T, endpoint string, config *tls.Config) {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{
		Endpoints: []string{endpoint}, TLS: config, DialTimeout: 10 * time.Second, Logger: zap.NewNop(), Context: t.Context(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if _, err := client.UserAdd(t.Context(), "root", secret); err != nil {
		t.Fatal(err)
	}
	if _, err := client.UserGrantRole(t.Context(), "root", "root"); err != nil {
		t.Fatal(err)
	}
	if _, err := client.AuthEnable(t.Context()); err != nil {
		t.Fatal(err)
	}
}
