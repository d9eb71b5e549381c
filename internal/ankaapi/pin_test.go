package ankaapi

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// secured is a controller with a certificate of its own, and its PEM.
func secured(t *testing.T) (url, certificate string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(documented))
	}))
	server.Config.ErrorLog = silent()
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func TestPin_acceptsExactlyOneCertificate(t *testing.T) {
	url, certificate := secured(t)
	pin := container.Fingerprint([]byte("some words before\n" + certificate))
	// The address is none of those in the certificate: the name is of no matter.
	elsewhere := strings.Replace(url, "127.0.0.1", "127.0.0.2", 1)
	dial := to(strings.TrimPrefix(url, "https://"))
	for _, given := range []string{pin, strings.ToUpper(pin)} {
		c := connect(t, Config{URL: elsewhere, Dial: dial, Pin: given})
		for range 2 { // on two connections
			if _, err := c.Status(t.Context()); err != nil {
				t.Errorf("the pinned certificate: %v", err)
			}
			c.Close()
		}
	}
	// A CA that would accept the server does not help another pin.
	other := strings.Repeat("ab", 32)
	_, err := connect(t, Config{URL: url, Pin: other, Credentials: Credentials{CA: certificate}}).Status(t.Context())
	if !Is(err, TLSFailure) || !strings.Contains(err.Error(), pin) || !strings.Contains(err.Error(), other) {
		t.Errorf("another certificate: got %v", err)
	}
}

// TestPin_oldVersion: a service that was told to speak TLS 1.1 can be probed.
func TestPin_oldVersion(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok"))
	}))
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	server.StartTLS()
	defer server.Close()
	if err := connect(t, Config{URL: server.URL, Pin: fingerprint(server.Certificate().Raw)}).Ready(t.Context(), Controller); err != nil {
		t.Error(err)
	}
}

// TestPin_otherSuites: so can one that was told to speak no cipher suite that
// Go offers by itself.
func TestPin_otherSuites(t *testing.T) {
	for _, suite := range []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_CBC_SHA} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("ok"))
		}))
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite}}
		server.Config.ErrorLog = silent()
		server.StartTLS()
		defer server.Close()
		if err := connect(t, Config{URL: server.URL, Pin: fingerprint(server.Certificate().Raw)}).Ready(t.Context(), Controller); err != nil {
			t.Errorf("%s: %v", tls.CipherSuiteName(suite), err)
		}
	}
}

func TestPin_badInput(t *testing.T) {
	for _, pin := range []string{"ab", strings.Repeat("xy", 32), strings.Repeat("ab", 33)} {
		if _, err := New(Config{URL: "https://h", Pin: pin}); err == nil {
			t.Errorf("%q was taken for a pin", pin)
		}
	}
}

// to dials address, whatever is asked for.
func to(address string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
}

// silent drops what servers say of failed handshakes.
func silent() *log.Logger { return log.New(io.Discard, "", 0) }
