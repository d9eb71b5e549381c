package serve

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/glog"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
)

const token = "correct-horse-battery"

// newService serves one protected path, /data, that answers "data".
func newService(s settings.Server, log *bytes.Buffer) Service {
	service := Service{
		Settings: s, Log: glog.New(log, time.Now), Open: http.NewServeMux(), Protected: http.NewServeMux(),
		Ready: func(context.Context) error { return nil },
	}
	service.Protected.HandleFunc("GET /data", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "data") })
	return service
}

func withProbes() settings.Server {
	return settings.Server{Faults: settings.Faults{Version: "1.50.1-5e3c3f5b"}}
}

func TestHandler_authentication(t *testing.T) {
	const refused = `{"status":"FAIL","message":"Authentication Required"}`
	on := settings.Auth{Enabled: true, RootToken: token}
	basic := func(user, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(user, password) }
	}
	header := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", value) }
	}
	none := func(*http.Request) {}
	for name, test := range map[string]struct {
		auth settings.Auth
		path string
		with func(*http.Request)
		code int
		body string
	}{
		"off":                        {settings.Auth{RootToken: token}, "/data", none, 200, "data"},
		"off, wrong token":           {settings.Auth{RootToken: token}, "/data", basic("root", "wrong"), 200, "data"},
		"no credentials":             {on, "/data", none, 401, refused},
		"unknown path":               {on, "/other", none, 401, refused},
		"root token":                 {on, "/data", basic("root", token), 200, "data"},
		"root token, unknown path":   {on, "/other", basic("root", token), 404, "404 page not found\n"},
		"wrong token":                {on, "/data", basic("root", token+"x"), 401, refused},
		"empty token":                {on, "/data", basic("root", ""), 401, refused},
		"wrong user":                 {on, "/data", basic("admin", token), 401, refused},
		"token as bearer":            {on, "/data", header("Bearer " + token), 401, refused},
		"malformed":                  {on, "/data", header("Basic %%%"), 401, refused},
		"no token configured":        {settings.Auth{Enabled: true}, "/data", basic("root", ""), 401, refused},
		"liveness is open":           {on, "/livez", none, 200, "ok"},
		"readiness is open":          {on, "/readyz", none, 200, "ok"},
		"report of the environment":  {on, "/ankasim/env", none, 200, `{"ANKA_X":"y"}`},
		"wrong method, no challenge": {settings.Auth{}, "/data", func(r *http.Request) { r.Method = "PUT" }, 405, "Method Not Allowed\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := withProbes()
			s.Auth, s.AccessLogs = test.auth, true
			s.Environment = settings.Environment{"ANKA_X": "y", "ANKASIM_EXIT": "1"}
			var log bytes.Buffer
			request := httptest.NewRequest(http.MethodGet, test.path+"?q="+token, http.NoBody)
			test.with(request)
			answer := httptest.NewRecorder()
			Handler(newService(s, &log)).ServeHTTP(answer, request)
			if answer.Code != test.code || answer.Body.String() != test.body {
				t.Errorf("got %d %s, want %d %s", answer.Code, answer.Body, test.code, test.body)
			}
			if !strings.Contains(log.String(), test.path) || strings.Contains(log.String(), token) {
				t.Errorf("access log must name the path and no secret: %s", log.String())
			}
		})
	}
}

func TestHandler_moreCredentials(t *testing.T) {
	s := withProbes()
	s.Auth = settings.Auth{Enabled: true}
	service := newService(s, &bytes.Buffer{})
	service.Credentials = []Authenticator{func(r *http.Request) bool { return r.Header.Get("X-Key") == "k" }}
	handler := Handler(service)
	for key, want := range map[string]int{"k": http.StatusOK, "other": http.StatusUnauthorized} {
		request := httptest.NewRequest(http.MethodGet, "/data", http.NoBody)
		request.Header.Set("X-Key", key)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if answer.Code != want {
			t.Errorf("%s: got %d, want %d", key, answer.Code, want)
		}
	}
}

func TestHandler_clientCertificates(t *testing.T) {
	trusted, foreign := pki.NewAuthority(t, "trusted"), pki.NewAuthority(t, "foreign")
	server, client, revoked := trusted.Issue(t, "server"), trusted.Issue(t, "client"), trusted.Issue(t, "revoked")
	stranger := foreign.Issue(t, "stranger")
	s := withProbes()
	s.TLS = settings.TLS{Enabled: true, CertPath: server.CertPath, KeyPath: server.KeyPath}
	s.Auth = settings.Auth{Enabled: true, CACertPath: trusted.Path, CRLPath: trusted.Revoke(t, revoked)}
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
		path         string
		code         int // 0: the handshake fails
	}{
		"trusted":                {[]tls.Certificate{client.TLS}, "/data", 200},
		"none":                   {nil, "/data", 401},
		"none, probe":            {nil, "/readyz", 200},
		"of another authority":   {[]tls.Certificate{stranger.TLS}, "/data", 0},
		"revoked":                {[]tls.Certificate{revoked.TLS}, "/data", 0},
		"revoked, even for open": {[]tls.Certificate{revoked.TLS}, "/readyz", 0},
	} {
		t.Run(name, func(t *testing.T) {
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
				RootCAs: trusted.Pool,
				// As a client that ignores which authorities the server asks for.
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					if len(test.certificates) == 0 {
						return &tls.Certificate{}, nil
					}
					return &test.certificates[0], nil
				},
			}}}
			defer client.CloseIdleConnections()
			response, err := client.Get(listener.URL + test.path)
			if test.code == 0 {
				if err == nil {
					_ = response.Body.Close()
					t.Fatalf("let in with HTTP %d", response.StatusCode)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != test.code {
				t.Errorf("got %d, want %d", response.StatusCode, test.code)
			}
		})
	}
}

func TestHandler_probes(t *testing.T) {
	notReady := errors.New("etcd does not answer")
	for name, test := range map[string]struct {
		faults settings.Faults
		ready  error
		want   map[string]int
	}{
		"ready":         {settings.Faults{Version: "1.50.1"}, nil, map[string]int{"/livez": 200, "/readyz": 200}},
		"not ready":     {settings.Faults{Version: "1.50.1"}, notReady, map[string]int{"/livez": 200, "/readyz": 503}},
		"never ready":   {settings.Faults{Version: "1.50.1", NeverReady: true}, nil, map[string]int{"/livez": 200, "/readyz": 503, "/data": 200}},
		"before 1.41.1": {settings.Faults{Version: "1.40.0"}, nil, map[string]int{"/livez": 404, "/readyz": 404, "/data": 200}},
	} {
		t.Run(name, func(t *testing.T) {
			service := newService(settings.Server{Faults: test.faults}, &bytes.Buffer{})
			service.Ready = func(context.Context) error { return test.ready }
			handler := Handler(service)
			for path, want := range test.want {
				if code := get(handler, path); code != want {
					t.Errorf("%s: got %d, want %d", path, code, want)
				}
			}
		})
	}
}

func TestHandler_readyDelay(t *testing.T) {
	s := withProbes()
	s.Faults.ReadyDelay = 300 * time.Millisecond
	start := time.Now()
	handler := Handler(newService(s, &bytes.Buffer{}))
	if code := get(handler, "/readyz"); code != http.StatusServiceUnavailable && time.Since(start) < s.Faults.ReadyDelay {
		t.Fatalf("ready at once: %d", code)
	}
	waitFor(t, "readiness", func() bool { return get(handler, "/readyz") == http.StatusOK })
	if waited := time.Since(start); waited < s.Faults.ReadyDelay {
		t.Errorf("ready after %s", waited)
	}
}

func get(handler http.Handler, path string) int {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, http.NoBody))
	return answer.Code
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s did not come within 10s", what)
		case <-tick.C:
		}
	}
}
