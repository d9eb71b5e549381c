package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
)

func TestKind(t *testing.T) {
	for path, want := range map[string]string{
		"/_ping":                                    "GET /_ping",
		"/v1.41/containers/json":                    "GET /containers/json",
		"/v1.41/containers/0123abcd/json":           "GET /containers/{name}/json",
		"/v1.41/images/quay.io/coreos/etcd:v3/json": "GET /images/{name}/json",
	} {
		if got := kind(http.MethodGet, path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

func TestCallsLeaveOutHandshakes(t *testing.T) {
	whole := calls{"HEAD /_ping": 1, "GET /containers/json": 6, "GET /images/{name}/json": 1}
	if got := whole.afterHandshake(); got != 7 {
		t.Errorf("%d calls after the handshake, want 7", got)
	}
	left := whole.minus(calls{"HEAD /_ping": 1, "GET /containers/json": 2}, calls{"GET /containers/json": 2, "GET /images/{name}/json": 1})
	if got, want := left.String(), "2 GET /containers/json, 1 HEAD /_ping"; got != want {
		t.Errorf("left is %q, want %q", got, want)
	}
	if got, want := whole["GET /containers/json"], 6; got != want {
		t.Errorf("the whole has %d, want %d: minus has changed it", got, want)
	}
}

// TestCounter counts requests through a real listener to a socket.
func TestCounter(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "docker.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	daemon := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		fmt.Fprint(w, r.Method+" "+r.URL.String())
	}))
	daemon.Listener = listener
	daemon.Start()
	defer daemon.Close()

	c := &counter{byHost: map[string]calls{}}
	front := httptest.NewServer(c.handler("h1", socket))
	defer front.Close()
	for range 2 {
		response, err := http.Get(front.URL + "/v1.41/containers/json?all=1")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err := response.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil || string(body) != "GET /v1.41/containers/json?all=1" || response.Header.Get("Api-Version") != "1.41" {
			t.Fatalf("the daemon's answer became %q (%v, %v)", body, response.Header, err)
		}
	}
	if got, want := c.take()["h1"].String(), "2 GET /containers/json"; got != want {
		t.Errorf("counted %q, want %q", got, want)
	}
	if got := c.take(); len(got) != 0 {
		t.Errorf("what was taken was counted again: %v", got)
	}
}

func TestTallyAttributesCallsToResources(t *testing.T) {
	list := func(n int) map[string]calls {
		return map[string]calls{"h1": {"HEAD /_ping": 1, "GET /containers/json": n}}
	}
	rows := tally{way: "tcp", whole: list(7), targeted: map[string]map[string]calls{
		"anka_etcd_cluster.this": list(2), "anka_registry.this": list(2), "anka_controller.this": list(7),
	}}.rows()
	verdicts := map[string]string{}
	for _, r := range rows {
		verdicts[r.what] = r.figure(r.value) + " " + r.verdict()
	}
	for what, want := range map[string]string{
		"no-op plan: API calls of anka_registry per host":         "2 calls ok",
		"no-op plan: API calls of anka_controller per host":       "3 calls FALLS SHORT",
		"no-op plan: API calls per host and resource, all in all": "2.333 calls FALLS SHORT",
	} {
		if verdicts[what] != want {
			t.Errorf("%s: %q, want %q", what, verdicts[what], want)
		}
	}
}
