package ankaapi

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
)

// shows serves the documented status with a certificate of the test's choice,
// which signs itself, and returns URL and PEM.
func shows(t *testing.T, template x509.Certificate, security *tls.Config) (url, certificate string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(1)
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(documented))
	}))
	server.Config.ErrorLog = silent()
	if security == nil {
		security = &tls.Config{}
	}
	security.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	server.TLS = security
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestTLS_certificates(t *testing.T) {
	day := 24 * time.Hour
	good := x509.Certificate{
		NotBefore: time.Now().Add(-day), NotAfter: time.Now().Add(day), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	expired, future, nameless, client := good, good, good, good
	expired.NotBefore, expired.NotAfter = time.Now().Add(-2*day), time.Now().Add(-day)
	future.NotBefore = time.Now().Add(day / 2)
	nameless.IPAddresses = nil
	client.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	for name, c := range map[string]struct {
		template x509.Certificate
		security *tls.Config
		text     string // "" when it is accepted
	}{
		"good":        {template: good},
		"expired":     {template: expired, text: "is valid from " + date(expired.NotBefore) + " to " + date(expired.NotAfter) + " and not now"},
		"future":      {template: future, text: "clock of this machine"},
		"nameless":    {template: nameless, text: "is for no name at all"},
		"for clients": {template: client, text: "cannot be verified"},
		"old version": {good, &tls.Config{MaxVersion: tls.VersionTLS11}, "no version of TLS in common"},
		"other suites": {
			good, &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256}},
			"the server wants a client certificate, and there is none, or has no cipher suite in common with the provider; set client_cert_pem",
		},
		"wants ours": {good, &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert}, "the server wants a client certificate, and there is none; set client_cert_pem"},
	} {
		t.Run(name, func(t *testing.T) {
			url, ca := shows(t, c.template, c.security)
			_, err := connect(t, Config{URL: url, Credentials: Credentials{CA: ca}}).Status(t.Context())
			if c.text == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wants(t, err, TLSFailure, c.text, url)
		})
	}
}

// TestTransport_dialling: what fails before anything was said.
func TestTransport_dialling(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		kind Kind
		text string
	}{
		"no such name":   {&net.DNSError{Err: "no such host", Name: "controller.example", IsNotFound: true}, Unreachable, `the name "controller.example" has no address`},
		"no DNS server":  {&net.DNSError{Err: "server misbehaving", Name: "controller.example"}, Unreachable, "cannot be looked up; check the DNS server"},
		"slow DNS":       {&net.DNSError{Err: "i/o timeout", Name: "controller.example", IsTimeout: true}, Timeout, "no answer within 3s"},
		"refused by ssh": {errors.New("ssh: rejected: connect failed (Connection refused)"), Unreachable, "nothing listens on this port"},
		"anything else":  {errors.New("no route to host"), Unreachable, "no connection; check"},
	} {
		t.Run(name, func(t *testing.T) {
			dial := func(context.Context, string, string) (net.Conn, error) { return nil, c.err }
			_, err := connect(t, Config{URL: "http://controller.example", Dial: dial, Timeout: 3 * time.Second}).Status(t.Context())
			wants(t, err, c.kind, c.text, "http://controller.example/api/v1/status")
			if !errors.Is(err, c.err) {
				t.Errorf("the original error is lost: %v", err)
			}
		})
	}
	closed := freeport.ClosedURL(t)
	_, err := connect(t, Config{URL: closed}).Status(t.Context())
	wants(t, err, Unreachable, "nothing listens on this port; check the port and that the service runs")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = connect(t, Config{URL: closed}).Status(ctx)
	wants(t, err, Unreachable, "cancelled")
}

// TestAnswers_ofOthers: what web servers in place of a controller say.
func TestAnswers_ofOthers(t *testing.T) {
	for name, c := range map[string]struct {
		page page
		kind Kind
		text string
	}{
		"page":         {page{200, "<html>"}, NotAnka, "an HTML page; check host, port and scheme of the URL"},
		"balancer":     {page{503, "<html>no server is available</html>"}, Failed, "a proxy or load balancer"},
		"HTTPS, nginx": {page{400, "<html>The plain HTTP request was sent to HTTPS port</html>"}, TLSFailure, "change it to https://"},
		// nginx with auth_basic, a proxy with a login of its own.
		"login page":      {page{401, "<html>401 Authorization Required</html>"}, NotAnka, "refused (HTTP 401) by something that is not an Anka service"},
		"login":           {page{401, "Unauthorized"}, NotAnka, "refused (HTTP 401) by something that is not an Anka service"},
		"forbidden page":  {page{403, "<html>403 Forbidden</html>"}, NotAnka, "refused (HTTP 403) by something that is not an Anka service"},
		"forbidden":       {page{403, "Forbidden"}, NotAnka, "refused (HTTP 403) by something that is not an Anka service"},
		"error, but JSON": {page{500, `{"status":"FAIL","message":"etcdserver: request timed out"}`}, Failed, "etcdserver: request timed out"},
	} {
		t.Run(name, func(t *testing.T) {
			// Whatever is asked gets the same page, with credentials or without.
			url := serve(t, map[string]page{"/api/v1/status": c.page, "/registry/status": c.page}).URL
			for _, given := range []Credentials{{}, {RootToken: rootToken}} {
				_, err := connect(t, Config{URL: url, Credentials: given}).Status(t.Context())
				wants(t, err, c.kind, c.text)
			}
		})
	}
	// A proxy before services of both kinds: its error does not make one of the other.
	down := serve(t, map[string]page{"/api/v1/status": {502, "<html>"}, "/registry/status": {200, registryRunning}})
	_, err := connect(t, Config{URL: down.URL}).Status(t.Context())
	wants(t, err, Failed, "HTTP 502")
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://user:canary@controller.example"+r.URL.Path+"?token=canary", http.StatusMovedPermanently)
	}))
	defer elsewhere.Close()
	_, err = connect(t, Config{URL: elsewhere.URL}).Status(t.Context())
	wants(t, err, NotAnka, `redirects to "https://controller.example/api/v1/status" (HTTP 301)`)
	// A TLS server that answers plain HTTP with an alert.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Read(make([]byte, 1024))
		_, _ = conn.Write([]byte("\x15\x03\x01\x00\x02\x02\x46"))
	}()
	_, err = connect(t, Config{URL: "http://" + listener.Addr().String()}).Status(t.Context())
	wants(t, err, TLSFailure, "change it to https://")
}

// TestBase64_bothAlphabets: keys and sessions work with either.
func TestBase64_bothAlphabets(t *testing.T) {
	const session = `{"userName":"a>?~é","token":"??>>~~"}`
	escaped := string(escape([]byte(session)))
	if strings.ContainsAny(escaped, ">?~") || !strings.Contains(escaped, `a\u003e\u003f\u007e`) {
		t.Errorf("got %s", escaped)
	}
	for _, text := range []string{"-_8=", "+/8=", "-_8", "+/8"} {
		if got, err := decodeBase64(text); err != nil || string(got) != "\xfb\xff" {
			t.Errorf("%s: %x, %v", text, got, err)
		}
	}
}
