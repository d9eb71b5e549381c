package controller

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/glog"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/serve"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
)

// memoryStore is a Store that several controllers of a test share. While down
// is set every call returns it.
type memoryStore struct {
	mu     sync.Mutex
	down   error
	values map[Kind]map[string][]byte
}

func newMemoryStore() *memoryStore { return &memoryStore{values: map[Kind]map[string][]byte{}} }

func (m *memoryStore) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = err
}

func (m *memoryStore) Ready(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.down
}

func (m *memoryStore) List(_ context.Context, kind Kind) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.values[kind]), m.down
}

func (m *memoryStore) Get(_ context.Context, kind Kind, id string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, found := m.values[kind][id]
	return value, found, m.down
}

func (m *memoryStore) Put(_ context.Context, kind Kind, id string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values[kind] == nil {
		m.values[kind] = map[string][]byte{}
	}
	m.values[kind][id] = value
	return m.down
}

func (m *memoryStore) Delete(_ context.Context, kind Kind, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, found := m.values[kind][id]
	delete(m.values[kind], id)
	return found, m.down
}

// standIn is one controller, with a clock that tests move.
type standIn struct {
	t       *testing.T
	now     time.Time
	log     bytes.Buffer
	handler http.Handler
}

func start(t *testing.T, store Store, env settings.Environment) *standIn {
	t.Helper()
	s, err := settings.ReadController(env)
	if err != nil {
		t.Fatal(err)
	}
	in := &standIn{t: t, now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	controller := newController(s, store, glog.New(&in.log, time.Now))
	controller.now = func() time.Time { return in.now }
	in.handler = serve.Handler(controller.service())
	return in
}

func (in *standIn) do(method, path, body string, header ...string) (int, string) {
	in.t.Helper()
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		request.Header.Set(name, value)
	}
	answer := httptest.NewRecorder()
	in.handler.ServeHTTP(answer, request)
	return answer.Code, answer.Body.String()
}

func (in *standIn) must(code int, method, path, body string, header ...string) string {
	in.t.Helper()
	got, answer := in.do(method, path, body, header...)
	if got != code {
		in.t.Fatalf("%s %s: got %d %s, want %d", method, path, got, answer, code)
	}
	return answer
}

// fakeRegistry answers every path in answers and 401 without the token.
func fakeRegistry(t *testing.T, token string, answers map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		answer, found := answers[r.URL.RequestURI()]
		switch {
		case strings.HasPrefix(r.URL.Path, "//"):
			// As a real server does that tidies paths.
			http.Redirect(w, r, strings.TrimPrefix(r.URL.RequestURI(), "/"), http.StatusMovedPermanently)
			return
		case password != token:
			w.WriteHeader(http.StatusUnauthorized)
			answer = `{"status":"FAIL","message":"Authentication Required"}`
		case !found:
			w.WriteHeader(http.StatusNotFound)
			answer = `{"status":"FAIL","message":"not found"}`
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

const registryRunning = `{"status":"OK","body":{"status":"Running","version":"1.50.1-5e3c3f5b"},"message":""}`
