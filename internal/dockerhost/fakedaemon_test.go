package dockerhost

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeDaemon answers API requests for tests that must see them or need a
// daemon that misbehaves. What a real daemon does is tested on the lab.
type fakeDaemon struct {
	*httptest.Server
	// apiVersion is what the ping announces.
	apiVersion string
	mu         sync.Mutex
	// handlers are by "METHOD path", the path without the version.
	handlers map[string]http.HandlerFunc
	requests []string
}

func newFakeDaemon(t *testing.T) *fakeDaemon {
	t.Helper()
	d := &fakeDaemon{apiVersion: MinAPIVersion, handlers: map[string]http.HandlerFunc{}}
	d.on("GET /containers/json", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, []any{}) })
	d.Server = httptest.NewUnstartedServer(d)
	t.Cleanup(func() {
		d.CloseClientConnections()
		d.Close()
	})
	return d
}

func (d *fakeDaemon) on(route string, handler http.HandlerFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.handlers[route] = handler
}

// seen are the requests so far, each as "METHOD path".
func (d *fakeDaemon) seen() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.requests...)
}

func (d *fakeDaemon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if strings.HasPrefix(path, "/v1.") {
		path = path[strings.Index(path[1:], "/")+1:]
	}
	route := r.Method + " " + path
	d.mu.Lock()
	d.requests = append(d.requests, route)
	handler := d.handlers[route]
	d.mu.Unlock()
	switch {
	case handler != nil:
		handler(w, r)
	case path == "/_ping":
		w.Header().Set("Api-Version", d.apiVersion)
		w.Header().Set("Ostype", "linux")
	default:
		reply(w, http.StatusNotFound, map[string]string{"message": "page not found: " + route})
	}
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(status int, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { reply(w, status, map[string]string{"message": message}) }
}

// dial connects to the daemon, whatever socket was asked for.
func (d *fakeDaemon) dial() (net.Conn, error) { return net.Dial("tcp", d.Listener.Addr().String()) }

// plainHost starts the daemon on plain TCP and gives the host for it.
func (d *fakeDaemon) plainHost(t *testing.T) *Host {
	t.Helper()
	d.Start()
	return newHost(t, Config{Name: "h1", DockerHost: "tcp://" + d.Listener.Addr().String(), Insecure: true})
}

func newHost(t *testing.T, cfg Config) *Host {
	t.Helper()
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// testContext ends well before the test binary is killed.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// wantText fails unless err contains every part.
func wantText(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("there was no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not contain %q:\n%v", part, err)
		}
	}
}

// discard keeps handshakes that fail on purpose out of the output.
func discard() *log.Logger { return log.New(io.Discard, "", 0) }
