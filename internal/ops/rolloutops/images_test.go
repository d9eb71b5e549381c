package rolloutops

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// daemon answers what a plan asks: containers, and which images there are.
type daemon struct {
	mu         sync.Mutex
	image      string
	containers []map[string]any
	looked     int
}

func (d *daemon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w.Header().Set("API-Version", dockerhost.MinAPIVersion)
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/containers/json"):
		_ = json.NewEncoder(w).Encode(d.containers)
	case strings.Contains(r.URL.Path, "/images/"):
		d.looked++
		if !strings.HasSuffix(r.URL.Path, "/images/"+d.image+"/json") {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte(`{"message":"no such image"}`))
	}
}

// fleet declares a host for every daemon.
func fleet(t *testing.T, daemons map[string]*daemon) *dockerhost.Fleet {
	t.Helper()
	f := dockerhost.NewFleet()
	for name, d := range daemons {
		server := httptest.NewServer(d)
		host, err := dockerhost.New(dockerhost.Config{
			Name: name, DockerHost: "tcp://" + strings.TrimPrefix(server.URL, "http://"), Insecure: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		f.Add(host)
		t.Cleanup(func() {
			_ = host.Close()
			server.Close()
		})
	}
	return f
}

// TestPlan_pullsOnlyWhatIsMissing: a step that is shown is one that will do
// something.
func TestPlan_pullsOnlyWhatIsMissing(t *testing.T) {
	daemons := map[string]*daemon{"h1": {image: "new"}, "h2": {image: "old"}}
	s := &Service{Desired: desired("h1", "h2"), Fleet: fleet(t, daemons)}
	for range 2 {
		steps, _, err := s.Plan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := "[pull new on h2 create registry on h1, h2 start registry on h1, h2 wait until registry is ready on h1, h2]"
		if got := fmt.Sprint(steps); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for name, d := range daemons {
		if d.looked != 1 {
			t.Errorf("%s was asked %d times", name, d.looked)
		}
	}
}

// TestPlan_looksForNoImageWhereNothingIsCreated, which keeps a plan without
// changes at one call to each host.
func TestPlan_looksForNoImageWhereNothingIsCreated(t *testing.T) {
	spec := desired("h1").Replicas[0].Spec
	d := &daemon{containers: []map[string]any{{
		"Id": "1", "Names": []string{"/" + spec.Name}, "Labels": spec.Labels, "State": container.Running, "Image": "new",
	}}}
	s := &Service{Desired: desired("h1"), Fleet: fleet(t, map[string]*daemon{"h1": d})}
	steps, _, err := s.Plan(t.Context())
	if err != nil || fmt.Sprint(steps) != "[wait until registry is ready on h1]" || d.looked != 0 {
		t.Errorf("got %v, %v after %d looks", steps, err, d.looked)
	}
}
