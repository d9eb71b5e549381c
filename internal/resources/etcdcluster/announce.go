package etcdcluster

import (
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/compat"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// announce tells the plan of controllers, which refuse an etcd that is too old
// for them, what this plan is going to run.
func (r *clusterResource) announce(desired etcd.Desired, steps []topology.Step) {
	release, _ := compat.Parse(desired.Version)
	_, source := compat.Tagged(desired.Image)
	if source == "" {
		source = "etcd_version"
	}
	changing := !desired.Born || slices.ContainsFunc(steps, func(s topology.Step) bool {
		replace, is := s.(etcd.Replace)
		return is && !replace.Flush
	})
	var planned []compat.Planned
	for _, endpoint := range desired.Endpoints() {
		planned = append(planned, compat.Planned{
			Component: compat.Etcd, Owner: desired.Cluster, URL: endpoint,
			Release: release, Source: source, Changing: changing,
		})
	}
	r.data.Announcements.Announce(compat.Etcd, desired.Cluster, planned)
}
