package etcd

import (
	"slices"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// TestDesired_Prevailing: what others run is taken from their containers, and
// what those do not tell, or should not pass on, is not.
func TestDesired_Prevailing(t *testing.T) {
	m := at("h1", "etcd-1", "old")
	d := Desired{Cluster: "anka", Image: "etcd:v3.6.16", Version: "3.6.16", Born: true, Members: []Member{m}}
	d.Settings = Settings{Restart: "always", ExtraArgs: []string{"--old"}}
	found := createdFrom(d.FlushSpec(m, d.Image, "t"))
	found.Status = container.Running
	o := Observed{Hosts: map[string]topology.Reach{"h1": topology.Reachable}, Containers: map[string][]container.Found{"h1": {found}}}
	d.Image, d.Version, d.Settings.ExtraArgs, d.Settings.StopGrace = "etcd:v3.7.3", "3.7.3", []string{"--new"}, 30*time.Second
	now := d.Prevailing(o)
	if now.Image != "etcd:v3.6.16" || now.Version != "3.6.16" || now.Settings.StopGrace != 30*time.Second || !slices.Equal(now.Settings.ExtraArgs, []string{"--old"}) {
		t.Errorf("members are made of %+v", now)
	}
}
