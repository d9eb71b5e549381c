package rolloutops

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
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

// world is hosts whose daemons keep containers, and the services in those. What
// changes something is counted, and after so many changes nothing gets through
// any more, as for a process that was killed.
type world struct {
	mu      sync.Mutex
	hosts   map[string]*engine
	changes int
	// cut is the number of changes after which nothing gets through, 0 for
	// never; lost is whether the last one is carried out, unanswered.
	cut  int
	lost bool
	// killed is called when it comes to that.
	killed func()
	// asked: the process was not killed but told to end, and gets through.
	asked bool
	// least is the least number of services that served after a change.
	least int
	trace []string
	// graces are the seconds that the stopped containers had, in order.
	graces []string
	// patience is how long services may take, settle how long they have to stay
	// ready.
	patience, settle time.Duration
}

// engine is one host.
type engine struct {
	world      *world
	name       string
	daemon     *httptest.Server
	service    *httptest.Server
	containers []*kept
	made       int // so far
}

// kept is a container.
type kept struct {
	ID, Name, Image, State string
	Env                    []string
	Labels                 map[string]string
	Port                   int
	Files                  int
	Restarts               int
	Grace                  int // seconds
}

func newWorld(t *testing.T, hosts ...string) *world {
	t.Helper()
	w := &world{hosts: map[string]*engine{}, patience: 10 * time.Millisecond}
	for _, name := range hosts {
		e := &engine{world: w, name: name}
		e.daemon = httptest.NewServer(e)
		e.service = httptest.NewServer(http.HandlerFunc(e.serve))
		w.hosts[name] = e
		t.Cleanup(func() {
			e.daemon.Close()
			e.service.Close()
		})
	}
	return w
}

func (e *engine) port() int { return e.service.Listener.Addr().(*net.TCPAddr).Port }

// fleet are fresh connections to all hosts, those of a new process.
func (w *world) fleet(t *testing.T) *dockerhost.Fleet {
	t.Helper()
	f := dockerhost.NewFleet()
	for name, e := range w.hosts {
		host, err := dockerhost.New(dockerhost.Config{
			Name: name, Address: "127.0.0.1", DockerHost: "tcp://" + strings.TrimPrefix(e.daemon.URL, "http://"), Insecure: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		f.Add(host)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// serves reports whether the container answers as ready. Those of images that
// begin with bad never do; those of images that begin with crash end at once and
// are started again, those of images that begin with exit are not.
func (c *kept) serves() bool { return c.State == "running" && strings.HasPrefix(c.Image, "good") }

// serving is the number of hosts that do.
func (w *world) serving() int {
	n := 0
	for _, e := range w.hosts {
		if slices.ContainsFunc(e.containers, (*kept).serves) {
			n++
		}
	}
	return n
}

func (e *engine) serve(rw http.ResponseWriter, _ *http.Request) {
	e.world.mu.Lock()
	defer e.world.mu.Unlock()
	if !slices.ContainsFunc(e.containers, (*kept).serves) {
		rw.WriteHeader(http.StatusServiceUnavailable)
	}
}

func drop(rw http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(rw).Hijack(); err == nil {
		_ = conn.Close()
	}
}

func (e *engine) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w := e.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut > 0 && w.changes >= w.cut && !w.asked {
		drop(rw)
		return
	}
	rw.Header().Set("API-Version", dockerhost.MinAPIVersion)
	rw.Header().Set("Content-Type", "application/json")
	path := r.URL.Path[max(0, strings.Index(r.URL.Path[1:], "/")+1):]
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		e.look(rw, r.Method, path)
		return
	}
	w.changes++
	w.trace = append(w.trace, e.name+" "+r.Method+" "+path)
	if w.changes == w.cut && w.asked {
		w.killed()
	} else if w.changes == w.cut {
		if w.lost {
			e.change(httptest.NewRecorder(), r, path)
		}
		w.killed()
		drop(rw)
		return
	}
	e.change(rw, r, path)
	w.least = min(w.least, w.serving())
}

func (e *engine) look(rw http.ResponseWriter, method, path string) {
	switch {
	case path == "/containers/json":
		list := []map[string]any{}
		for _, c := range e.containers {
			one := map[string]any{"Id": c.ID, "Names": []string{"/" + c.Name}, "Image": c.Image, "State": c.State, "Labels": c.Labels}
			if c.State == "running" {
				one["Ports"] = []map[string]any{{"PrivatePort": 80, "PublicPort": c.Port, "Type": "tcp"}}
			}
			list = append(list, one)
		}
		_ = json.NewEncoder(rw).Encode(list)
	case method == http.MethodHead && strings.HasSuffix(path, "/archive"):
		rw.WriteHeader(http.StatusNotFound)
	case strings.HasPrefix(path, "/containers/"):
		c := e.find(strings.Split(path, "/")[2])
		if c == nil {
			rw.WriteHeader(http.StatusNotFound)
			_, _ = rw.Write([]byte(`{"message":"No such container"}`))
			return
		}
		_ = json.NewEncoder(rw).Encode(map[string]any{
			"Id": c.ID, "Name": "/" + c.Name, "Config": map[string]any{"Labels": c.Labels, "StopTimeout": c.Grace}, "RestartCount": c.Restarts,
			"State": map[string]any{"Status": c.State},
		})
	default: // a ping, an image that is there
		_, _ = rw.Write([]byte("{}"))
	}
}

func (e *engine) find(id string) *kept {
	for _, c := range e.containers {
		if c.ID == id || c.Name == id {
			return c
		}
	}
	return nil
}

func (e *engine) change(rw http.ResponseWriter, r *http.Request, path string) {
	words := strings.Split(path, "/")
	if path == "/containers/create" {
		e.create(rw, r)
		return
	}
	c := e.find(words[2])
	switch {
	case c == nil:
		rw.WriteHeader(http.StatusNotFound)
		_, _ = rw.Write([]byte(`{"message":"No such container"}`))
		return
	case r.Method == http.MethodDelete:
		e.containers = slices.DeleteFunc(e.containers, func(other *kept) bool { return other == c })
	case r.Method == http.MethodPut:
		_, _ = io.Copy(io.Discard, r.Body)
		c.Files++
	case words[3] == "rename":
		c.Name = r.URL.Query().Get("name")
	case words[3] == "stop":
		c.State = "exited"
		w := e.world
		w.graces = append(w.graces, r.URL.Query().Get("t"))
	case words[3] == "start":
		if taken := slices.ContainsFunc(e.containers, func(o *kept) bool { return o != c && o.State == "running" && o.Port == c.Port }); taken {
			rw.WriteHeader(http.StatusInternalServerError)
			_, _ = fmt.Fprintf(rw, `{"message":"Bind for 0.0.0.0:%d failed: port is already allocated"}`, c.Port)
			return
		}
		c.State = "running"
		switch {
		case strings.HasPrefix(c.Image, "crash"):
			c.State, c.Restarts = "restarting", maxRestarts
		case strings.HasPrefix(c.Image, "exit"):
			c.State = "exited"
		}
	}
	rw.WriteHeader(http.StatusNoContent)
}

func (e *engine) create(rw http.ResponseWriter, r *http.Request) {
	var asked struct {
		Image       string
		Env         []string
		Labels      map[string]string
		StopTimeout int
	}
	body, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(body, &asked)
	name := r.URL.Query().Get("name")
	if e.find(name) != nil {
		rw.WriteHeader(http.StatusConflict)
		_, _ = rw.Write([]byte(`{"message":"Conflict. The container name is already in use"}`))
		return
	}
	e.made++
	id := fmt.Sprintf("%s-%d", e.name, e.made)
	e.containers = append(e.containers, &kept{
		ID: id, Name: name, Image: asked.Image, State: string(container.Created), Env: asked.Env, Labels: asked.Labels, Port: e.port(), Grace: asked.StopTimeout,
	})
	rw.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(rw).Encode(map[string]any{"Id": id})
}
