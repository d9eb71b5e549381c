package serve

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
)

func TestRun_finishesRequestsAndStops(t *testing.T) {
	s := withProbes()
	s.ListenAddr = freeport.Address(t)
	s.GracefulShutdown = 5 * time.Second
	s.Metrics = settings.Metrics{Enabled: true, Path: "/m", Port: int(netip.MustParseAddrPort(freeport.Address(t)).Port())}
	service := newService(s, &bytes.Buffer{})
	started, release := make(chan struct{}), make(chan struct{})
	service.Protected.HandleFunc("GET /slow", func(w http.ResponseWriter, _ *http.Request) {
		close(started)
		<-release
		plain(w, http.StatusOK, "whole")
	})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, service) }()
	base := "http://" + s.ListenAddr
	waitFor(t, "the listener", func() bool { _, err := fetch(base + "/livez"); return err == nil })

	metrics, err := fetch("http://127.0.0.1:" + strconv.Itoa(s.Metrics.Port) + "/m")
	if err != nil || !strings.Contains(metrics, `ankasim_http_requests_total{code="200",method="get"}`) {
		t.Errorf("metrics: %v %s", err, metrics)
	}
	type result struct {
		body string
		err  error
	}
	slow := make(chan result, 1)
	go func() { body, err := fetch(base + "/slow"); slow <- result{body, err} }()
	<-started
	stop()
	waitFor(t, "the end of new connections", func() bool {
		connection, err := net.Dial("tcp", s.ListenAddr)
		if err == nil {
			_ = connection.Close()
		}
		return err != nil
	})
	close(release)
	if got := <-slow; got.err != nil || got.body != "whole" {
		t.Errorf("request in flight: %+v", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("end: %v", err)
	}
}

func TestRun_takenPortIsAnError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	s := withProbes()
	s.ListenAddr = listener.Addr().String()
	if err := Run(t.Context(), newService(s, &bytes.Buffer{})); err == nil || !strings.Contains(err.Error(), s.ListenAddr) {
		t.Errorf("got %v", err)
	}
}

func TestTLSConfig_versions(t *testing.T) {
	authority := pki.NewAuthority(t, "ca")
	pair := authority.Issue(t, "server")
	config, err := TLSConfig(settings.TLS{
		Enabled: true, CertPath: pair.CertPath, KeyPath: pair.KeyPath, MinVersion: "tls_1.2", MaxVersion: "tls_1.2",
		CipherSuites: []string{"tls_ecdhe_ecdsa_with_aes_256_gcm_sha384"},
	}, settings.Auth{})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_ = connection.(*tls.Conn).Handshake()
			_ = connection.Close()
		}
	}()
	connection, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{RootCAs: authority.Pool})
	if err != nil {
		t.Fatal(err)
	}
	state := connection.ConnectionState()
	_ = connection.Close()
	if state.Version != tls.VersionTLS12 || state.CipherSuite != tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 {
		t.Errorf("negotiated %s with %s", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite))
	}
	if _, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{RootCAs: authority.Pool, MinVersion: tls.VersionTLS13}); err == nil {
		t.Error("TLS 1.3 got in above ANKA_MAX_TLS_VERSION")
	}
}

func TestTLSConfig_refuses(t *testing.T) {
	authority := pki.NewAuthority(t, "ca")
	good, other := authority.Issue(t, "server"), authority.Issue(t, "other")
	base := settings.TLS{Enabled: true, CertPath: good.CertPath, KeyPath: good.KeyPath}
	for name, test := range map[string]struct {
		change func(*settings.TLS, *settings.Auth)
		want   string
	}{
		"missing certificate": {func(s *settings.TLS, _ *settings.Auth) { s.CertPath = "/nowhere.pem" }, "/nowhere.pem"},
		"key of another":      {func(s *settings.TLS, _ *settings.Auth) { s.KeyPath = other.KeyPath }, "private key"},
		"key not PKCS#8":      {func(s *settings.TLS, _ *settings.Auth) { s.KeyPath = sec1Key(t, good) }, "PKCS#8"},
		"versions crossed":    {func(s *settings.TLS, _ *settings.Auth) { s.MinVersion, s.MaxVersion = "tls_1.3", "tls_1.2" }, "ANKA_MIN_TLS_VERSION"},
		"unknown suite":       {func(s *settings.TLS, _ *settings.Auth) { s.CipherSuites = []string{"ROT13"} }, "ROT13"},
		"no authority":        {func(_ *settings.TLS, a *settings.Auth) { a.CACertPath = good.KeyPath }, "ANKA_CA_CERT"},
		"no revocation list":  {func(_ *settings.TLS, a *settings.Auth) { a.CACertPath, a.CRLPath = authority.Path, good.CertPath }, "ANKA_CRL"},
	} {
		t.Run(name, func(t *testing.T) {
			s, auth := base, settings.Auth{Enabled: true}
			test.change(&s, &auth)
			if _, err := TLSConfig(s, auth); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error that names %s", err, test.want)
			}
		})
	}
	if _, err := TLSConfig(base, settings.Auth{}); err != nil {
		t.Errorf("the untouched settings: %v", err)
	}
}

// sec1Key rewrites the key of p in the older encoding.
func sec1Key(t *testing.T, p pki.Pair) string {
	t.Helper()
	data, err := os.ReadFile(p.KeyPath)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sec1.pem")
	block.Type = "EC PRIVATE KEY"
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func fetch(url string) (string, error) {
	response, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}
