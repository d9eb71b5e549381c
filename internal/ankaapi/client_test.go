package ankaapi

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const (
	documented = `{"status":"OK","message":"","body":{"status":"Running","version":"1.50.1-5e3c3f5b",` +
		`"registry_address":"http://10.0.1.4:8089","registry_status":"Running","license":"enterprise plus"}}`
	registryRunning = `{"status":"OK","body":{"status":"Running","version":"1.50.1-5e3c3f5b"},"message":""}`
	refused         = `{"status":"FAIL","message":"Authentication Required"}`
)

type page struct {
	code int
	body string
}

// serve answers the given paths, and everything else with 404.
func serve(t *testing.T, pages map[string]page) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if strings.HasPrefix(p.body, "<") {
			w.Header().Set("Content-Type", "text/html")
		}
		w.WriteHeader(p.code)
		_, _ = w.Write([]byte(p.body))
	}))
	t.Cleanup(server.Close)
	return server
}

func connect(t *testing.T, cfg Config) *Client {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestStatus_documented(t *testing.T) {
	server := serve(t, map[string]page{"/api/v1/status": {200, documented}})
	got, err := connect(t, Config{URL: server.URL}).Status(t.Context())
	want := Status{
		Status: "Running", Version: "1.50.1-5e3c3f5b", RegistryAddress: "http://10.0.1.4:8089",
		RegistryStatus: "Running", License: "enterprise plus",
	}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestStatus_errors(t *testing.T) {
	for name, c := range map[string]struct {
		pages map[string]page
		kind  Kind
		text  string
	}{
		"authentication": {map[string]page{"/api/v1/status": {401, refused}}, Unauthorized, "anka_auth"},
		"html page":      {map[string]page{"/api/v1/status": {200, "<html>"}}, NotAnka, "an HTML page"},
		"other json":     {map[string]page{"/api/v1/status": {200, `{"up":true}`}}, NotAnka, "not the JSON"},
		"not found":      {nil, NotAnka, "HTTP 404"},
		"registry":       {map[string]page{"/registry/status": {200, registryRunning}}, WrongService, "URL of a registry, not of a controller"},
		"locked registry": {
			map[string]page{"/registry/status": {401, refused}}, WrongService, "URL of a registry, not of a controller",
		},
		"failing":  {map[string]page{"/api/v1/status": {500, `{"status":"FAIL","message":"etcd"}`}}, Failed, "etcd"},
		"redirect": {map[string]page{"/api/v1/status": {302, ""}}, NotAnka, "redirects"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := connect(t, Config{URL: serve(t, c.pages).URL}).Status(t.Context())
			if !Is(err, c.kind) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want %s with %q", err, c.kind, c.text)
			}
		})
	}
}

func TestStatus_unreachableAndTimeout(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silent := "http://" + listener.Addr().String()
	_, err = connect(t, Config{URL: silent, Timeout: 50 * time.Millisecond}).Status(t.Context())
	if !Is(err, Timeout) {
		t.Errorf("a silent server: got %v", err)
	}
	_ = listener.Close()
	_, err = connect(t, Config{URL: silent}).Status(t.Context())
	if !Is(err, Unreachable) {
		t.Errorf("a closed port: got %v", err)
	}
}

func TestStatus_tls(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(documented))
	}))
	server.Config.ErrorLog = nil
	defer server.Close()
	if _, err := connect(t, Config{URL: server.URL}).Status(t.Context()); !Is(err, TLSFailure) {
		t.Errorf("without the CA: got %v", err)
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if _, err := connect(t, Config{URL: server.URL, Credentials: Credentials{CA: string(ca)}}).Status(t.Context()); err != nil {
		t.Errorf("with the CA: got %v", err)
	}
	plain := serve(t, map[string]page{"/api/v1/status": {200, documented}})
	wrong := strings.Replace(plain.URL, "http://", "https://", 1)
	if _, err := connect(t, Config{URL: wrong}).Status(t.Context()); !Is(err, TLSFailure) {
		t.Errorf("https against http: got %v", err)
	}
}

func TestReady(t *testing.T) {
	old := `{"status":"OK","message":"","body":{"status":"Starting"}}`
	for name, c := range map[string]struct {
		service Service
		pages   map[string]page
		kind    Kind // "" when ready
	}{
		"ready":                     {Controller, map[string]page{"/readyz": {200, "ok"}}, ""},
		"not ready":                 {Controller, map[string]page{"/readyz": {503, "no"}}, Failed},
		"old and running":           {Controller, map[string]page{"/api/v1/status": {200, documented}}, ""},
		"old and starting":          {Controller, map[string]page{"/api/v1/status": {200, old}}, Failed},
		"old and locked":            {Controller, map[string]page{"/api/v1/status": {401, refused}}, ""},
		"old and locked, HTTP 403":  {Controller, map[string]page{"/api/v1/status": {403, refused}}, ""},
		"locked by another":         {Controller, map[string]page{"/readyz": {401, "login"}, "/api/v1/status": {401, "login"}}, NotAnka},
		"login page":                {Controller, map[string]page{"/readyz": {401, "<html>"}, "/api/v1/status": {401, "<html>"}}, NotAnka},
		"forbidden by another":      {Registry, map[string]page{"/registry/status": {403, `{"error":"no"}`}}, NotAnka},
		"old, page for every path":  {Controller, map[string]page{"/readyz": {200, "<html>"}, "/api/v1/status": {200, documented}}, ""},
		"old registry":              {Registry, map[string]page{"/registry/status": {200, registryRunning}}, ""},
		"web server, no controller": {Controller, map[string]page{"/readyz": {200, "<html>"}}, NotAnka},
	} {
		t.Run(name, func(t *testing.T) {
			err := connect(t, Config{URL: serve(t, c.pages).URL}).Ready(t.Context(), c.service)
			if (c.kind == "") != (err == nil) || (c.kind != "" && !Is(err, c.kind)) {
				t.Errorf("got %v, want %q", err, c.kind)
			}
		})
	}
}

// TestReady_withCredentials: where they are the service's, its status decides;
// where they are not, the service serves nevertheless.
func TestReady_withCredentials(t *testing.T) {
	const right = "right-token"
	starting := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		switch {
		case r.URL.Path != "/api/v1/status":
			http.NotFound(w, r)
		case password != right:
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(refused))
		case starting:
			_, _ = w.Write([]byte(`{"status":"OK","message":"","body":{"status":"Starting"}}`))
		default:
			_, _ = w.Write([]byte(documented))
		}
	}))
	defer server.Close()
	for _, token := range []string{"", "wrong-token", right} {
		if err := connect(t, Config{URL: server.URL, Credentials: Credentials{RootToken: token}}).Ready(t.Context(), Controller); err != nil {
			t.Errorf("token %q: %v", token, err)
		}
	}
	starting = true
	wants(t, connect(t, Config{URL: server.URL, Credentials: Credentials{RootToken: right}}).Ready(t.Context(), Controller), Failed, `"Starting"`)
}

func TestRootToken_isSentAndNeverShown(t *testing.T) {
	const token = "canary-root-token"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if r.URL.Path == "/readyz" && r.Header.Get("Authorization") != "" {
			t.Error("the probe was sent credentials")
		}
		if user != "root" || password != token {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(refused))
			return
		}
		_, _ = w.Write([]byte(documented))
	}))
	defer server.Close()
	if _, err := connect(t, Config{URL: server.URL, Credentials: Credentials{RootToken: token}}).Status(t.Context()); err != nil {
		t.Error(err)
	}
	_, err := connect(t, Config{URL: server.URL, Credentials: Credentials{RootToken: token + "x"}}).Status(t.Context())
	if !Is(err, Unauthorized) || strings.Contains(err.Error(), token) {
		t.Errorf("got %v", err)
	}
	_ = connect(t, Config{URL: server.URL, Credentials: Credentials{RootToken: token}}).Ready(t.Context(), Controller)
}

func TestAPIKey(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	const session = `{"userName":"u","sessionId":"s","token":"t"}`
	shakes := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ ID, Secret string }
		switch r.URL.Path {
		case "/tap/v1/hand":
			sealed, _ := rsa.EncryptOAEP(sha256.New(), rand.Reader, &key.PublicKey, []byte("once"), nil)
			_, _ = w.Write([]byte(base64.StdEncoding.EncodeToString(sealed)))
		case "/tap/v1/shake":
			shakes++
			_ = json.NewDecoder(r.Body).Decode(&body)
			if body.ID != "ci" || body.Secret != "once" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = w.Write([]byte(`{"id":"ci","data":` + session + `}`))
		default:
			if r.Header.Get("Authorization") != "Bearer "+base64.StdEncoding.EncodeToString([]byte(session)) {
				w.WriteHeader(http.StatusUnauthorized)
			}
			_, _ = w.Write([]byte(documented))
		}
	}))
	defer server.Close()
	encoded := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	c := connect(t, Config{URL: server.URL, Credentials: Credentials{APIKeyID: "ci", APIKey: string(encoded)}})
	for range 2 {
		if _, err := c.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if shakes != 1 {
		t.Errorf("got %d handshakes for two requests, want 1", shakes)
	}
	other := connect(t, Config{URL: server.URL, Credentials: Credentials{APIKeyID: "else", APIKey: string(encoded)}})
	if _, err := other.Status(t.Context()); !Is(err, Unauthorized) {
		t.Errorf("an unknown key: got %v", err)
	}
}

func TestNew_badInput(t *testing.T) {
	for _, cfg := range []Config{
		{URL: "10.0.1.4:80"},
		{URL: "ftp://10.0.1.4"},
		{URL: "http://h", Credentials: Credentials{CA: "canary"}},
		{URL: "http://h", Credentials: Credentials{ClientCert: "canary", ClientKey: "canary"}},
		{URL: "http://h", Credentials: Credentials{APIKeyID: "id", APIKey: "canary!"}},
	} {
		_, err := New(cfg)
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%+v: got %v", cfg, err)
		}
	}
}

func TestDial_isUsed(t *testing.T) {
	server := serve(t, map[string]page{"/readyz": {200, "ok"}})
	var asked string
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		asked = address
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}
	if err := connect(t, Config{URL: "http://10.0.1.4", Dial: dial}).Ready(t.Context(), Controller); err != nil || asked != "10.0.1.4:80" {
		t.Errorf("dialled %q, got %v", asked, err)
	}
	broken := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("tunnel is down") }
	err := connect(t, Config{URL: "http://10.0.1.4", Dial: broken}).Ready(t.Context(), Controller)
	if !Is(err, Unreachable) || !strings.Contains(err.Error(), "tunnel is down") {
		t.Errorf("got %v", err)
	}
}
