package etcd

import (
	"fmt"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Labels that only members of etcd carry, beside those of package container.
const (
	// LabelToken holds the --initial-cluster-token the container was made for.
	LabelToken = container.LabelPrefix + "etcd-token"
	// LabelBirth says what a container expects of its data: see [Birth].
	LabelBirth = container.LabelPrefix + "etcd-birth"
)

// Birth says what a member's container expects to find when it first starts.
type Birth string

const (
	// Bootstrap containers start on no data and form a new cluster.
	Bootstrap Birth = "bootstrap"
	// Join containers start on no data as a new member of a cluster that
	// exists, which has been told of them before.
	Join Birth = "join"
	// Rejoin containers must find the data of the member that they continue.
	// Started on nothing they would make a twin of it or panic.
	Rejoin Birth = "rejoin"
)

// Observed is what the hosts said, member by member.
type Observed struct {
	// Hosts by their name: whether they answered.
	Hosts map[string]topology.Reach
	// Containers by host: all containers there, ours or not.
	Containers map[string][]container.Found
	// Images are the hosts that were asked for the image and have it.
	Images map[string]bool
	// OldImages are the same of the image of [Desired.Prevailing], where it is
	// another one.
	OldImages map[string]bool
	// Data are the members that were found with a write-ahead log in their
	// data directory. It is only looked at where a container has ended, where one
	// was never started that [Rejoin]s, and where there is only the old one that a
	// replacement keeps.
	Data map[string]bool
	// Proven: every endpoint answered with one cluster ID, the same members,
	// all of them started, and a leader, and a write and a read through each
	// succeeded, since members were last started.
	Proven bool
	// Membership is what the members say of their cluster.
	Membership Membership
	// Snapshotted: this apply has saved a snapshot already.
	Snapshotted bool
	// Downgrading: this apply has told the cluster of the downgrade already.
	Downgrading bool
	// Volumes by host are the cluster's volumes, looked at by a destroy, and on
	// hosts where a member has no container. A host that was looked at is
	// in the map.
	Volumes map[string][]string
}

// clone copies what the simulation of steps changes.
func (o Observed) clone() Observed {
	copied := o
	copied.Membership = o.Membership.clone()
	copied.Containers = map[string][]container.Found{}
	for host, found := range o.Containers {
		copied.Containers[host] = slices.Clone(found)
	}
	copied.Images = map[string]bool{}
	for host, has := range o.Images {
		copied.Images[host] = has
	}
	copied.OldImages = map[string]bool{}
	for host, has := range o.OldImages {
		copied.OldImages[host] = has
	}
	copied.Data = map[string]bool{}
	for member, has := range o.Data {
		copied.Data[member] = has
	}
	copied.Volumes = map[string][]string{}
	for host, names := range o.Volumes {
		copied.Volumes[host] = slices.Clone(names)
	}
	return copied
}

// memberState is one member as its host reported it.
type memberState struct {
	Member
	reach     topology.Reach
	container container.Found
	// previous is the old container that is kept while the member's new one is
	// proven; its Status is absent when there is none.
	previous container.Found
}

func (s memberState) status() container.Status { return s.container.Status }

// started reports whether etcd has ever run in the container.
func (s memberState) started() bool {
	switch s.status() {
	case container.Absent, container.Created, container.Foreign:
		return false
	default:
		return true
	}
}

func (s memberState) token() string { return s.container.Labels[LabelToken] }

func (s memberState) birth() Birth { return Birth(s.container.Labels[LabelBirth]) }

// look finds each member's container among what its host has. A container
// under the member's name that is not exactly this member's is foreign.
func look(d Desired, o Observed) []memberState { return lookAt(d, o, d.sorted()) }

func lookAt(d Desired, o Observed, members []Member) []memberState {
	var states []memberState
	for _, m := range members {
		id := d.identity(m)
		s := memberState{
			Member: m, reach: o.reach(m.Host),
			container: o.named(m.Host, id.Name(), id), previous: o.named(m.Host, PreviousName(id), id),
		}
		for _, found := range []container.Found{s.previous, s.container} {
			// The container knows better than a state that an interrupted apply
			// could not save.
			if incarnation := found.Labels[container.LabelIncarnation]; incarnation != "" && found.Status != container.Foreign {
				s.Incarnation = incarnation
			}
		}
		states = append(states, s)
	}
	return states
}

func (o Observed) named(host, name string, id container.Identity) container.Found {
	for _, found := range o.Containers[host] {
		if found.Name != name {
			continue
		}
		if owner, ours := found.Identity(); !ours || owner != id {
			found.Status = container.Foreign
		}
		return found
	}
	return container.Found{Status: container.Absent}
}

func (o Observed) reach(host string) topology.Reach {
	if reach, asked := o.Hosts[host]; asked {
		return reach
	}
	return topology.Unknown
}

// strangers are containers with our labels for this cluster that no member of
// the configuration accounts for: of a member that is not configured, or on a
// host where that member is not.
func strangers(d Desired, o Observed) []string {
	expected := map[string]bool{}
	for _, m := range d.All() {
		expected[m.Key()] = true
	}
	var found []string
	for host, containers := range o.Containers {
		for _, c := range containers {
			id, ours := c.Identity()
			if ours && id.Owner == d.Cluster && id.Role == container.Etcd && !expected[host+"/"+id.Instance] {
				found = append(found, fmt.Sprintf("%s on %s", c.Name, host))
			}
		}
	}
	slices.Sort(found)
	return found
}

func (d Desired) identity(m Member) container.Identity {
	return container.Identity{Owner: d.Cluster, Role: container.Etcd, Instance: m.Name}
}
