// Package dockerstub answers inside a test as a Docker daemon would that is
// only asked what it has: containers, their files, the time. It belongs to the
// lab; what changes anything is tested against real daemons.
package dockerstub

import (
	"archive/tar"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Daemon is what a host has. Tests change it between questions only.
type Daemon struct {
	// Containers of the host; the ID of each is its name.
	Containers []container.Found
	// Files by name of the container and path.
	Files map[string]map[string]string
	// Clock is the host's time.
	Clock time.Time
	// Absent are paths of the host that are not there; all others are.
	Absent []string
	// Failure, when set, is the daemon's answer to everything.
	Failure string

	mu sync.Mutex
}

// Host serves the daemon until the test ends. Services of the host are looked
// for on loopback.
func (d *Daemon) Host(t testing.TB, name string) *dockerhost.Host {
	t.Helper()
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	return at(t, name, server.URL)
}

// Silent is a host that nothing answers on.
func Silent(t testing.TB, name string) *dockerhost.Host {
	t.Helper()
	server := httptest.NewServer(nil)
	server.Close()
	return at(t, name, server.URL)
}

func at(t testing.TB, name, url string) *dockerhost.Host {
	t.Helper()
	host, err := dockerhost.New(dockerhost.Config{
		Name: name, Address: "127.0.0.1", DockerHost: "tcp://" + strings.TrimPrefix(url, "http://"), Insecure: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	return host
}

// Runs adds a container of ours that runs, with the port of its service
// published at the port of url, "" for none.
func (d *Daemon) Runs(id container.Identity, containerPort int, url string, labels map[string]string) {
	spec := container.Spec{Labels: labels}.Owned(id)
	found := container.Found{ID: spec.Name, Name: spec.Name, Labels: spec.Labels, Status: container.Running, Detail: "Up 5 minutes"}
	if at := strings.LastIndex(url, ":"); at >= 0 {
		var port int
		// A URL of a test server ends with its port.
		if err := json.Unmarshal([]byte(url[at+1:]), &port); err == nil {
			found.Ports = []container.Port{{HostIP: "0.0.0.0", HostPort: port, ContainerPort: containerPort}}
		}
	}
	d.Containers = append(d.Containers, found)
}

// Writes puts a file into a container.
func (d *Daemon) Writes(name, path, content string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.Files == nil {
		d.Files = map[string]map[string]string{}
	}
	if d.Files[name] == nil {
		d.Files[name] = map[string]string{}
	}
	d.Files[name][path] = content
}

// ServeHTTP is the part of Docker's API.
func (d *Daemon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w.Header().Set("API-Version", dockerhost.MinAPIVersion)
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/_ping" {
		return
	}
	_, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	name, isFile := strings.CutSuffix(strings.TrimPrefix(path, "containers/"), "/archive")
	content, exists := d.Files[name][r.URL.Query().Get("path")]
	switch {
	case d.Failure != "":
		refuse(w, http.StatusInternalServerError, d.Failure)
	case path == "containers/json":
		_ = json.NewEncoder(w).Encode(d.list())
	case path == "info":
		_ = json.NewEncoder(w).Encode(map[string]any{"SystemTime": d.Clock})
	case path == "containers/create" && d.absent(r):
		refuse(w, http.StatusBadRequest, "invalid mount config for type \"bind\": bind source path does not exist")
	case isFile && exists:
		w.Header().Set("X-Docker-Container-Path-Stat", "e30=") // {}
		archive := tar.NewWriter(w)
		_ = archive.WriteHeader(&tar.Header{Name: "file", Typeflag: tar.TypeReg, Size: int64(len(content))})
		_, _ = archive.Write([]byte(content))
		_ = archive.Close()
	default:
		refuse(w, http.StatusNotFound, "page not found: "+path)
	}
}

// absent reports whether a container is asked for with a path that is not there.
func (d *Daemon) absent(r *http.Request) bool {
	var asked struct {
		HostConfig struct{ Mounts []struct{ Source string } }
	}
	_ = json.NewDecoder(r.Body).Decode(&asked) // what is no JSON has no mounts
	return slices.ContainsFunc(asked.HostConfig.Mounts, func(m struct{ Source string }) bool { return slices.Contains(d.Absent, m.Source) })
}

func refuse(w http.ResponseWriter, code int, message string) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

func (d *Daemon) list() []map[string]any {
	all := []map[string]any{}
	for _, c := range d.Containers {
		ports := []map[string]any{}
		for _, p := range c.Ports {
			ports = append(ports, map[string]any{"IP": p.HostIP, "PublicPort": p.HostPort, "PrivatePort": p.ContainerPort, "Type": "tcp"})
		}
		all = append(all, map[string]any{
			"Id": c.ID, "Names": []string{"/" + c.Name}, "Labels": c.Labels, "State": c.Status, "Status": c.Detail, "Ports": ports,
		})
	}
	return all
}
