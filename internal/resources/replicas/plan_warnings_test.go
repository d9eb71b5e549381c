package replicas_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// running is a host whose daemon has a registry of ours in a volume, and all
// images.
func running(t *testing.T, name string) *dockerhost.Host {
	t.Helper()
	return runs(t, name, container.Registry, "exited")
}

func runs(t *testing.T, name string, role container.Role, state string) *dockerhost.Host {
	t.Helper()
	id := container.Identity{Owner: "anka", Role: role, Instance: name}
	found := map[string]any{
		"Id": "1", "Names": []string{"/" + id.Name()}, "Image": "old:1", "State": state,
		"Labels": container.Spec{}.Owned(id).Labels,
		"Mounts": []map[string]any{{"Type": "volume", "Name": id.Name(), "Destination": "/mnt/vol", "RW": true}},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("API-Version", dockerhost.MinAPIVersion)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			_ = json.NewEncoder(w).Encode([]any{found})
		default:
			_, _ = w.Write([]byte("{}"))
		}
	}))
	host, err := dockerhost.New(dockerhost.Config{
		Name: name, Address: "127.0.0.1", DockerHost: "tcp://" + strings.TrimPrefix(server.URL, "http://"), Insecure: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = host.Close()
		server.Close()
	})
	return host
}

func TestPlan_takeoverNamesContainersAndTheOtherState(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.Add(running(t, "h1"))
	_, said := serve(t, "anka_registry", fleet).Plan(nil, object{"replicas": object{"h1": object{}}})
	for _, want := range []string{
		"Existing containers are taken over", "anka-anka-registry-h1 on h1 (old:1, exited)", "If another state still manages them", "terraform state rm",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("got %s\nwant %s", said, want)
		}
	}
}

func TestPlan_warnsOfStorageThatStaysBehind(t *testing.T) {
	config := object{"replicas": object{"h1": object{}}, "storage": object{"path": "/opt/templates"}}
	state := object{"name": "anka", "replicas": object{"h1": object{}}, "storage": nil}
	for name, c := range map[string]struct {
		config object
		want   []string
	}{
		"another place": {config, []string{
			"Storage of the registry changes", "h1: from volume anka-anka-registry-h1 to /opt/templates", "is not moved",
			"(image changes from old:1 to veertu/anka-build-cloud-registry:v1.50.1; storage changes from volume anka-anka-registry-h1 to " +
				"/opt/templates: the data stays where it was and is not moved)",
		}},
		"the same place, named":    {with(config, object{"storage": object{"volume": "anka-anka-registry-h1"}}), nil},
		"a place not known yet":    {with(config, object{"storage": object{"path": unknown{}}}), nil},
		"storage not known at all": {with(config, object{"storage": unknown{}}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			fleet := dockerhost.NewFleet()
			fleet.Add(running(t, "h1"))
			_, said := serve(t, "anka_registry", fleet).Plan(state, c.config)
			if !strings.Contains(said, "Planned steps") || strings.Contains(said, "taken over") {
				t.Errorf("got %s", said)
			}
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("got %s\nwant %s", said, want)
				}
			}
			if c.want == nil && strings.Contains(strings.ToLower(said), "storage") {
				t.Errorf("storage does not change, and got %s", said)
			}
		})
	}
}

// TestPlan_inputsNotKnownYet: what is not known may turn out to change
// nothing, so no replacement is announced, only that there may be some; what
// reads the URLs waits for the apply all the same.
func TestPlan_inputsNotKnownYet(t *testing.T) {
	ready := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	defer ready.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(ready.URL, "http://"), ":")
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	config := object{"replicas": object{"h1": object{}}, "port": number, "etcd_endpoints": unknown{}, "registry_url": "http://10.0.1.4:8089"}
	state := with(config, object{"name": "anka", "etcd_endpoints": []string{"http://10.0.1.4:2379"}, "urls": object{"h1": ready.URL}, "ready": true})
	fleet := dockerhost.NewFleet()
	fleet.Add(runs(t, "h1", container.Controller, "running"))
	planned, said := serve(t, "anka_controller", fleet).Plan(state, config)
	if !strings.Contains(said, "Planned steps for anka_controller anka: Further steps depend on values that are known only at apply") {
		t.Errorf("got %s", said)
	}
	var urls map[string]tftypes.Value
	if err := planned["urls"].As(&urls); err != nil || urls["h1"].IsKnown() || planned["ready"].IsKnown() {
		t.Errorf("got urls %v, ready %v, %v", planned["urls"], planned["ready"], err)
	}
}

// TestPlan_refusalOfWhatExists tells how to destroy it nevertheless.
func TestPlan_refusalOfWhatExists(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.Add(closed(t, "h1"))
	fleet.Add(closed(t, "h2"))
	s := serve(t, "anka_registry", fleet)
	const hint = "terraform destroy -refresh=false"
	state := with(registries, object{"name": "anka", "replicas": object{"h1": object{}}})
	if _, said := s.Plan(state, registries); !strings.Contains(said, hint) || !strings.HasPrefix(said, "error") {
		t.Errorf("got %s", said)
	}
	if _, said := s.Plan(nil, registries); strings.Contains(said, hint) {
		t.Errorf("nothing exists, and got %s", said)
	}
}

// TestPlan_warnsOfStorageWithoutAContainer: the state tells where the data is.
func TestPlan_warnsOfStorageWithoutAContainer(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.Add(running(t, "h1"))
	state := object{"name": "other", "replicas": object{"h1": object{}}, "storage": object{"path": "/opt/old"}}
	config := object{"name": "other", "replicas": object{"h1": object{}}, "storage": object{"path": "/opt/new"}}
	_, said := serve(t, "anka_registry", fleet).Plan(state, config)
	if !strings.Contains(said, "h1: from /opt/old to /opt/new") {
		t.Errorf("got %s", said)
	}
}
