package etcdops

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// TestEnded_namesTheWayOut: a member that ends again and again may need its data
// anew, which is told for a cluster that exists.
func TestEnded_namesTheWayOut(t *testing.T) {
	m := memberOn("h1", "etcd-1")
	for _, born := range []bool{true, false} {
		d := etcd.Desired{Cluster: "anka", Image: "etcd:v3.5.35", Version: "3.5.35", Born: born, Members: []etcd.Member{m}}
		spec := d.Spec(m, etcd.Rejoin, "")
		found := map[string]any{"Id": "it", "Names": []string{"/" + spec.Name}, "Labels": spec.Labels, "State": container.Restarting, "Image": spec.Image}
		daemon := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/containers/json"):
				_ = json.NewEncoder(w).Encode([]any{found})
			case strings.HasSuffix(r.URL.Path, "/containers/it/json"):
				_ = json.NewEncoder(w).Encode(map[string]any{"Id": "it", "RestartCount": endless, "State": map[string]any{"Status": container.Restarting}})
			}
		})
		c := Cluster{Desired: d, Fleet: fleetOf(t, map[string]http.Handler{"h1": daemon})}
		defer c.Close()
		err := c.ended(t.Context(), d.Members)
		if err == nil || !strings.Contains(err.Error(), "the container of etcd-1 on host h1 ends again and again") {
			t.Fatalf("born %v: %v", born, err)
		}
		if told := strings.Contains(err.Error(), "take etcd-1 out of members and apply, then put it back and apply"); told != born {
			t.Errorf("born %v: %v", born, err)
		}
	}
}

// TestHopeless: a wait for members that are late goes on, and one that nothing
// can end does not.
func TestHopeless(t *testing.T) {
	if err := hopeless(etcd.Verdict{Ailing: "etcd-2 on h2 has not joined yet", Quorum: true}); err != nil {
		t.Error(err)
	}
	err := hopeless(etcd.Verdict{Ailing: "etcd-2 on h2 has not joined yet", Quorum: true, Alarms: []string{"alarm CORRUPT of etcd-1 on h1"}})
	if !errors.Is(err, ErrAlarm) || !strings.Contains(err.Error(), "alarm CORRUPT of etcd-1 on h1 is active, and no apply clears it") {
		t.Error(err)
	}
	if err := hopeless(etcd.Verdict{Ailing: "members belong to different clusters", Split: true}); err == nil || errors.Is(err, ErrAlarm) {
		t.Error(err)
	}
}
