package replicas_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// leftOver is a host without a container, with a volume of its registry.
func leftOver(t *testing.T, name, address string) *dockerhost.Host {
	t.Helper()
	id := container.Identity{Owner: "anka", Role: container.Registry, Instance: name}
	volume := map[string]any{"Name": "data", "Labels": container.Spec{}.Owned(id).Labels}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("API-Version", dockerhost.MinAPIVersion)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			_, _ = w.Write([]byte("[]"))
		case strings.HasSuffix(r.URL.Path, "/volumes"):
			_ = json.NewEncoder(w).Encode(map[string]any{"Volumes": []any{volume}})
		}
	}))
	host, err := dockerhost.New(dockerhost.Config{
		Name: name, Address: address, DockerHost: "tcp://" + strings.TrimPrefix(server.URL, "http://"), Insecure: true,
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

// TestUpdate_tellsWhatDroppedReplicasLeave: the volume that is used, one that
// was used before, and paths, also where no container was left.
func TestUpdate_tellsWhatDroppedReplicasLeave(t *testing.T) {
	for storage, want := range map[string]string{"volume": "volume data on h2", "path": "/srv/t on h2\nvolume data on h2"} {
		fleet := dockerhost.NewFleet()
		fleet.Add(closed(t, "h1")) // unchanged, so it is not needed
		fleet.Add(leftOver(t, "h2", "127.0.0.2"))
		s := serve(t, "anka_registry", fleet)
		place := map[string]string{"volume": "data", "path": "/srv/t"}[storage]
		common := object{"name": "anka", "image": "i:1", "port": 8089, "storage": object{storage: place}, "purge_data_on_destroy": false}
		before := with(common, object{"replicas": object{"h1": object{}, "h2": object{}}, "primary": "h1", "ready": true})
		after := with(common, object{"replicas": object{"h1": object{}}})
		planned := with(after, object{"id": "anka", "urls": unknown{}, "primary_url": unknown{}, "ready": unknown{}})
		_, got := s.Apply(before, planned, after)
		got, skipped, _ := strings.Cut(got, "\nwarning : Host h1 is left out: ")
		if !strings.Contains(skipped, "nothing listens there") {
			t.Errorf("%s: of h1 it says %q", storage, skipped)
		}
		if !strings.HasPrefix(got, "warning") || !strings.Contains(got, "Data of the registry was kept: Hosts have left the replicas of anka; the data was not deleted:\n\n"+want) ||
			strings.Contains(got, "h1") {
			t.Errorf("%s: got %s", storage, got)
		}
	}
}
