// Package rollout plans how a stateless-to-the-planner service, one container
// on each of several hosts, is created, repaired, updated one host at a time
// and removed. Controllers and registries share it. It belongs to the layer
// topology: pure, desired and observed in, ordered steps out.
package rollout

import (
	"maps"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Desired is what the configuration asks for.
type Desired struct {
	// Owner is the name of the resource.
	Owner string
	// Role is the kind of service.
	Role container.Role
	// Replicas are at most one per host; their order does not matter.
	Replicas []Replica
	// Partial: parts of the configuration are known only at apply, and the
	// specs lack them. They may turn out to change nothing, so what exists is
	// not judged by its configuration.
	Partial bool
	// Together: all containers are made at the same time or none, because they
	// share what only that apply knows, such as the authority of their
	// certificates. It names the label whose value they have in common. One
	// that has to be made makes all of them anew.
	Together string
}

// Replica is the service on one host.
type Replica struct {
	// Host is the host's key in the provider block, and the container's
	// instance.
	Host string
	// Spec is the container, owned: named and labelled by
	// [container.Spec.Owned].
	Spec container.Spec
	// PortAttributes are the attributes that ask for published ports, such as
	// monitoring.port, by the port on the host; without the service's own.
	PortAttributes map[int]string
}

// Identity says whose container the replica on host is.
func (d Desired) Identity(host string) container.Identity {
	return container.Identity{Owner: d.Owner, Role: d.Role, Instance: host}
}

// previousSuffix names the container that is kept until its successor is
// proven. A dot cannot be part of a valid name, so no replica is called so.
const previousSuffix = ".previous"

// PreviousName is the name under which the container of id is kept while its
// successor is started.
func PreviousName(id container.Identity) string { return id.Name() + previousSuffix }

// Observed is what the hosts answered.
type Observed struct {
	// Hosts holds every host of Desired and every host that the state knows,
	// by its key.
	Hosts map[string]Host
	// Recorded holds what was last applied to the hosts that the state knows:
	// the hash of the Spec, "" when the state does not tell. It is what
	// decides whether an unreachable host has to change.
	Recorded map[string]string
}

// Host is one host's answer.
type Host struct {
	Reach topology.Reach
	// Container is what has the replica's name; its Status is Absent when
	// nothing has.
	Container container.Found
	// Previous is what has the name of [PreviousName].
	Previous container.Found
	// Incomplete is what has the name of [container.IncompleteName]: an
	// interrupted apply left it. It was never started.
	Incomplete container.Found
	// Ready reports whether the service in Container answers as ready.
	Ready bool
	// Unsettled: this apply has started Container and has not waited for it yet.
	// Where Previous is kept, that it answers once is no proof.
	Unsettled bool
	// Pulled are the images known to be on the host. They are asked for only
	// when something is going to be created, so that a plan without changes
	// costs no call.
	Pulled []string
	// Volumes are those of the host, ours and others. They are asked for only
	// when a container that uses one is going to be created, and for
	// destroying.
	Volumes []Volume
	// Missing are host paths that a container needs and that are not there.
	// They are looked for only when one is going to be created.
	Missing []string
	// Taken are the ports published by other running containers.
	Taken []TakenPort
}

// TakenPort is a published port and the container that publishes it.
type TakenPort struct {
	container.Port
	By string
}

// sorted returns the replicas by host, so that the order of the configuration
// decides nothing.
func (d Desired) sorted() []Replica {
	replicas := slices.Clone(d.Replicas)
	slices.SortFunc(replicas, func(a, b Replica) int {
		switch {
		case a.Host < b.Host:
			return -1
		case a.Host > b.Host:
			return 1
		default:
			return 0
		}
	})
	return replicas
}

// surplus are the hosts that were observed and are not desired, sorted.
func (d Desired) surplus(o Observed) []string {
	var hosts []string
	for _, host := range slices.Sorted(maps.Keys(o.Hosts)) {
		if !slices.ContainsFunc(d.Replicas, func(r Replica) bool { return r.Host == host }) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// replica is the one on host, empty when none is desired there.
func (d Desired) replica(host string) Replica {
	for _, r := range d.Replicas {
		if r.Host == host {
			return r
		}
	}
	return Replica{}
}

// ours reports whether f exists and is the container of id.
func ours(f container.Found, id container.Identity) bool {
	if absent(f) || f.Status == container.Foreign {
		return false
	}
	got, ok := f.Identity()
	return ok && got == id
}

// has reports whether anything on the host is the container of id.
func (h Host) has(id container.Identity) bool {
	return ours(h.Container, id) || ours(h.Previous, id) || ours(h.Incomplete, id)
}

func absent(f container.Found) bool { return f.Status == container.Absent || f.Status == "" }

func alive(f container.Found) bool {
	return f.Status == container.Running || f.Status == container.Restarting
}
