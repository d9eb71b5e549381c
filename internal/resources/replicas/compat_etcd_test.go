package replicas_test

import (
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/controller"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/etcdcluster"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/etcdstub"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
)

const etcdTooOld = `error ("image"): etcd is too old for the controllers: `

// TestPlanCompatibility_runningEtcd: the oldest member that answers counts.
func TestPlanCompatibility_runningEtcd(t *testing.T) {
	old, current := etcdstub.Serve(t, "3.5.20"), etcdstub.Serve(t, "3.5.25")
	for name, c := range map[string]struct {
		endpoints []string
		image     string
		want      string
	}{
		"one is too old":     {[]string{current, old, "http://127.0.0.1:1"}, "c:1.50.1", etcdTooOld},
		"new enough":         {[]string{current, "http://127.0.0.1:1"}, "c:1.50.1", ""},
		"for old ones":       {[]string{old}, "c:1.47.0", ""},
		"nobody answers":     {[]string{"http://127.0.0.1:1"}, "c:1.50.1", ""},
		"nobody knows whose": {[]string{old}, "c:latest", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, _ := pair(t)
			_, said := s.Plan(nil, connected(object{"etcd_endpoints": c.endpoints, "image": c.image, "registry_url": "http://127.0.0.1:1"}))
			got := refusals(said)
			if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
				t.Errorf("got %s\nwant %s", said, c.want)
			}
			if c.want != "" && (!strings.Contains(said, "etcd at "+old+": 3.5.20 (it answers as 3.5.20)") || strings.Contains(said, current)) {
				t.Errorf("got %s", said)
			}
		})
	}
}

// TestPlanCompatibility_etcdPlannedBeside: what anka_etcd_cluster is going to
// run counts in the place of what runs.
func TestPlanCompatibility_etcdPlannedBeside(t *testing.T) {
	running := etcdstub.Serve(t, "3.5.20")
	port := portOf(t, running)
	for name, c := range map[string]struct {
		cluster   object
		endpoints any
		want      string
		source    string
	}{
		"upgraded":             {object{"image": "e:v3.5.25"}, []string{running}, "", ""},
		"told by etcd_version": {object{"image": "e:mine", "etcd_version": "3.5.20"}, unknown{}, etcdTooOld, "(etcd_version"},
		"made too old":         {object{"image": "e:v3.5.20"}, unknown{}, etcdTooOld, "(tag of image e:v3.5.20"},
		"one not known":        {object{"image": "e:v3.5.20"}, []any{unknown{}}, etcdTooOld, "(tag of image e:v3.5.20"},
		"of another name":      {object{"image": "e:v3.5.20", "name": "other"}, unknown{}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			fleet := dockerhost.NewFleet()
			record(t, fleet, "h1")
			s := protocol.Serve(t, "anka_controller", fleet, controller.New, etcdcluster.New)
			cluster := with(object{"name": "anka", "members": object{"etcd-1": object{"host": "h1", "client_port": port, "peer_port": 2380}}}, c.cluster)
			if _, said := s.Sibling("anka_etcd_cluster").Plan(nil, cluster); refusals(said) != "" {
				t.Fatal(said)
			}
			_, said := s.Plan(nil, connected(object{"etcd_endpoints": c.endpoints, "registry_url": "http://127.0.0.1:1"}))
			got := refusals(said)
			if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) || got != "" && !strings.Contains(said, c.source+`, planned by anka_etcd_cluster "anka")`) {
				t.Errorf("got %s\nwant %s", said, c.want)
			}
		})
	}
}
