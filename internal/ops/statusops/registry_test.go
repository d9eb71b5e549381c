package statusops_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/inprocess"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/etcdstub"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/compat"
)

// here is a fleet with the host h1, whose services are reached directly.
func here(t *testing.T) *dockerhost.Fleet {
	t.Helper()
	host, err := dockerhost.New(dockerhost.Config{Name: "h1", Address: "127.0.0.1", DockerHost: "tcp://127.0.0.1:1", Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	fleet := dockerhost.NewFleet()
	fleet.Add(host)
	return fleet
}

func TestAskRegistries(t *testing.T) {
	const token, other = "correct-horse", "battery-staple"
	open := inprocess.Registry(t, inprocess.Env{"ANKASIM_VERSION": "1.40.0-a"})
	guarded := inprocess.Registry(t, inprocess.Env{"ANKASIM_VERSION": "1.41.0-b", "ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": token})
	controller := inprocess.Controller(t, inprocess.NewStore(), nil)
	closed := freeport.ClosedURL(t)
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hanging.Close()
	for name, c := range map[string]struct {
		token       compat.Token
		value       string
		credentials ankaapi.Credentials
		open, guard statusops.RegistryAnswer
	}{
		"no token": {
			compat.TokenAbsent, "",
			ankaapi.Credentials{},
			statusops.RegistryAnswer{Version: "1.40.0-a", Door: compat.Unguarded},
			statusops.RegistryAnswer{Door: compat.Refuses},
		},
		"no token, but anka_auth": {
			compat.TokenAbsent, "",
			ankaapi.Credentials{RootToken: token},
			statusops.RegistryAnswer{Version: "1.40.0-a", Door: compat.Unguarded},
			statusops.RegistryAnswer{Version: "1.41.0-b", Door: compat.Refuses},
		},
		"the right token": {
			compat.TokenGiven, token,
			ankaapi.Credentials{RootToken: other},
			statusops.RegistryAnswer{Version: "1.40.0-a", Door: compat.Unguarded},
			statusops.RegistryAnswer{Version: "1.41.0-b", Door: compat.Admits},
		},
		"another token": {
			compat.TokenGiven, other,
			ankaapi.Credentials{RootToken: token},
			statusops.RegistryAnswer{Version: "1.40.0-a", Door: compat.Unguarded},
			statusops.RegistryAnswer{Version: "1.41.0-b", Door: compat.Refuses},
		},
		"a token that is not known": {
			compat.TokenGiven, "",
			ankaapi.Credentials{RootToken: token},
			statusops.RegistryAnswer{Version: "1.40.0-a", Door: compat.Unguarded},
			statusops.RegistryAnswer{Version: "1.41.0-b"},
		},
		"nothing known": {
			compat.TokenUnknown, "",
			ankaapi.Credentials{},
			statusops.RegistryAnswer{Version: "1.40.0-a", Door: compat.Unguarded},
			statusops.RegistryAnswer{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := statusops.AskRegistries(t.Context(), statusops.RegistryQuestion{
				Via: map[string]string{
					open: "h1", guarded: "h1", controller: "h1", closed: "h1", hanging.URL: "h1",
					"http://127.0.0.1:2": "h9", "not a url": "h1",
				},
				Fleet: here(t), Token: c.token, Secret: c.value, Credentials: c.credentials, Timeout: 300 * time.Millisecond,
			})
			want := 1
			if c.guard != (statusops.RegistryAnswer{}) {
				want = 2
			}
			if len(got) != want || got[open] != c.open || got[guarded] != c.guard {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestAskRegistries_showsTheTokenToNobodyElse: a registry that answers without
// credentials is not told any.
func TestAskRegistries_showsTheTokenToNobodyElse(t *testing.T) {
	var shown []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown = append(shown, r.Header.Get("Authorization"))
		_, _ = w.Write([]byte(`{"status":"OK","message":"","body":{"status":"Running","version":"1.50.1"}}`))
	}))
	defer server.Close()
	statusops.AskRegistries(t.Context(), statusops.RegistryQuestion{
		Via: map[string]string{server.URL: "h1"}, Fleet: here(t), Token: compat.TokenGiven, Secret: "correct-horse",
	})
	if len(shown) != 1 || shown[0] != "" {
		t.Errorf("got %q", shown)
	}
}

func TestEtcdVersions(t *testing.T) {
	old, current := etcdstub.Serve(t, "3.5.9"), etcdstub.Serve(t, "3.5.25")
	const closed = "http://127.0.0.1:1"
	start := time.Now()
	got := statusops.EtcdVersions(t.Context(), statusops.EtcdQuestion{
		Members: map[string]statusops.EtcdMember{
			"a": {Host: "h1", URL: old}, "b": {Host: "h1", URL: current}, "c": {Host: "h1", URL: closed}, "d": {Host: "h9", URL: strings.Replace(closed, ":1", ":2", 1)},
			"e": {Host: "h1", URL: strings.Replace(current, "http:", "https:", 1)},
		},
		Fleet: here(t), Timeout: time.Minute,
	})
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %s to see that nothing listens", took)
	}
	if len(got) != 2 || got[old] != "3.5.9" || got[current] != "3.5.25" {
		t.Errorf("got %v", got)
	}
}
