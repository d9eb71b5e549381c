package statusops_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/inprocess"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/dockerstub"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

var clock = time.Date(2020, 3, 1, 12, 0, 0, 0, time.UTC)

func replica(host string) container.Identity {
	return container.Identity{Owner: "anka", Role: container.Registry, Instance: host}
}

// recordOf is what the provider writes into labels of registries.
func recordOf(primary string, hosts ...string) map[string]string {
	return map[string]string{container.LabelRecord: fmt.Sprintf(
		`{"made":"2020-01-01T00:00:00Z","attributes":{"primary":%q,"replicas":{"%s":{}}}}`, primary, strings.Join(hosts, `":{},"`))}
}

// replicates adds a replication container with a status file to a host, whose
// clock is years behind ours.
func replicates(d *dockerstub.Daemon, host, status string) {
	d.Clock = clock
	id := container.Identity{Owner: "anka", Role: container.Replication, Instance: host}
	d.Runs(id, 0, "", nil)
	d.Writes(id.Name(), registry.SettingsPath, replication.Settings{}.FollowerSettings(replication.Places{}, "https://10.0.1.4:8443"))
	d.Writes(id.Name(), replication.StatusPath, fmt.Sprintf(status, clock.Add(-2*time.Second).Format(time.RFC3339)))
}

const (
	sourceFile   = `{"role":"source","state":"ok","generation":5,"manifest":"m","last_attempt":"%[1]s","last_error":""}`
	followerFile = `{"role":"follower","in_sync":true,"generation":5,"seen_generation":5,"last_attempt":"%[1]s","last_success":"%[1]s","last_error":""}`
)

func fleetOf(hosts ...*dockerhost.Host) *dockerhost.Fleet {
	fleet := dockerhost.NewFleet()
	for _, host := range hosts {
		fleet.Add(host)
	}
	return fleet
}

func TestAskReplicas(t *testing.T) {
	h1, h2, h3, other := &dockerstub.Daemon{}, &dockerstub.Daemon{}, &dockerstub.Daemon{}, &dockerstub.Daemon{}
	url := inprocess.Registry(t, inprocess.Env{"ANKASIM_VERSION": "1.50.1-a"})
	for i := range 30 {
		inprocess.Push(t, url, fmt.Sprint("vm-", i), "v1")
		inprocess.Push(t, url, fmt.Sprint("vm-", i), "v2")
	}
	h1.Runs(replica("h1"), 8089, url, nil)
	replicates(h1, "h1", sourceFile)
	h2.Runs(replica("h2"), 8089, inprocess.Registry(t, nil), nil)
	replicates(h2, "h2", followerFile)
	h3.Runs(replica("h3"), 8089, url, nil)
	h3.Containers[0].Status, h3.Containers[0].Detail = container.Exited, "Exited (1) 3 minutes ago"
	// Containers of the same name that are not ours, and ours of another registry.
	other.Containers = []container.Found{{ID: "x", Name: replica("h4").Name(), Status: container.Running}}
	other.Runs(container.Identity{Owner: "else", Role: container.Registry, Instance: "h4"}, 8089, url, nil)
	fleet := fleetOf(h1.Host(t, "h1"), h2.Host(t, "h2"), h3.Host(t, "h3"), other.Host(t, "h4"))

	got, err := statusops.AskReplicas(t.Context(), statusops.RegistriesQuestion{Name: "anka", Fleet: fleet})
	if err != nil || !slices.Equal(slices.Sorted(maps.Keys(got.Replicas)), []string{"h1", "h2", "h3"}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	r := got.Replicas["h1"]
	if !r.Reachable || r.Failure != "" || r.Status != "Running" || r.Version != "1.50.1-a" || r.Templates != 30 || r.Tags != 60 || r.URL != url ||
		r.Free <= 0 || r.Used <= 0 || r.Total != r.Free+r.Used {
		t.Errorf("h1: %+v", r)
	}
	if r := got.Replicas["h2"]; !r.Reachable || r.Templates != 0 || r.Tags != 0 {
		t.Errorf("h2: %+v", r)
	}
	if r := got.Replicas["h3"]; r.Reachable || !strings.Contains(r.Failure, `anka-anka-registry-h3 on host "h3" does not run: it is exited (Exited (1) 3 minutes ago)`) ||
		r.Templates != -1 || r.Tags != -1 || r.Total != -1 || r.Free != -1 || r.Used != -1 {
		t.Errorf("h3: %+v", r)
	}
	all := got.Replication
	if all.Primary != "h1" || !all.Replicated || !all.Replicas["h1"].InSync || !all.Replicas["h2"].InSync || all.Replicas["h3"].InSync {
		t.Errorf("replication: %+v", all)
	}

	// Times are those of the host.
	h2.Clock = clock.Add(time.Hour)
	got, err = statusops.AskReplicas(t.Context(), statusops.RegistriesQuestion{Name: "anka", Fleet: fleet, Hosts: []string{"h1", "h2"}})
	if err != nil || len(got.Replicas) != 2 || got.Replication.Replicas["h2"].InSync || !strings.Contains(got.Replication.Replicas["h2"].Reason, "hangs") {
		t.Errorf("an hour later: %+v, %v", got, err)
	}
	// The name of another, at other URLs.
	got, err = statusops.AskReplicas(t.Context(), statusops.RegistriesQuestion{Name: "none", Fleet: fleet, URLs: map[string]string{"h4": url}})
	if r := got.Replicas["h4"]; err != nil || len(got.Replicas) != 1 || r.Templates != 30 || got.Replication.Replicated || got.Replication.Primary != "h4" {
		t.Errorf("by URL: %+v, %v", got, err)
	}
}

// TestAskReplicas_silence: what does not answer is data, and only that of which
// labels say that it is a replica.
func TestAskReplicas_silence(t *testing.T) {
	h1, broken := &dockerstub.Daemon{}, &dockerstub.Daemon{Failure: "out of memory"}
	closed := freeport.ClosedURL(t)
	h1.Runs(replica("h1"), 8089, closed, recordOf("h2", "h1", "h2", "h3"))
	fleet := fleetOf(h1.Host(t, "h1"), dockerstub.Silent(t, "h2"), broken.Host(t, "h3"), dockerstub.Silent(t, "h4"))
	fleet.AddUnknown("h5")
	ask := func(q statusops.RegistriesQuestion) statusops.RegistriesAnswer {
		t.Helper()
		q.Name, q.Fleet = "anka", fleet
		got, err := statusops.AskReplicas(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := ask(statusops.RegistriesQuestion{})
	if len(got.Replicas) != 3 || got.Replication.Primary != "h2" {
		t.Errorf("got %+v", got)
	}
	for host, text := range map[string]string{"h1": "connection was refused", "h2": "refused", "h3": "out of memory"} {
		if r := got.Replicas[host]; r.Reachable || !strings.Contains(r.Failure, text) {
			t.Errorf("%s: %+v", host, r)
		}
		if s := got.Replication.Replicas[host]; s.InSync || (host != "h1" && !strings.Contains(s.Reason, text)) {
			t.Errorf("%s: %+v", host, s)
		}
	}
	// Labels of replication know of a change of the primary.
	id := container.Identity{Owner: "anka", Role: container.Replication, Instance: "h1"}
	h1.Runs(id, 0, "", map[string]string{container.LabelTenure: registry.Tenure{ID: "a", Term: 2, Primary: "h3"}.Label()})
	if got := ask(statusops.RegistriesQuestion{}); got.Replication.Primary != "h3" {
		t.Errorf("got %+v", got)
	}
	h1.Containers = h1.Containers[:1]
	// Without labels, silent hosts may be replicas.
	h1.Containers[0].Labels[container.LabelRecord] = ""
	if got := ask(statusops.RegistriesQuestion{}); len(got.Replicas) != 5 || !strings.Contains(got.Replicas["h5"].Failure, "not known yet") {
		t.Errorf("got %+v", got)
	}
	h1.Containers = nil
	if got := ask(statusops.RegistriesQuestion{Hosts: []string{"h1"}}); !strings.Contains(got.Replicas["h1"].Failure, "has no container of the registry anka") {
		t.Errorf("got %+v", got)
	}
}

func TestAskReplicas_partly(t *testing.T) {
	pages := map[string]string{
		"/registry/status": `{"status":"OK","message":"","body":{"status":"Running","version":"1.50.1"}}`,
		"/registry/v2/vm":  `{"status":"OK","message":"","body":[{"id":"a"},{"id":"b"}]}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, found := pages[r.URL.Path]
		if !found || r.URL.Query().Has("id") {
			w.WriteHeader(http.StatusInternalServerError)
			body = `{"status":"FAIL","message":"disk trouble"}`
		}
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	locked := inprocess.Registry(t, inprocess.Env{"ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": "0123456789"})
	fleet := fleetOf((&dockerstub.Daemon{}).Host(t, "h1"), (&dockerstub.Daemon{}).Host(t, "h2"))
	q := statusops.RegistriesQuestion{Name: "anka", Fleet: fleet, URLs: map[string]string{"h1": server.URL, "h2": locked}}
	got, err := statusops.AskReplicas(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if r := got.Replicas["h1"]; !r.Reachable || r.Version != "1.50.1" || r.Templates != 2 || r.Tags != -1 || r.Free != -1 || strings.Count(r.Failure, "disk trouble") != 2 {
		t.Errorf("h1: %+v", r)
	}
	if r := got.Replicas["h2"]; !r.Reachable || r.Templates != -1 || !strings.Contains(r.Failure, "none were sent") {
		t.Errorf("h2: %+v", r)
	}
	q.Credentials.RootToken = "0123456789"
	if got, err = statusops.AskReplicas(t.Context(), q); err != nil || got.Replicas["h2"].Templates != 0 || got.Replicas["h2"].Failure != "" {
		t.Errorf("with the token: %+v, %v", got.Replicas["h2"], err)
	}
}

func TestAskReplicas_wrongConfiguration(t *testing.T) {
	fleet := fleetOf((&dockerstub.Daemon{}).Host(t, "h1"))
	for name, q := range map[string]statusops.RegistriesQuestion{
		"hosts": {Hosts: []string{"h1", "h9"}},
		"urls":  {URLs: map[string]string{"h9": "http://10.0.1.4:8089"}},
	} {
		q.Fleet = fleet
		var missing *dockerhost.NoHostError
		if _, err := statusops.AskReplicas(t.Context(), q); !errors.As(err, &missing) || missing.Name != "h9" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := statusops.AskReplicas(t.Context(), statusops.RegistriesQuestion{Fleet: fleet, Credentials: ankaapi.Credentials{CA: "x"}}); err == nil {
		t.Error("a CA that is none was accepted")
	}
}

// TestAskReplicas_https: labels tell that a registry speaks HTTPS, and which
// certificate it has, so no authority has to be known; and where it is
// published is where it is asked.
func TestAskReplicas_https(t *testing.T) {
	server := pki.NewAuthority(t, "authority").Issue(t, "server")
	certificate, err := os.ReadFile(server.CertPath)
	if err != nil {
		t.Fatal(err)
	}
	url := inprocess.Registry(t, inprocess.Env{"ANKA_USE_HTTPS": "true", "ANKA_SERVER_CERT": server.CertPath, "ANKA_SERVER_KEY": server.KeyPath})
	var h1 dockerstub.Daemon
	h1.Runs(replica("h1"), 8089, url, map[string]string{container.LabelScheme: "https", container.LabelCertificate: container.Fingerprint(certificate)})
	h1.Containers[0].Ports[0].HostIP = "localhost"
	q := statusops.RegistriesQuestion{Name: "anka", Fleet: fleetOf(h1.Host(t, "h1"))}
	got, err := statusops.AskReplicas(t.Context(), q)
	if r := got.Replicas["h1"]; err != nil || !r.Reachable || r.Failure != "" || r.URL != strings.Replace(url, "127.0.0.1", "localhost", 1) {
		t.Errorf("got %+v, %v", r, err)
	}
	h1.Containers[0].Labels[container.LabelCertificate] = strings.Repeat("0", 64)
	got, err = statusops.AskReplicas(t.Context(), q)
	if r := got.Replicas["h1"]; err != nil || r.Reachable || !strings.Contains(r.Failure, "another certificate") {
		t.Errorf("another certificate: got %+v, %v", r, err)
	}
}
