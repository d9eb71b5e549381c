package etcdops

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// TestDestroy_formerMemberOnSilentHost: a former member's host that does not
// answer keeps nobody from purging the rest, and what may be there is named.
func TestDestroy_formerMemberOnSilentHost(t *testing.T) {
	m := memberOn("h1", "etcd-1")
	d := etcd.Desired{Cluster: "anka", Born: true, Members: []etcd.Member{m}, Former: []etcd.Member{memberOn("h4", "etcd-4")}}
	volumes := []map[string]any{{
		"Name": d.Data(m, m.Incarnation).Source, "Labels": d.Spec(m, etcd.Rejoin, "").Labels,
	}}
	daemon := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			_, _ = w.Write([]byte("[]"))
		case strings.HasSuffix(r.URL.Path, "/volumes"):
			_ = json.NewEncoder(w).Encode(map[string]any{"Volumes": volumes})
		case r.Method == http.MethodGet:
			_ = json.NewEncoder(w).Encode(volumes[0])
		case r.Method == http.MethodDelete:
			volumes = nil
			w.WriteHeader(http.StatusNoContent)
		}
	})
	fleet := fleetOf(t, map[string]http.Handler{"h1": daemon})
	silent, err := dockerhost.New(dockerhost.Config{Name: "h4", DockerHost: "tcp://127.0.0.1:1", Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	fleet.Add(silent)
	c := Cluster{Desired: d, Fleet: fleet}
	defer c.Close()
	left, _, err := c.Destroy(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if len(volumes) > 0 {
		t.Errorf("not purged are %v", volumes)
	}
	want := []string{"whatever the former member etcd-4 has on h4, which does not answer"}
	if !slices.Equal(left, want) {
		t.Errorf("left is %q, want %q", left, want)
	}
}
