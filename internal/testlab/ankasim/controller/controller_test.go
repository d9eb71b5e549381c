package controller

import (
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/serve"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
)

const token = "correct-horse-battery"

func TestController_documentedStatus(t *testing.T) {
	registry := fakeRegistry(t, "", map[string]string{"/registry/status": registryRunning})
	for name, test := range map[string]struct {
		env  settings.Environment
		want string
	}{
		"running": {
			settings.Environment{"ANKA_ANKA_REGISTRY": registry},
			`{"status":"OK","message":"","body":{"status":"Running","version":"1.50.1-5e3c3f5b",` +
				`"registry_address":"` + registry + `","registry_status":"Running","license":"enterprise plus"}}`,
		},
		"as in 2019": {
			settings.Environment{"ANKA_ANKA_REGISTRY": registry, "ANKASIM_VERSION": "1.11.0-59d63cca", "ANKASIM_LICENSE": "basic"},
			`{"status":"OK","message":"","body":{"status":"Running","version":"1.11.0-59d63cca",` +
				`"registry_address":"` + registry + `","registry_status":"Running","license":"basic"}}`,
		},
		"registry unreachable": {
			settings.Environment{"ANKA_ANKA_REGISTRY": "http://127.0.0.1:1"},
			`{"status":"OK","message":"","body":{"status":"Running","version":"1.50.1-5e3c3f5b",` +
				`"registry_address":"http://127.0.0.1:1","registry_status":"FAIL","license":"enterprise plus"}}`,
		},
		"local address is asked, the other one reported": {
			settings.Environment{"ANKA_ANKA_REGISTRY": "http://10.0.1.4:8089", "ANKA_LOCAL_ANKA_REGISTRY": registry},
			`{"status":"OK","message":"","body":{"status":"Running","version":"1.50.1-5e3c3f5b",` +
				`"registry_address":"http://10.0.1.4:8089","registry_status":"Running","license":"enterprise plus"}}`,
		},
		"no registry": {
			settings.Environment{"ANKA_ALLOW_EMPTY_REGISTRY": "true"},
			`{"status":"OK","message":"","body":{"status":"Running","version":"1.50.1-5e3c3f5b",` +
				`"registry_address":"","registry_status":"FAIL","license":"enterprise plus"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := start(t, newMemoryStore(), test.env).must(200, "GET", "/api/v1/status", ""); got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestController_registryStatusFails(t *testing.T) {
	answer := func(body string) string {
		return fakeRegistry(t, "", map[string]string{"/registry/status": body})
	}
	for name, address := range map[string]string{
		"trailing slash":     answer(registryRunning) + "/",
		"not JSON":           answer("<html>"),
		"FAIL":               answer(`{"status":"FAIL","message":"disk"}`),
		"not Running":        answer(`{"status":"OK","body":{"status":"Stopping"}}`),
		"wants credentials":  fakeRegistry(t, token, map[string]string{"/registry/status": registryRunning}),
		"no scheme":          "10.0.1.4:8089",
		"no such path there": fakeRegistry(t, "", nil),
	} {
		t.Run(name, func(t *testing.T) {
			in := start(t, newMemoryStore(), settings.Environment{"ANKA_ANKA_REGISTRY": address})
			if got := in.must(200, "GET", "/api/v1/status", ""); !strings.Contains(got, `"registry_status":"FAIL"`) {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestController_rootTokenOpensBothDoors(t *testing.T) {
	registry := fakeRegistry(t, token, map[string]string{"/registry/status": registryRunning})
	const basic = "Authorization: Basic cm9vdDpjb3JyZWN0LWhvcnNlLWJhdHRlcnk="
	in := start(t, newMemoryStore(), settings.Environment{
		"ANKA_ANKA_REGISTRY": registry, "ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": token,
	})
	if got := in.must(401, "GET", "/api/v1/status", ""); got != `{"status":"FAIL","message":"Authentication Required"}` {
		t.Errorf("no credentials: %s", got)
	}
	if got := in.must(200, "GET", "/api/v1/status", "", basic); !strings.Contains(got, `"registry_status":"Running"`) {
		t.Errorf("same token: %s", got)
	}
	for _, path := range []string{"/", "/livez", "/readyz", "/ankasim/env"} {
		in.must(200, "GET", path, "")
	}
	for _, path := range []string{"/api/v1/node", "/api/v1/vm", "/api/v1/registry/vm", "/api/v1/registry/disk"} {
		in.must(401, "GET", path, "")
	}
	other := start(t, newMemoryStore(), settings.Environment{
		"ANKA_ANKA_REGISTRY": fakeRegistry(t, "another-token-there", map[string]string{"/registry/status": registryRunning}),
		"ANKA_ENABLE_AUTH":   "true", "ANKA_ROOT_TOKEN": token,
	})
	if got := other.must(200, "GET", "/api/v1/status", "", basic); !strings.Contains(got, `"registry_status":"FAIL"`) {
		t.Errorf("registry with another token: %s", got)
	}
	// The client's own credentials were fine: the registry's 401 is not passed on.
	if got := other.must(500, "GET", "/api/v1/registry/vm", "", basic); strings.Contains(got+other.log.String(), token) {
		t.Errorf("the token shows: %s %s", got, other.log.String())
	}
}

// TestController_registryOverHTTPS: what comes in is checked against
// ANKA_CA_CERT, what goes out against the system's authorities only.
func TestController_registryOverHTTPS(t *testing.T) {
	registry := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, registryRunning)
	}))
	t.Cleanup(registry.Close)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: registry.Certificate().Raw})
	if err := os.WriteFile(authority, block, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		skip, want string
	}{
		"verified": {"false", "FAIL"}, "not verified": {"true", "Running"},
	} {
		in := start(t, newMemoryStore(), settings.Environment{
			"ANKA_ANKA_REGISTRY": registry.URL, "ANKA_CA_CERT": authority, "ANKA_SKIP_TLS_VERIFICATION": test.skip,
		})
		if got := in.must(200, "GET", "/api/v1/status", ""); !strings.Contains(got, `"registry_status":"`+test.want+`"`) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestController_tokenParity(t *testing.T) {
	open := fakeRegistry(t, "", map[string]string{"/registry/status": registryRunning})
	closed := fakeRegistry(t, token, map[string]string{"/registry/status": registryRunning})
	for name, test := range map[string]struct {
		env  settings.Environment
		want string
	}{
		"auth on the registry only": {settings.Environment{"ANKA_ANKA_REGISTRY": closed, "ANKA_ROOT_TOKEN": token}, "FAIL"},
		"auth on neither":           {settings.Environment{"ANKA_ANKA_REGISTRY": open, "ANKA_ROOT_TOKEN": token}, "Running"},
	} {
		in := start(t, newMemoryStore(), test.env)
		if got := in.must(200, "GET", "/api/v1/status", ""); !strings.Contains(got, `"registry_status":"`+test.want+`"`) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestController_queueInterface(t *testing.T) {
	env := settings.Environment{"ANKA_ALLOW_EMPTY_REGISTRY": "true"}
	s, err := settings.ReadController(env)
	if err != nil {
		t.Fatal(err)
	}
	if also := newController(s, newMemoryStore(), nil).service().Also; len(also) != 0 {
		t.Errorf("without an address: %+v", also)
	}
	env["ANKA_QUEUE_ADDR"], env["ANKA_ENABLE_QUEUE_AUTH"], env["ANKA_ROOT_TOKEN"] = ":8100", "true", token
	if s, err = settings.ReadController(env); err != nil {
		t.Fatal(err)
	}
	also := newController(s, newMemoryStore(), nil).service().Also
	if len(also) != 1 || also[0].Settings.ListenAddr != ":8100" {
		t.Fatalf("got %+v", also)
	}
	in := &standIn{t: t, handler: serve.Handler(also[0])}
	in.must(200, "GET", "/livez", "")
	in.must(401, "GET", "/ankasim/queue", "")
	in.must(200, "GET", "/ankasim/queue", "", "Authorization: Basic cm9vdDpjb3JyZWN0LWhvcnNlLWJhdHRlcnk=")
	in.must(404, "GET", "/api/v1/status", "", "Authorization: Basic cm9vdDpjb3JyZWN0LWhvcnNlLWJhdHRlcnk=")
}

func TestController_nodeStates(t *testing.T) {
	in := start(t, newMemoryStore(), settings.Environment{"ANKA_ALLOW_EMPTY_REGISTRY": "true", "ANKA_NODE_ACTIVE_TIMEOUT": "30s"})
	for _, state := range []string{"Offline", "Inactive (Invalid License)", "Active", "Updating", "Unhealthy", "Drain Mode"} {
		in.must(200, "POST", "/ankasim/node", `{"node_id":"n","state":"`+state+`"}`)
		if got := in.must(200, "GET", "/api/v1/node?id=n", ""); !strings.Contains(got, `"state":"`+state+`"`) {
			t.Errorf("%s: %s", state, got)
		}
	}
	in.must(400, "POST", "/ankasim/node", `{"node_id":"n","state":"Sleepy"}`)
	in.now = in.now.Add(31 * time.Second)
	if got := in.must(200, "GET", "/api/v1/node?id=n", ""); !strings.Contains(got, `"state":"Offline"`) {
		t.Errorf("silent for longer than ANKA_NODE_ACTIVE_TIMEOUT: %s", got)
	}
}

func TestController_userInterface(t *testing.T) {
	in := start(t, newMemoryStore(), settings.Environment{"ANKA_ALLOW_EMPTY_REGISTRY": "true"})
	if got := in.must(200, "GET", "/", ""); !strings.HasPrefix(got, "<!DOCTYPE html>") {
		t.Errorf("got %s", got)
	}
	in.must(404, "GET", "/api/v1/unknown", "")
	in.must(405, "POST", "/api/v1/status", "")
}

func TestController_nodesAreShared(t *testing.T) {
	store := newMemoryStore()
	env := settings.Environment{"ANKA_ALLOW_EMPTY_REGISTRY": "true"}
	first, second := start(t, store, env), start(t, store, env)
	if got := second.must(200, "GET", "/api/v1/node", ""); got != `{"status":"OK","message":"","body":[]}` {
		t.Errorf("no nodes: %s", got)
	}
	first.must(200, "POST", "/ankasim/node", `{"node_id":"n1","node_name":"mac-1","ip_address":"10.0.2.1","vm_count":1,
		"groups":[{"id":"g","name":"ci","description":"","fallback_group_id":""}],"anka_version":{"version":"3.7.0"}}`)
	first.must(200, "POST", "/ankasim/node", `{"node_id":"n2","state":"Drain Mode"}`)
	const n1 = `{"node_id":"n1","node_name":"mac-1","cpu_count":8,"ram":16,"vm_count":1,"vcpu_count":0,"vram":0,"cpu_util":0,` +
		`"ram_util":0,"ip_address":"10.0.2.1","state":"Active","capacity":2,` +
		`"groups":[{"id":"g","name":"ci","description":"","fallback_group_id":""}],"anka_version":{"version":"3.7.0"},` +
		`"capacity_mode":"number","disk_size":0,"free_disk_space":0,"anka_disk_usage":0,"host_arch":"arm64","templates":[],` +
		`"last_updated":"2026-05-01T12:00:00Z","agent_version":""}`
	if got := second.must(200, "GET", "/api/v1/node?id=n1", ""); got != `{"status":"OK","message":"","body":[`+n1+`]}` {
		t.Errorf("one node: %s", got)
	}
	if got := second.must(200, "GET", "/api/v1/node", ""); !strings.Contains(got, n1+`,{"node_id":"n2"`) ||
		!strings.Contains(got, `"state":"Drain Mode"`) {
		t.Errorf("all nodes: %s", got)
	}
	second.must(404, "GET", "/api/v1/node?id=n3", "")
	second.now = second.now.Add(2*time.Minute + time.Second)
	if got := second.must(200, "GET", "/api/v1/node?id=n1", ""); !strings.Contains(got, `"state":"Offline"`) {
		t.Errorf("silent node: %s", got)
	}
	second.must(200, "DELETE", "/ankasim/node?id=n1", "")
	first.must(404, "GET", "/api/v1/node?id=n1", "")
	first.must(404, "DELETE", "/ankasim/node?id=n1", "")
	first.must(400, "POST", "/ankasim/node", `{"node_id":"a/b"}`)
	first.must(400, "POST", "/ankasim/node", `nodes`)
}

func TestController_instances(t *testing.T) {
	in := start(t, newMemoryStore(), settings.Environment{"ANKA_ALLOW_EMPTY_REGISTRY": "true"})
	in.must(200, "POST", "/ankasim/vm", `{"instance_id":"i1","vm":{"instance_state":"Scheduling"}}`)
	in.must(200, "POST", "/ankasim/vm", `{}`)
	if got := in.must(200, "GET", "/api/v1/vm?id=i1", ""); got !=
		`{"status":"OK","message":"","body":{"instance_state":"Scheduling"}}` {
		t.Errorf("one: %s", got)
	}
	if got := in.must(200, "GET", "/api/v1/vm", ""); strings.Count(got, "instance_id") != 2 {
		t.Errorf("all: %s", got)
	}
	in.must(404, "GET", "/api/v1/vm?id=i2", "")
}

func TestController_asksItsRegistry(t *testing.T) {
	registry := fakeRegistry(t, "", map[string]string{
		"/registry/v2/vm":      `{"status":"OK","body":[{"id":"t1","name":"vm","size":5}],"message":""}`,
		"/registry/v2/vm?id=t": `{"status":"OK","body":{"id":"t","name":"vm","size":5,"versions":[]},"message":""}`,
		"/registry/disk":       `{"status":"OK","body":{"total":10,"free":4},"message":""}`,
	})
	in := start(t, newMemoryStore(), settings.Environment{"ANKA_ANKA_REGISTRY": registry})
	for path, want := range map[string]string{
		"/api/v1/registry/vm":      `{"status":"OK","message":"","body":[{"id":"t1","name":"vm","size":5}]}`,
		"/api/v1/registry/vm?id=t": `{"status":"OK","message":"","body":{"id":"t","name":"vm","size":5,"versions":[]}}`,
		"/api/v1/registry/disk":    `{"status":"OK","message":"","body":{"total":10,"free":4}}`,
	} {
		if got := in.must(200, "GET", path, ""); got != want {
			t.Errorf("%s:\n got %s\nwant %s", path, got, want)
		}
	}
	in.must(404, "GET", "/api/v1/registry/vm?id=unknown", "")
}

func TestController_withoutItsStore(t *testing.T) {
	store := newMemoryStore()
	in := start(t, store, settings.Environment{"ANKA_ALLOW_EMPTY_REGISTRY": "true"})
	store.fail(errors.New("etcd does not answer"))
	for path, want := range map[string]int{
		"/livez": http.StatusOK, "/readyz": http.StatusServiceUnavailable, "/api/v1/status": http.StatusOK,
		"/api/v1/node": http.StatusInternalServerError, "/api/v1/vm": http.StatusInternalServerError,
	} {
		in.must(want, "GET", path, "")
	}
	store.fail(nil)
	in.must(200, "GET", "/readyz", "")
}
