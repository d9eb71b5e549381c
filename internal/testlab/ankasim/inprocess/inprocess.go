// Package inprocess runs the lab's stand-ins inside a test, without containers
// and without etcd: their real handlers behind a server on loopback. It is
// test support: nothing that is built into the stand-in imports it.
package inprocess

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/controller"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/glog"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/serve"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
)

// Env are the ANKA_* variables of a stand-in.
type Env = settings.Environment

// Store is what controllers of one test share in place of etcd.
type Store struct {
	mu     sync.Mutex
	values map[controller.Kind]map[string][]byte
}

// NewStore makes an empty store.
func NewStore() *Store { return &Store{values: map[controller.Kind]map[string][]byte{}} }

// Ready is always nil.
func (s *Store) Ready(context.Context) error { return nil }

// List returns all values of kind by id.
func (s *Store) List(_ context.Context, kind controller.Kind) (map[string][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.values[kind]), nil
}

// Get returns one value and whether it is there.
func (s *Store) Get(_ context.Context, kind controller.Kind, id string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, found := s.values[kind][id]
	return value, found, nil
}

// Put creates or replaces one value.
func (s *Store) Put(_ context.Context, kind controller.Kind, id string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values[kind] == nil {
		s.values[kind] = map[string][]byte{}
	}
	s.values[kind][id] = value
	return nil
}

// Delete removes one value and reports whether it was there.
func (s *Store) Delete(_ context.Context, kind controller.Kind, id string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, found := s.values[kind][id]
	delete(s.values[kind], id)
	return found, nil
}

// EndSessions forgets all sessions of API keys, as if they had expired, and
// tells how many there were.
func (s *Store) EndSessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.values[controller.Sessions])
	delete(s.values, controller.Sessions)
	return n
}

// Controller serves a controller until the test ends and returns its URL. It
// may run without a registry unless env says otherwise.
func Controller(t testing.TB, store *Store, env Env) string {
	t.Helper()
	if _, set := env["ANKA_ANKA_REGISTRY"]; !set {
		env = maps.Clone(env)
		if env == nil {
			env = Env{}
		}
		env["ANKA_ALLOW_EMPTY_REGISTRY"] = "true"
	}
	s, err := settings.ReadController(env)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, controller.New(s, store, glog.New(io.Discard, time.Now)))
}

// Registry serves a registry with empty storage until the test ends and
// returns its URL.
func Registry(t testing.TB, env Env) string {
	t.Helper()
	env = maps.Clone(env)
	if env == nil {
		env = Env{}
	}
	env["ANKA_BASE_PATH"] = t.TempDir()
	s, err := settings.ReadRegistry(env)
	if err != nil {
		t.Fatal(err)
	}
	storage, err := registry.OpenStorage(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, registry.New(s, storage, glog.New(io.Discard, time.Now)))
}

func start(t testing.TB, service serve.Service) string {
	t.Helper()
	secured, err := serve.TLSConfig(service.Settings.TLS, service.Settings.Auth)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(serve.Handler(service))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if server.TLS = secured; secured != nil {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server.URL
}

// Join registers a node with the controller at url, as its agent would. What is
// left out of its JSON is that of a small, healthy node.
func Join(t testing.TB, url string, node map[string]any) {
	t.Helper()
	post(t, url+"/ankasim/node", node)
}

// APIKey registers a user API key with the controller at url, which has
// ANKA_ENABLE_API_KEYS, and returns its private key in PEM.
func APIKey(t testing.TB, url, id string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	post(t, url+"/ankasim/apikey", map[string]string{
		"id": id, "user_name": id, "public_key": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
	})
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func post(t testing.TB, url string, body any) {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(string(encoded)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(resp.Body) // it only explains the failure
		t.Fatalf("POST %s: HTTP %d: %s", url, resp.StatusCode, answer)
	}
}
