package serve

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
)

func TestHandler_reportsFiles(t *testing.T) {
	pair := pki.NewAuthority(t, "ca").Issue(t, "server")
	s := withProbes()
	s.Auth = settings.Auth{Enabled: true}
	s.Environment = settings.Environment{
		"ANKA_SERVER_KEY": pair.KeyPath, "ANKA_CRL": "/nowhere.pem", "ANKA_CA_CERT": "", "ANKA_BASE_PATH": "/tmp",
	}
	answer := httptest.NewRecorder()
	Handler(newService(s, &bytes.Buffer{})).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/ankasim/files", http.NoBody))
	got := answer.Body.String()
	if !strings.Contains(got, `"ANKA_SERVER_KEY":{"path":"`+pair.KeyPath+`","mode":"0600","sha256":"`) ||
		!strings.Contains(got, `"ANKA_CRL":{"path":"/nowhere.pem","mode":"","sha256":"","error":"`) ||
		strings.Contains(got, "ANKA_CA_CERT") || strings.Contains(got, "BASE_PATH") || strings.Contains(got, "PRIVATE KEY") {
		t.Error(got)
	}
}

func TestHandler_countsRequests(t *testing.T) {
	handler := Handler(newService(withProbes(), &bytes.Buffer{}))
	for _, path := range []string{"/readyz", "/readyz", "/data", "/other", "/ankasim/env", "/ankasim/requests"} {
		get(handler, path)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/ankasim/requests", http.NoBody))
	if got := answer.Body.String(); got != `{"total":4,"paths":{"/data":1,"/other":1,"/readyz":2}}` {
		t.Error(got)
	}
	for i := range 2 * maxPaths {
		get(handler, "/"+strconv.Itoa(i))
	}
	answer = httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/ankasim/requests", http.NoBody))
	if got := answer.Body.String(); !strings.Contains(got, `"total":404`) || strings.Count(got, ":") > maxPaths+3 {
		t.Error(got)
	}
}

func TestHandler_readyHang(t *testing.T) {
	s := withProbes()
	s.Faults.ReadyHang = true
	handler := Handler(newService(s, &bytes.Buffer{}))
	if code := get(handler, "/livez"); code != http.StatusOK {
		t.Errorf("liveness: %d", code)
	}
	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan struct{})
	answer := httptest.NewRecorder()
	go func() {
		handler.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodGet, "/readyz", http.NoBody))
		close(ended)
	}()
	select {
	case <-ended:
		t.Errorf("answered %d before the client left", answer.Code)
	default:
	}
	leave()
	<-ended
	if answer.Body.Len() > 0 {
		t.Errorf("answered %s", answer.Body)
	}
}

func TestRun_furtherInterface(t *testing.T) {
	s := withProbes()
	s.GracefulShutdown = 10 * time.Second
	s.ListenAddr = freeport.Address(t)
	service := newService(s, &bytes.Buffer{})
	also := newService(s, &bytes.Buffer{})
	also.Settings.ListenAddr = freeport.Address(t)
	also.Settings.Auth = settings.Auth{Enabled: true, RootToken: token, Queue: true}
	service.Also = []Service{also}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, service) }()
	for _, address := range []string{s.ListenAddr, also.Settings.ListenAddr} {
		waitFor(t, address, func() bool { body, err := fetch("http://" + address + "/livez"); return err == nil && body == "ok" })
	}
	if body, err := fetch("http://" + s.ListenAddr + "/data"); err != nil || body != "data" {
		t.Errorf("first interface: %s %v", body, err)
	}
	if body, err := fetch("http://" + also.Settings.ListenAddr + "/data"); err != nil || !strings.Contains(body, "Authentication Required") {
		t.Errorf("further interface: %s %v", body, err)
	}
	if body, err := fetch("http://root:" + token + "@" + also.Settings.ListenAddr + "/data"); err != nil || body != "data" {
		t.Errorf("further interface with the token: %s %v", body, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("end: %v", err)
	}

	also.Settings.TLS = settings.TLS{Enabled: true, CertPath: "/nowhere.pem", KeyPath: "/nowhere.key"}
	bad := newService(s, &bytes.Buffer{})
	bad.Also = []Service{also}
	if err := Run(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "/nowhere.pem") {
		t.Errorf("bad certificate of the further interface: %v", err)
	}
}
