package replicas_test

import (
	"archive/tar"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
)

// recorder is a daemon that has every image and remembers the containers it was
// asked to make.
type recorder struct {
	mu    sync.Mutex
	made  map[string]*made // by ID
	count int
	log   string // what every container writes
}

// made is a container as it was asked for.
type made struct {
	Name    string
	State   string
	Labels  map[string]string
	Env     []string
	Request string // all of it, as JSON
	Files   map[string]string
	Modes   map[string]int64
}

// environment is Env by name.
func (m *made) environment() map[string]string {
	env := map[string]string{}
	for _, variable := range m.Env {
		name, value, _ := strings.Cut(variable, "=")
		env[name] = value
	}
	return env
}

// ports are those that it publishes, as a list of containers has them: none
// unless it runs.
func (m *made) ports() []map[string]any {
	var asked struct {
		HostConfig struct {
			PortBindings map[string][]struct{ HostIP, HostPort string }
		}
	}
	_ = json.Unmarshal([]byte(m.Request), &asked)
	ports := []map[string]any{}
	for inside, bindings := range asked.HostConfig.PortBindings {
		private, _ := strconv.Atoi(strings.TrimSuffix(inside, "/tcp"))
		for _, binding := range bindings {
			if public, _ := strconv.Atoi(binding.HostPort); m.State == "running" {
				ports = append(ports, map[string]any{"IP": binding.HostIP, "PrivatePort": private, "PublicPort": public, "Type": "tcp"})
			}
		}
	}
	return ports
}

// record adds a host with such a daemon to the fleet.
func record(t *testing.T, fleet *dockerhost.Fleet, name string) *recorder {
	t.Helper()
	d := &recorder{made: map[string]*made{}}
	server := httptest.NewServer(d)
	host, err := dockerhost.New(dockerhost.Config{
		Name: name, Address: "127.0.0.1", DockerHost: "tcp://" + strings.TrimPrefix(server.URL, "http://"), Insecure: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	fleet.Add(host)
	t.Cleanup(func() {
		_ = host.Close()
		server.Close()
	})
	return d
}

// container is the one of this name, nil when there is none.
func (d *recorder) container(name string) *made {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.made[d.find(name)]
}

// find gives the ID of a container by its name or ID.
func (d *recorder) find(name string) string {
	for id, c := range d.made {
		if c.Name == name {
			return id
		}
	}
	return name
}

// running is the container that runs, nil when there is none.
func (d *recorder) running() *made {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.made {
		if c.State == "running" {
			return c
		}
	}
	return nil
}

func (d *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w.Header().Set("API-Version", dockerhost.MinAPIVersion)
	w.Header().Set("Content-Type", "application/json")
	path := r.URL.Path[max(0, strings.Index(r.URL.Path[1:], "/")+1):]
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case path == "/containers/json":
		all := []map[string]any{}
		for id, c := range d.made {
			all = append(all, map[string]any{"Id": id, "Names": []string{"/" + c.Name}, "Image": "i:1", "State": c.State, "Labels": c.Labels, "Ports": c.ports()})
		}
		_ = json.NewEncoder(w).Encode(all)
	case path == "/containers/create":
		d.create(w, r)
	case parts[0] == "containers":
		d.act(w, r, parts)
	default:
		_, _ = w.Write([]byte("{}"))
	}
}

func (d *recorder) create(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if strings.Contains(string(body), `"Image":"sha256:`) { // whether a path is there is asked with an image that is not
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"message":"No such image"}`))
		return
	}
	c := &made{Name: r.URL.Query().Get("name"), State: "created", Request: string(body), Files: map[string]string{}, Modes: map[string]int64{}}
	_ = json.Unmarshal(body, c)
	d.count++
	id := fmt.Sprintf("id-%d", d.count)
	d.made[id] = c
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{"Id": id})
}

// act does something with one container, which is given by name or ID.
func (d *recorder) act(w http.ResponseWriter, r *http.Request, parts []string) {
	id := d.find(parts[1])
	c, exists := d.made[id]
	if !exists {
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"message":"No such container"}`))
		return
	}
	switch act := parts[len(parts)-1]; {
	case r.Method == http.MethodHead: // whether a directory is there
		w.WriteHeader(http.StatusNotFound)
		return
	case r.Method == http.MethodDelete:
		delete(d.made, id)
	case r.Method == http.MethodPut && act == "archive":
		files := tar.NewReader(r.Body)
		for header, err := files.Next(); err == nil; header, err = files.Next() {
			content, _ := io.ReadAll(files)
			if header.Typeflag == tar.TypeReg {
				name := "/" + strings.TrimPrefix(strings.TrimSuffix(r.URL.Query().Get("path"), "/")+"/"+header.Name, "/")
				c.Files[name], c.Modes[name] = string(content), header.Mode
			}
		}
	case act == "rename":
		c.Name = r.URL.Query().Get("name")
	case act == "start":
		c.State = "running"
	case act == "stop":
		c.State = "exited"
	case act == "json":
		_ = json.NewEncoder(w).Encode(map[string]any{
			"Id": id, "Name": "/" + c.Name, "Config": map[string]any{"Labels": c.Labels}, "State": map[string]any{"Status": c.State},
		})
		return
	case act == "logs": // a header of 8 bytes: the stream and the length
		_, _ = w.Write(append(binary.BigEndian.AppendUint32([]byte{1, 0, 0, 0}, uint32(len(d.log))), d.log...))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
