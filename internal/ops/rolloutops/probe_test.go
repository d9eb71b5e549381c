package rolloutops

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// onThisMachine is a fleet of one host, h1, whose services are here.
func onThisMachine(t *testing.T) *dockerhost.Fleet {
	t.Helper()
	host, err := dockerhost.New(dockerhost.Config{Name: "h1", Address: "127.0.0.1", DockerHost: "tcp://127.0.0.1:1", Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	f := dockerhost.NewFleet()
	f.Add(host)
	t.Cleanup(func() { _ = host.Close() })
	return f
}

func portOf(server *httptest.Server) int { return server.Listener.Addr().(*net.TCPAddr).Port }

// TestProbe_asksTheContainerThatIsThere: while the configuration goes over to
// HTTPS on another port, the old container is asked as it was made, and each
// container by its own certificate.
func TestProbe_asksTheContainerThatIsThere(t *testing.T) {
	fine := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	plain, secure := httptest.NewServer(fine), httptest.NewUnstartedServer(fine)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	secure.StartTLS()
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	made := func(scheme string, port int, files ...container.File) container.Found {
		spec := container.Spec{
			Env:   map[string]string{"ANKA_USE_HTTPS": map[string]string{"https": "true", "http": ""}[scheme], "ANKA_SERVER_CERT": "/etc/anka/cert.pem"},
			Ports: []container.Port{{HostPort: port, ContainerPort: 80}},
		}.Owned(container.Identity{Owner: "anka", Role: container.Controller, Instance: "h1"})
		spec.Files = files
		spec = (&Service{}).told(spec)
		return container.Found{Name: spec.Name, Labels: spec.Labels, Ports: spec.Ports, Status: container.Running}
	}
	cert := container.File{Path: "/etc/anka/cert.pem", Content: certificate}
	other := container.File{Path: "/etc/anka/cert.pem", Content: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("another")})}
	authority := container.File{Path: "/etc/anka/ca.pem", Content: certificate}
	legacy := made("https", portOf(secure), cert)
	delete(legacy.Labels, container.LabelScheme)
	delete(legacy.Labels, container.LabelCertificate)
	restarting := made("https", portOf(secure), cert)
	restarting.Ports = nil
	d := rollout.Desired{Owner: "anka", Role: container.Controller, Replicas: []rollout.Replica{{Host: "h1", Spec: container.Spec{
		Env: map[string]string{"ANKA_USE_HTTPS": "true"}, Ports: []container.Port{{HostPort: portOf(secure), ContainerPort: 80}},
	}}}}
	s := &Service{Desired: d, Fleet: onThisMachine(t)}
	defer s.Close()
	for name, c := range map[string]struct {
		found container.Found
		want  string // part of the error, "" for ready
	}{
		"plain, on its own port":           {made("http", portOf(plain)), ""},
		"with its certificate":             {made("https", portOf(secure), cert), ""},
		"with another certificate":         {made("https", portOf(secure), other), "certificate"},
		"with an authority's certificate":  {made("https", portOf(secure), authority), "certificate"},
		"made by an older version":         {legacy, "certificate"},
		"restarting, which lists no ports": {restarting, ""},
	} {
		err := s.probe(t.Context(), "h1", c.found)
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	trusting := &Service{Desired: d, Fleet: s.Fleet, Credentials: ankaapi.Credentials{CA: string(certificate)}}
	defer trusting.Close()
	if err := trusting.probe(t.Context(), "h1", legacy); err != nil {
		t.Errorf("with anka_auth's CA: %v", err)
	}
}

// TestApply_sickHost: a host that has served as it is holds back what serves,
// and the error says what to do.
func TestApply_sickHost(t *testing.T) {
	w := newWorld(t, "h1", "h2")
	before := w.wanted("good1", "h1", "h2")
	if _, err := w.apply(t, t.Context(), before); err != nil {
		t.Fatal(err)
	}
	w.hosts["h1"].containers[0].Image = "bad, from now on"
	after := w.wanted("good2", "h1", "h2")
	after.Replicas[0] = before.Replicas[0]
	w.trace = nil
	s := &Service{
		Desired: after, Fleet: w.fleet(t), ReadyTimeout: 10 * time.Millisecond,
		Recorded: map[string]string{"h1": before.Replicas[0].Spec.Labels[container.LabelHash], "h2": before.Replicas[1].Spec.Labels[container.LabelHash]},
	}
	defer s.Close()
	_, err := s.Apply(t.Context())
	for _, want := range []string{"not ready within", "host h1", "none that serves is taken down", "take the host out of replicas"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	if len(w.trace) > 0 {
		t.Errorf("there was %v", w.trace)
	}
}
