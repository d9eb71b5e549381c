package ankaapi

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/inprocess"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
)

const rootToken = "canary-root-token"

func locked(more inprocess.Env) inprocess.Env {
	env := inprocess.Env{"ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": rootToken, "ANKA_ENABLE_API_KEYS": "true"}
	for name, v := range more {
		env[name] = v
	}
	return env
}

func file(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// wants fails unless err is of the kind and says all of what is wanted, and
// never what a test marks as secret.
func wants(t *testing.T, err error, kind Kind, texts ...string) {
	t.Helper()
	if !Is(err, kind) {
		t.Fatalf("got %v, want kind %q", err, kind)
	}
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("a secret is in the text: %v", err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("got %v\nwant %q", err, text)
		}
	}
}

// TestStandIn_refusals: what is missing and what is wrong are told apart.
func TestStandIn_refusals(t *testing.T) {
	url := inprocess.Controller(t, inprocess.NewStore(), locked(nil))
	key := inprocess.APIKey(t, url, "ci")
	authority := pki.NewAuthority(t, "clients")
	pair := authority.Issue(t, "canary-client")
	for name, c := range map[string]struct {
		given Credentials
		text  string
	}{
		"none":              {Credentials{}, "none were sent; set anka_auth"},
		"wrong token":       {Credentials{RootToken: rootToken + "x"}, "does not accept the root token of anka_auth"},
		"unknown key":       {Credentials{APIKeyID: "else", APIKey: key}, `the API key "else" was refused (HTTP 401)`},
		"certificate, http": {Credentials{ClientCert: file(t, pair.CertPath), ClientKey: file(t, pair.KeyPath)}, "cannot be shown over http://"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := connect(t, Config{URL: url, Credentials: c.given}).Status(t.Context())
			wants(t, err, Unauthorized, c.text, url)
		})
	}
	other := inprocess.APIKey(t, inprocess.Controller(t, inprocess.NewStore(), locked(nil)), "ci")
	_, err := connect(t, Config{URL: url, Credentials: Credentials{APIKeyID: "ci", APIKey: other}}).Status(t.Context())
	wants(t, err, Unauthorized, `not the one of the API key "ci"`)

	off := inprocess.Controller(t, inprocess.NewStore(), inprocess.Env{"ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": rootToken})
	_, err = connect(t, Config{URL: off, Credentials: Credentials{APIKeyID: "ci", APIKey: key}}).Status(t.Context())
	wants(t, err, Unauthorized, "ANKA_ENABLE_API_KEYS")
}

// TestStandIn_sessionEndsEarly: a session that the controllers no longer have
// is replaced once, by the key, and without an error.
func TestStandIn_sessionEndsEarly(t *testing.T) {
	store := inprocess.NewStore()
	url := inprocess.Controller(t, store, locked(nil))
	c := connect(t, Config{URL: url, Credentials: Credentials{APIKeyID: "ci", APIKey: inprocess.APIKey(t, url, "ci")}})
	for round := range 3 {
		for range 2 {
			if _, err := c.Status(t.Context()); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		if n := store.EndSessions(); n != 1 {
			t.Errorf("round %d: %d sessions for two requests, want 1", round, n)
		}
	}
	if _, err := c.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The client's own limit: no request is made with a session that is over.
	c.key.expires = c.key.expires.Add(-sessionLife)
	ended := c.key.header
	if _, err := c.Status(t.Context()); err != nil || c.key.header == ended {
		t.Errorf("the session was not renewed: %v", err)
	}
}

func TestStandIn_tls(t *testing.T) {
	servers, clients := pki.NewAuthority(t, "servers"), pki.NewAuthority(t, "clients")
	server, good, revoked := servers.Issue(t, "server"), clients.Issue(t, "good"), clients.Issue(t, "revoked")
	foreign := servers.Issue(t, "foreign")
	url := inprocess.Controller(t, inprocess.NewStore(), locked(inprocess.Env{
		"ANKA_USE_HTTPS": "true", "ANKA_SERVER_CERT": server.CertPath, "ANKA_SERVER_KEY": server.KeyPath,
		"ANKA_CA_CERT": clients.Path, "ANKA_CRL": clients.Revoke(t, revoked),
	}))
	ca := file(t, servers.Path)
	ask := func(url string, c Credentials) error {
		_, err := connect(t, Config{URL: url, Credentials: c}).Status(t.Context())
		return err
	}
	with := func(p pki.Pair) Credentials {
		return Credentials{CA: ca, ClientCert: file(t, p.CertPath), ClientKey: file(t, p.KeyPath)}
	}
	if err := ask(url, with(good)); err != nil {
		t.Errorf("client certificate: %v", err)
	}
	if err := ask(url, Credentials{CA: ca, RootToken: rootToken}); err != nil {
		t.Errorf("root token: %v", err)
	}
	wants(t, ask(url, Credentials{CA: ca}), Unauthorized, "none were sent")
	wants(t, ask(url, with(revoked)), TLSFailure, "does not accept the client certificate", "ANKA_CRL")
	wants(t, ask(url, with(foreign)), Unauthorized, "another authority signed it", "ANKA_CA_CERT")
	wants(t, ask(url, Credentials{RootToken: rootToken}), TLSFailure, "an authority that is not known here; set ca_pem or ca_path")
	wants(t, ask(strings.Replace(url, "https://", "http://", 1), Credentials{}), TLSFailure, "change it to https://")
	_, port, _ := strings.Cut(strings.TrimPrefix(url, "https://"), ":")
	named := connect(t, Config{URL: "https://controller.example:" + port, Dial: to("127.0.0.1:" + port), Credentials: Credentials{CA: ca}})
	_, err := named.Status(t.Context())
	wants(t, err, TLSFailure, "the server's certificate is for localhost, 127.0.0.1 and not for the host of this URL")
	// Probes go the same way, with the same words.
	wants(t, connect(t, Config{URL: strings.Replace(url, "https://", "http://", 1)}).Ready(t.Context(), Controller), TLSFailure, "change it to https://")
	plain := inprocess.Controller(t, inprocess.NewStore(), nil)
	wants(t, ask(strings.Replace(plain, "http://", "https://", 1), Credentials{}), TLSFailure, "does not speak HTTPS", "begins with http://")
}

// TestStandIn_otherService: the two kinds of services are told apart, locked or
// not, in both directions.
func TestStandIn_otherService(t *testing.T) {
	token := Credentials{RootToken: rootToken}
	for name, c := range map[string]struct {
		env   inprocess.Env
		given Credentials
	}{"open": {nil, Credentials{}}, "locked": {inprocess.Env{"ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": rootToken}, token}} {
		t.Run(name, func(t *testing.T) {
			registry := inprocess.Registry(t, c.env)
			_, err := connect(t, Config{URL: registry, Credentials: c.given}).Status(t.Context())
			wants(t, err, WrongService, "the URL of a registry, not of a controller", "8089")
			_, err = connect(t, Config{URL: registry, Credentials: c.given}).Nodes(t.Context())
			wants(t, err, WrongService, "the URL of a registry, not of a controller")
			_, err = connect(t, Config{URL: inprocess.Controller(t, inprocess.NewStore(), c.env), Credentials: c.given}).RegistryStatus(t.Context())
			wants(t, err, WrongService, "the URL of a controller, not of a registry")
			if _, err := connect(t, Config{URL: registry, Credentials: c.given}).RegistryStatus(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestForbidden(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"status":"FAIL","message":"no"}`))
	}))
	defer server.Close()
	_, err := connect(t, Config{URL: server.URL, Credentials: Credentials{RootToken: rootToken}}).Nodes(t.Context())
	wants(t, err, Unauthorized, "the service knows the root token of anka_auth, and does not allow", "HTTP 403")
	_, err = connect(t, Config{URL: server.URL}).Nodes(t.Context())
	wants(t, err, Unauthorized, "the service does not allow what was asked without credentials (HTTP 403); set anka_auth in the provider block")
}
