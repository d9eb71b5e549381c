package replicas_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
)

// TestRuntime_reachesTheDaemon: limits, names and the check are in what the
// daemon is asked for, and each controller gets its own local registry.
func TestRuntime_reachesTheDaemon(t *testing.T) {
	config := with(minimal("anka_controller", "h1", "h2"), object{
		"ready_timeout": "1ms", "skip_compatibility_check": true, "memory": "512m", "cpus": 1.5,
		"replicas":            object{"h1": object{"port": 8001}, "h2": object{"port": 8002}},
		"extra_hosts":         object{"registry.internal": "10.0.1.4"},
		"dns":                 []string{"10.0.1.2", "10.0.1.3"},
		"healthcheck":         object{"command": []string{"/check", "ready"}, "interval": "1m", "retries": 2},
		"local_registry_urls": object{"h1": "http://10.9.0.4:8089"},
	})
	fleet := dockerhost.NewFleet()
	daemons := map[string]*recorder{"h1": record(t, fleet, "h1"), "h2": record(t, fleet, "h2")}
	s := serve(t, "anka_controller", fleet)
	if said := s.Validate(config); said != "" {
		t.Fatal(said)
	}
	planned, said := s.Plan(nil, config)
	if strings.HasPrefix(said, "error") {
		t.Fatal(said)
	}
	if _, said := s.Apply(nil, planned, config); strings.HasPrefix(said, "error") {
		t.Fatal(said)
	}
	for host, local := range map[string]string{"h1": "http://10.9.0.4:8089", "h2": ""} {
		c := daemons[host].container("anka-anka-controller-" + host)
		if c == nil {
			t.Fatalf("nothing was made on %s", host)
		}
		if got := c.environment()["ANKA_LOCAL_ANKA_REGISTRY"]; got != local {
			t.Errorf("%s has the local registry %q", host, got)
		}
		var request struct {
			Healthcheck struct {
				Test              []string
				Interval, Retries int64
			}
			HostConfig struct {
				Memory, NanoCpus int64
				ExtraHosts, DNS  []string
			}
		}
		if err := json.Unmarshal([]byte(c.Request), &request); err != nil {
			t.Fatal(err)
		}
		got := request.HostConfig
		if got.Memory != 512<<20 || got.NanoCpus != 1_500_000_000 || !slices.Equal(got.ExtraHosts, []string{"registry.internal:10.0.1.4"}) ||
			!slices.Equal(got.DNS, []string{"10.0.1.2", "10.0.1.3"}) {
			t.Errorf("%s was asked for %+v", host, got)
		}
		if check := request.Healthcheck; !slices.Equal(check.Test, []string{"CMD", "/check", "ready"}) || check.Interval != 60_000_000_000 || check.Retries != 2 {
			t.Errorf("%s was asked for the check %+v", host, check)
		}
	}
}
