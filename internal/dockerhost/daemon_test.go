package dockerhost

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

func ownedSpec() container.Spec {
	return container.Spec{Image: "quay.io/coreos/etcd:v3.5.35"}.
		Owned(container.Identity{Owner: "anka", Role: container.Etcd, Instance: "etcd-1"})
}

func inspected(name string, labels map[string]string) map[string]any {
	return map[string]any{"Id": "the-id", "Name": "/" + name, "State": map[string]any{"Status": "created"}, "Config": map[string]any{"Labels": labels}}
}

func TestConnect_refusesAnOldDaemon(t *testing.T) {
	d := newFakeDaemon(t)
	d.apiVersion = "1.40"
	_, err := d.plainHost(t).Containers(testContext(t))
	wantText(t, err, `host "h1" (tcp://127.0.0.1:`, "upgrade Docker on the host to 20.10 or newer", `newest API version is "1.40"`)
	if !IsUnreachable(err) {
		t.Error("the host does not count as unreachable")
	}
}

func TestConnect_daemonThatHangs(t *testing.T) {
	d := newFakeDaemon(t)
	stop := make(chan struct{})
	defer close(stop)
	d.on("HEAD /_ping", func(http.ResponseWriter, *http.Request) { <-stop })
	h := d.plainHost(t)
	h.session.timeout = 100 * time.Millisecond
	_, err := h.Containers(testContext(t))
	wantText(t, err, "the daemon did not answer within connect_timeout")
}

func TestCall_deadlineMakesTheHostUnreachable(t *testing.T) {
	d := newFakeDaemon(t)
	stop := make(chan struct{})
	defer close(stop)
	d.on("GET /containers/json", func(http.ResponseWriter, *http.Request) { <-stop })
	h := d.plainHost(t)
	h.callTimeout = 100 * time.Millisecond
	_, err := h.Containers(testContext(t))
	wantText(t, err, "tried to list containers", "the daemon did not answer within 100ms")
	if !IsUnreachable(err) {
		t.Error("the host does not count as unreachable")
	}
}

func TestCreate_looksAgainWhenTheConnectionDrops(t *testing.T) {
	for _, made := range []bool{true, false} {
		d := newFakeDaemon(t)
		spec := ownedSpec()
		var creates atomic.Int64
		d.on("POST /containers/create", func(w http.ResponseWriter, _ *http.Request) {
			if creates.Add(1) == 1 {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err == nil {
					_ = conn.Close()
				}
				return
			}
			reply(w, http.StatusCreated, map[string]any{"Id": "the-id"})
		})
		if made {
			d.on("GET /containers/"+spec.Name+"/json", func(w http.ResponseWriter, _ *http.Request) {
				reply(w, http.StatusOK, inspected(spec.Name, spec.Labels))
			})
		} else {
			d.on("GET /containers/"+spec.Name+"/json", refuse(http.StatusNotFound, "No such container"))
		}
		h := d.plainHost(t)
		id, err := h.CreateContainer(testContext(t), spec)
		if err != nil || id != "the-id" {
			t.Errorf("%q, %v", id, err)
		}
		if want := map[bool]int64{true: 1, false: 2}[made]; creates.Load() != want {
			t.Errorf("made %t: %d creates, want %d", made, creates.Load(), want)
		}
	}
}

func TestCreate_takesOverOnlyWhatItWouldMake(t *testing.T) {
	spec := ownedSpec()
	other := ownedSpec()
	other.Env = map[string]string{"A": "b"}
	other = other.Owned(container.Identity{Owner: "anka", Role: container.Etcd, Instance: "etcd-1"})
	cases := map[string]struct {
		labels map[string]string
		ours   bool
	}{
		"same": {spec.Labels, true}, "other settings": {other.Labels, false}, "no labels": {nil, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := newFakeDaemon(t)
			d.on("POST /containers/create", refuse(http.StatusConflict, "Conflict. The container name is already in use"))
			d.on("GET /containers/"+spec.Name+"/json", func(w http.ResponseWriter, _ *http.Request) {
				reply(w, http.StatusOK, inspected(spec.Name, c.labels))
			})
			id, err := d.plainHost(t).CreateContainer(testContext(t), spec)
			var taken *NameTakenError
			if c.ours && (err != nil || id != "the-id") || !c.ours && !errors.As(err, &taken) {
				t.Errorf("%q, %v", id, err)
			}
			for _, r := range d.seen() {
				if strings.HasPrefix(r, "DELETE") {
					t.Errorf("it sent %s", r)
				}
			}
		})
	}
}

func TestCreate_hasItsNameOnlyWhenItsFilesAreThere(t *testing.T) {
	d := newFakeDaemon(t)
	spec := ownedSpec()
	spec.Files = []container.File{{Path: "/tls/ca.pem", Content: []byte("x"), Mode: 0o600}}
	spec = spec.Owned(container.Identity{Owner: "anka", Role: container.Etcd, Instance: "etcd-1"})
	incomplete := container.IncompleteName(spec.Name)
	d.on("GET /containers/"+spec.Name+"/json", refuse(http.StatusNotFound, "No such container"))
	d.on("GET /containers/"+incomplete+"/json", refuse(http.StatusNotFound, "No such container"))
	d.on("DELETE /containers/the-id", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	d.on("POST /containers/create", func(w http.ResponseWriter, r *http.Request) {
		if got := r.URL.Query().Get("name"); got != incomplete {
			t.Errorf("created as %q", got)
		}
		made := func(w http.ResponseWriter, _ *http.Request) {
			reply(w, http.StatusOK, inspected(incomplete, spec.Labels))
		}
		d.on("GET /containers/"+incomplete+"/json", made)
		d.on("GET /containers/the-id/json", made)
		reply(w, http.StatusCreated, map[string]any{"Id": "the-id"})
	})
	d.on("PUT /containers/the-id/archive", refuse(http.StatusInternalServerError, "no space left on device"))
	_, err := d.plainHost(t).CreateContainer(testContext(t), spec)
	wantText(t, err, "no space left on device", `host "h1"`)
	if slices.Contains(d.seen(), "POST /containers/the-id/rename") {
		t.Error("the container got its name without its files")
	}
	if !slices.Contains(d.seen(), "DELETE /containers/the-id") {
		t.Error("the unfinished container, which has secrets, was left")
	}
}

// TestCreate_makesWhatWasLeftUnfinishedAnew: its secrets may be older than they
// look.
func TestCreate_makesWhatWasLeftUnfinishedAnew(t *testing.T) {
	for whose, labels := range map[string]map[string]string{"ours": ownedSpec().Labels, "foreign": nil} {
		d := newFakeDaemon(t)
		spec := ownedSpec()
		spec.Files = []container.File{{Path: "/ca.pem", Content: []byte("x"), Mode: 0o600, Secret: true}}
		incomplete := container.IncompleteName(spec.Name)
		left := func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, inspected(incomplete, labels)) }
		d.on("GET /containers/"+spec.Name+"/json", refuse(http.StatusNotFound, "No such container"))
		d.on("GET /containers/"+incomplete+"/json", left)
		d.on("GET /containers/the-id/json", left)
		d.on("DELETE /containers/the-id", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
		d.on("POST /containers/create", func(w http.ResponseWriter, _ *http.Request) {
			reply(w, http.StatusCreated, map[string]any{"Id": "new-id"})
		})
		d.on("PUT /containers/new-id/archive", func(http.ResponseWriter, *http.Request) {})
		d.on("POST /containers/new-id/rename", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
		id, err := d.plainHost(t).CreateContainer(testContext(t), spec)
		if whose == "ours" {
			seen := d.seen()
			removed, made := slices.Index(seen, "DELETE /containers/the-id"), slices.Index(seen, "POST /containers/create")
			if err != nil || id != "new-id" || removed < 0 || made < removed {
				t.Errorf("got %q, %v after %v", id, err, seen)
			}
			continue
		}
		var taken *NameTakenError
		if !errors.As(err, &taken) || taken.Name != incomplete || slices.Contains(d.seen(), "DELETE /containers/the-id") {
			t.Errorf("with something foreign in its place: %q, %v", id, err)
		}
	}
}

func TestPull_sendsTheCredentialsOfTheRegistry(t *testing.T) {
	for image, want := range map[string]string{"ghcr.io/acme/etcd:v1": "ghcr", "veertu/anka:v1": "hub", "quay.io/coreos/etcd:v1": ""} {
		d := newFakeDaemon(t)
		name, _, _ := strings.Cut(image, ":")
		d.on("GET /images/"+image+"/json", refuse(http.StatusNotFound, "No such image"))
		got := ""
		d.on("POST /images/create", func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Query().Get("fromImage"), name) {
				t.Errorf("pulled %s for %s", r.URL.Query().Get("fromImage"), image)
			}
			if header := r.Header.Get("X-Registry-Auth"); header != "" {
				raw, _ := base64.URLEncoding.DecodeString(header)
				var auth struct{ Username, Password string }
				if err := json.Unmarshal(raw, &auth); err != nil || auth.Password != "s3cr3t" {
					t.Errorf("%+v, %v", auth, err)
				}
				got = auth.Username
			}
			_, _ = w.Write([]byte(`{"status":"Pulling"}` + "\n" + `{"errorDetail":{"message":"denied"},"error":"denied"}`))
		})
		d.Start()
		h := newHost(t, Config{
			Name: "h1", DockerHost: "tcp://" + d.Listener.Addr().String(), Insecure: true,
			RegistryAuth: map[string]RegistryAuth{"https://ghcr.io/": {"ghcr", "s3cr3t"}, "index.docker.io": {"hub", "s3cr3t"}},
		})
		err := h.PullImage(testContext(t), image)
		var pull *ImageError
		if !errors.As(err, &pull) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("a pull that fails inside its stream gave %v", err)
		}
		if got != want {
			t.Errorf("%s was pulled as %q, want %q", image, got, want)
		}
	}
}

func TestTakenPort(t *testing.T) {
	const before = "Error response from daemon: driver failed programming external connectivity on endpoint anka-x (0123): "
	for text, want := range map[string]int{
		before + "Bind for 0.0.0.0:2379 failed: port is already allocated":                                         2379,
		before + "Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use":             80,
		before + "Bind for :::8089 failed: port is already allocated":                                              8089,
		"failed to bind host port for 10.0.1.4:2380:172.17.0.2:2380/tcp: address already in use":                   2380,
		"failed to set up container networking: failed to bind host port 0.0.0.0:8080/tcp: address already in use": 8080,
		"something: address already in use":                                                                        0,
	} {
		if port, taken := takenPort(errors.New(text)); !taken || port != want {
			t.Errorf("%s: %d, %t", text, port, taken)
		}
	}
	if _, taken := takenPort(errors.New("no such file")); taken {
		t.Error("another error counts as a port that is taken")
	}
}
