package replicas_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// answering answers every request with a code, and gives its port.
func answering(t *testing.T, code int) int {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().(*net.TCPAddr).Port
}

// refresh reads a state. It gives the new one, nil when there is none any more,
// what is recorded privately, and the diagnostics.
func refresh(t *testing.T, s *protocol.Server, name string, state object) (map[string]tftypes.Value, map[string]string, string) {
	t.Helper()
	current, err := tfprotov6.NewDynamicValue(s.Type, protocol.Value(t, s.Type, state))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: name, CurrentState: &current})
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := resp.NewState.Unmarshal(s.Type)
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]tftypes.Value
	if !fresh.IsNull() {
		if err := fresh.As(&values); err != nil {
			t.Fatal(err)
		}
	}
	private, recorded := map[string][]byte{}, map[string]string{}
	if len(resp.Private) > 0 {
		if err := json.Unmarshal(resp.Private, &private); err != nil {
			t.Fatal(err)
		}
	}
	if len(private["applied"]) > 0 {
		if err := json.Unmarshal(private["applied"], &recorded); err != nil {
			t.Fatal(err)
		}
	}
	return values, recorded, protocol.Lines(resp.Diagnostics)
}

// TestRead_readiness: a host that does not answer leaves ready as it was, and
// hides nothing that another one tells. What answers as ready is recorded.
func TestRead_readiness(t *testing.T) {
	for name, c := range map[string]struct {
		before bool
		code   int
		silent bool
		want   bool
	}{
		"ready":                          {false, 200, false, true},
		"not ready":                      {true, 503, false, false},
		"silent, was ready":              {true, 200, true, true},
		"silent, was not ready":          {false, 200, true, false},
		"silent, another is not ready":   {true, 503, true, false},
		"silent, none was or is thought": {false, 503, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			fleet := dockerhost.NewFleet()
			fleet.Add(runs(t, "h1", container.Registry, "running"))
			replicas := object{"h1": object{}}
			if c.silent {
				fleet.Add(closed(t, "h2"))
				replicas["h2"] = object{}
			}
			state := object{
				"name": "anka", "image": "old:1", "replicas": replicas, "primary": "h1", "port": answering(t, c.code), "ready": c.before,
			}
			got, recorded, said := refresh(t, serve(t, "anka_registry", fleet), "anka_registry", state)
			if got == nil || !got["ready"].Equal(tftypes.NewValue(tftypes.Bool, c.want)) {
				t.Errorf("ready is %v\n%s", got["ready"], said)
			}
			if proven := recorded["h1"] != ""; proven != (c.code == 200) {
				t.Errorf("recorded is %q", recorded)
			}
			if warned := strings.Contains(said, "h2 is unreachable"); warned != c.silent {
				t.Errorf("got %s", said)
			}
		})
	}
}

// TestRead_gone: only where every host has answered.
func TestRead_gone(t *testing.T) {
	state := object{"name": "other", "replicas": object{"h1": object{}, "h2": object{}}, "ready": true, "port": 1}
	for silent, want := range map[bool]bool{false: true, true: false} {
		fleet := dockerhost.NewFleet()
		record(t, fleet, "h1")
		if silent {
			fleet.Add(closed(t, "h2"))
		} else {
			record(t, fleet, "h2")
		}
		if got, _, said := refresh(t, serve(t, "anka_registry", fleet), "anka_registry", state); (got == nil) != want {
			t.Errorf("silent %t: got %v\n%s", silent, got, said)
		}
	}
}

// TestUpdate_hostLeftOut: plan and apply both say which host they do without,
// and ready stays as it was.
func TestUpdate_hostLeftOut(t *testing.T) {
	config := object{"replicas": object{"h1": object{}, "h2": object{}}, "primary": "h1", "storage": object{"path": "/opt/templates"}, "ready_timeout": "5s"}
	for _, before := range []bool{true, false} {
		fleet := dockerhost.NewFleet()
		record(t, fleet, "h1")
		fleet.Add(closed(t, "h2"))
		s := serve(t, "anka_registry", fleet)
		config := with(config, object{"port": answering(t, http.StatusOK)})
		state := with(config, object{"name": "anka", "image": "i:1", "ready": before})
		planned, said := s.Plan(state, with(config, object{"image": "i:1"})) // h1 has lost its container
		if !strings.Contains(said, "Host h2 is left out") || !strings.Contains(said, "create registry on h1") {
			t.Errorf("planned: %s", said)
		}
		got, said := s.Apply(state, planned, with(config, object{"image": "i:1"}))
		if !strings.Contains(said, "Host h2 is left out") || !got["ready"].Equal(tftypes.NewValue(tftypes.Bool, before)) {
			t.Errorf("it was %t and ready is %v: %s", before, got["ready"], said)
		}
	}
}

// TestUpdate_failureForgetsNoHost: what was before stays in state, and so does
// every host that may have something by now.
func TestUpdate_failureForgetsNoHost(t *testing.T) {
	fleet := dockerhost.NewFleet()
	record(t, fleet, "h1")
	record(t, fleet, "h3")
	fleet.Add(closed(t, "h2"))
	s := serve(t, "anka_registry", fleet)
	before := with(minimal("anka_registry", "h1", "h3"), object{"name": "anka", "image": "i:1", "port": 8089, "ready": true})
	after := with(minimal("anka_registry", "h1", "h2"), object{"name": "anka", "image": "i:2", "port": 8089})
	planned := with(after, object{"id": "anka", "urls": unknown{}, "primary_url": unknown{}, "ready": unknown{}, "ready_timeout": "1s"})
	got, said := s.Apply(before, planned, after)
	var replicas map[string]tftypes.Value
	if err := got["replicas"].As(&replicas); err != nil {
		t.Fatal(err, said)
	}
	for _, host := range []string{"h1", "h2", "h3"} {
		if _, kept := replicas[host]; !kept {
			t.Errorf("%s is not in state any more: %v", host, replicas)
		}
	}
	if !strings.Contains(said, "Unable to update registry") || !got["image"].Equal(tftypes.NewValue(tftypes.String, "i:1")) ||
		!got["ready"].Equal(tftypes.NewValue(tftypes.Bool, false)) {
		t.Errorf("image %v, ready %v: %s", got["image"], got["ready"], said)
	}
}

// TestUpdate_secretsKnownAtLast: secrets that only apply knows are checked
// before anything is replaced.
func TestUpdate_secretsKnownAtLast(t *testing.T) {
	made, other := newMaterial(t), newMaterial(t)
	fleet := dockerhost.NewFleet()
	daemon := record(t, fleet, "h1")
	s := serve(t, "anka_registry", fleet)
	base := with(minimal("anka_registry", "h1"), object{"name": "anka", "ready_timeout": "1ms"})
	planned, _ := s.Plan(nil, base)
	state, said := s.Apply(nil, planned, base)
	if state == nil || daemon.count != 1 {
		t.Fatal(said)
	}
	config := https(base, made, 1)
	planned, _ = s.Plan(state, set(config, "https", "server_key_wo", unknown{}))
	_, said = s.Apply(state, planned, set(config, "https", "server_key_wo", other.key))
	if !strings.HasPrefix(said, `error ("https").("server_key_wo"): Invalid setting`) || daemon.count != 1 || daemon.running() == nil {
		t.Errorf("%d containers were made and it said %s", daemon.count, said)
	}
}

// TestFailure_masksAllSecrets: the log of a container that is not ready shows
// neither tokens, nor what is in env_wo, nor passwords, nor keys.
func TestFailure_masksAllSecrets(t *testing.T) {
	made := newMaterial(t)
	secrets := map[string]string{
		"root token": "canary-root-token", "env_wo": "canary-environment", "oidc": "canary-oidc-secret", "key": keyLine(made),
	}
	fleet := dockerhost.NewFleet()
	daemon := record(t, fleet, "h1")
	for _, secret := range secrets {
		daemon.log += fmt.Sprintf("started with %s\n", secret)
	}
	config := https(with(minimal("anka_controller", "h1"), object{
		"port": answering(t, http.StatusServiceUnavailable), "ready_timeout": "1ms", "skip_compatibility_check": true,
		"root_token_wo": secrets["root token"], "root_token_wo_version": 1,
		"env_wo": object{"SOME_SECRET": secrets["env_wo"]}, "env_wo_version": 1,
		"authentication": object{"oidc_provider_url": "https://login.example.com", "oidc_client_id": "anka", "oidc_client_secret_wo": secrets["oidc"], "oidc_client_secret_wo_version": 1},
	}), made, 1)
	s := serve(t, "anka_controller", fleet)
	planned, said := s.Plan(nil, config)
	if strings.HasPrefix(said, "error") {
		t.Fatal(said)
	}
	_, said = s.Apply(nil, planned, config)
	if n := strings.Count(said, "started with (secret)"); n != len(secrets) {
		t.Errorf("%d of %d secrets are masked in %s", n, len(secrets), said)
	}
	for name, secret := range secrets {
		if strings.Contains(said, secret) {
			t.Errorf("the %s is in %s", name, said)
		}
	}
}
