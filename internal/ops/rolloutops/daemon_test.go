package rolloutops

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// daemon answers for one host: its containers and volumes, which can be
// removed, and which images there are.
type daemon struct {
	mu         sync.Mutex
	image      string
	containers []map[string]any
	volumes    []map[string]any
	// looked and listed count questions for images and volumes.
	looked, listed int
	// changes are the requests that change something, each as "METHOD path".
	changes []string
}

// runs adds a container of ours, which uses a volume of its name, to the host.
func (d *daemon) runs(spec container.Spec) {
	d.containers = append(d.containers, map[string]any{
		"Id": spec.Name, "Names": []string{"/" + spec.Name}, "Labels": spec.Labels, "State": container.Running, "Image": spec.Image,
	})
}

// has adds a volume.
func (d *daemon) has(name string, labels map[string]string) {
	d.volumes = append(d.volumes, map[string]any{"Name": name, "Labels": labels})
}

func (d *daemon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w.Header().Set("API-Version", dockerhost.MinAPIVersion)
	w.Header().Set("Content-Type", "application/json")
	path := r.URL.Path[max(0, strings.Index(r.URL.Path[1:], "/")+1):]
	name := path[strings.LastIndex(path, "/")+1:]
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		d.changes = append(d.changes, r.Method+" "+path)
	}
	switch {
	case path == "/containers/json":
		_ = json.NewEncoder(w).Encode(d.containers)
	case path == "/volumes":
		d.listed++
		_ = json.NewEncoder(w).Encode(map[string]any{"Volumes": d.volumes})
	case strings.HasPrefix(path, "/images/"):
		d.looked++
		if path != "/images/"+d.image+"/json" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte(`{"message":"no such image"}`))
	case strings.HasPrefix(path, "/volumes/") && r.Method == http.MethodGet:
		at := slices.IndexFunc(d.volumes, func(v map[string]any) bool { return v["Name"] == name })
		_ = json.NewEncoder(w).Encode(d.volumes[at])
	case r.Method == http.MethodDelete:
		d.volumes = slices.DeleteFunc(d.volumes, func(v map[string]any) bool { return path == "/volumes/"+name && v["Name"] == name })
		d.containers = slices.DeleteFunc(d.containers, func(c map[string]any) bool { return path == "/containers/"+name && c["Id"] == name })
		w.WriteHeader(http.StatusNoContent)
	case strings.HasPrefix(path, "/containers/"):
		// Inspected before it is removed, and stopped.
		name = strings.Split(path, "/")[2]
		_ = json.NewEncoder(w).Encode(map[string]any{"Id": name, "Name": "/" + name, "Config": d.config(name), "State": map[string]any{"Status": "running"}})
	}
}

func (d *daemon) config(id string) map[string]any {
	for _, c := range d.containers {
		if c["Id"] == id {
			return map[string]any{"Labels": c["Labels"]}
		}
	}
	return nil
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

// silence makes a host of the fleet one that nothing answers on.
func silence(t *testing.T, f *dockerhost.Fleet, name string) {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	address := strings.TrimPrefix(server.URL, "http://")
	server.Close()
	host, err := dockerhost.New(dockerhost.Config{Name: name, DockerHost: "tcp://" + address, Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	f.Add(host)
	t.Cleanup(func() { _ = host.Close() })
}
