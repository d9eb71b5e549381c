package serve

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
)

func TestTLSConfig_refusesWhatIsDocumented(t *testing.T) {
	authority := pki.NewAuthority(t, "ca")
	good, weak := authority.Issue(t, "server"), pki.IssueSHA1(t, "weak")
	for name, test := range map[string]struct {
		tls  settings.TLS
		auth settings.Auth
		want string
	}{
		"SHA-1":                 {settings.TLS{Enabled: true, CertPath: weak.CertPath, KeyPath: weak.KeyPath}, settings.Auth{}, "SHA-1"},
		"password":              {settings.TLS{Enabled: true, CertPath: good.CertPath, KeyPath: withBlock(t, good, "ENCRYPTED PRIVATE KEY")}, settings.Auth{}, "without a password"},
		"PKCS#1":                {settings.TLS{Enabled: true, CertPath: good.CertPath, KeyPath: pkcs1Key(t)}, settings.Auth{}, "PKCS#8"},
		"upper case":            {settings.TLS{Enabled: true, CertPath: good.CertPath, KeyPath: good.KeyPath, CipherSuites: []string{"TLS_AES_128_GCM_SHA256"}}, settings.Auth{}, "ANKA_CIPHER_SUITES"},
		"authority, no HTTPS":   {settings.TLS{}, settings.Auth{Enabled: true, CACertPath: "/nowhere.pem"}, "ANKA_CA_CERT"},
		"authority of queue":    {settings.TLS{}, settings.Auth{Enabled: true, CACertPath: "/nowhere.pem", Queue: true}, "ANKA_QUEUE_CA_CERT"},
		"revocations of queue":  {settings.TLS{}, settings.Auth{Enabled: true, CACertPath: authority.Path, CRLPath: "/nowhere.pem", Queue: true}, "ANKA_QUEUE_CRL"},
		"missing chain":         {settings.TLS{Enabled: true, CertPath: good.KeyPath, KeyPath: good.KeyPath}, settings.Auth{}, good.KeyPath},
		"key that is not there": {settings.TLS{Enabled: true, CertPath: good.CertPath, KeyPath: "/nowhere.key"}, settings.Auth{}, "/nowhere.key"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := TLSConfig(test.tls, test.auth); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error that names %s", err, test.want)
			}
		})
	}
	if _, err := TLSConfig(settings.TLS{}, settings.Auth{CACertPath: "/nowhere.pem"}); err != nil {
		t.Errorf("authentication is off: %v", err)
	}
}

// withBlock rewrites the key of p under another heading.
func withBlock(t *testing.T, p pki.Pair, heading string) string {
	t.Helper()
	block, _ := pem.Decode([]byte(p.KeyPEM))
	block.Type = heading
	return write(t, pem.EncodeToMemory(block))
}

func pkcs1Key(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func write(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.pem")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestHandler_revocationGoesByIssuer has two authorities in one file, whose
// certificates have the same serial numbers.
func TestHandler_revocationGoesByIssuer(t *testing.T) {
	one, two := pki.NewAuthority(t, "one"), pki.NewAuthority(t, "two")
	server := one.Issue(t, "server")
	two.Issue(t, "unused")
	first, second := one.Issue(t, "client"), two.Issue(t, "client")
	if first.TLS.Leaf.SerialNumber.Cmp(second.TLS.Leaf.SerialNumber) != 0 {
		t.Fatal("the serial numbers differ, so this shows nothing")
	}
	ask := func(crl string, client pki.Pair, path string) (int, error) {
		s := withProbes()
		s.TLS = settings.TLS{Enabled: true, CertPath: server.CertPath, KeyPath: server.KeyPath}
		s.Auth = settings.Auth{Enabled: true, RootToken: token, CACertPath: write(t, []byte(one.PEM+two.PEM)), CRLPath: crl}
		config, err := TLSConfig(s.TLS, s.Auth)
		if err != nil {
			t.Fatal(err)
		}
		listener := httptest.NewUnstartedServer(Handler(newService(s, &bytes.Buffer{})))
		listener.TLS = config
		listener.StartTLS()
		defer listener.Close()
		browser := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
			RootCAs: one.Pool, Certificates: []tls.Certificate{client.TLS},
		}}}
		defer browser.CloseIdleConnections()
		response, err := browser.Get(listener.URL + path)
		if err != nil {
			return 0, err
		}
		return response.StatusCode, response.Body.Close()
	}
	crl := one.Revoke(t, first)
	if code, err := ask(crl, second, "/data"); err != nil || code != http.StatusOK {
		t.Errorf("same number, other issuer: %d %v", code, err)
	}
	if code, err := ask(crl, first, "/data"); err == nil {
		t.Errorf("revoked: let in with %d", code)
	}
	both, err := os.ReadFile(crl)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(two.Revoke(t, second))
	if err != nil {
		t.Fatal(err)
	}
	if code, err := ask(write(t, append(both, other...)), second, "/data"); err == nil {
		t.Errorf("revoked by the second list: let in with %d", code)
	}
}

// TestHandler_tokenBesideCertificates: with both on, either opens the door.
func TestHandler_tokenBesideCertificates(t *testing.T) {
	authority := pki.NewAuthority(t, "ca")
	server, client := authority.Issue(t, "server"), authority.Issue(t, "client")
	s := withProbes()
	s.TLS = settings.TLS{Enabled: true, CertPath: server.CertPath, KeyPath: server.KeyPath}
	s.Auth = settings.Auth{Enabled: true, RootToken: token, CACertPath: authority.Path}
	config, err := TLSConfig(s.TLS, s.Auth)
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewUnstartedServer(Handler(newService(s, &bytes.Buffer{})))
	listener.TLS = config
	listener.StartTLS()
	defer listener.Close()
	for name, test := range map[string]struct {
		certificates []tls.Certificate
		password     string
		want         int
	}{
		"token":                       {nil, token, 200},
		"certificate":                 {[]tls.Certificate{client.TLS}, "", 200},
		"both":                        {[]tls.Certificate{client.TLS}, token, 200},
		"certificate and wrong token": {[]tls.Certificate{client.TLS}, "wrong", 200},
		"wrong token":                 {nil, "wrong", 401},
		"neither":                     {nil, "", 401},
	} {
		browser := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool, Certificates: test.certificates}}}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, listener.URL+"/data", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if test.password != "" {
			request.SetBasicAuth("root", test.password)
		}
		response, err := browser.Do(request)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = response.Body.Close()
		browser.CloseIdleConnections()
		if response.StatusCode != test.want {
			t.Errorf("%s: got %d, want %d", name, response.StatusCode, test.want)
		}
	}
}
