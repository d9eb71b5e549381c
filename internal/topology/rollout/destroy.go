package rollout

import (
	"fmt"
	"maps"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// NextDestroy returns the next step of destroying the service that d
// describes, nil when nothing of it is left, or an [UnreachableError]: as long
// as one host is silent nothing is removed, because what is left there would
// be forgotten. With purge the named volumes that the replicas of d use are
// deleted, and no others: neither a host path nor a volume that the resource
// has used before.
func NextDestroy(d Desired, o Observed, purge bool) (topology.Step, error) {
	var silent, present, purged []string
	volumes := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(o.Hosts)) {
		host, id := o.Hosts[name], d.Identity(name)
		switch {
		case host.Reach != topology.Reachable:
			silent = append(silent, name)
		case host.has(id):
			present = append(present, name)
		}
		if volumes[name] = used(d.replica(name), host, id); len(volumes[name]) > 0 {
			purged = append(purged, name)
		}
	}
	switch {
	case len(silent) > 0:
		return nil, &UnreachableError{Role: d.Role, Hosts: silent, Destroying: true}
	case len(present) > 0:
		return Remove{Target{d.Role, present, "it is destroyed"}}, nil
	case purge && len(purged) > 0:
		return Purge{Target{d.Role, purged, "its data is to be deleted with it"}, volumes}, nil
	default:
		return nil, nil
	}
}

// used are the volumes of id that r uses.
func used(r Replica, host Host, id container.Identity) []string {
	var names []string
	for _, v := range host.Volumes {
		uses := func(m container.Mount) bool { return m.Type == container.Volume && m.Source == v.Name }
		if v.of(id) && slices.ContainsFunc(r.Spec.Mounts, uses) {
			names = append(names, v.Name)
		}
	}
	return names
}

// PlanDestroy repeats [NextDestroy] on a simulated copy of o.
func PlanDestroy(d Desired, o Observed, purge bool) ([]topology.Step, error) {
	o.Hosts = maps.Clone(o.Hosts)
	var steps []topology.Step
	for range maxPlan {
		step, err := NextDestroy(d, o, purge)
		if err != nil || step == nil {
			return steps, err
		}
		steps = append(steps, step)
		Simulate(d, o, step)
	}
	return steps, fmt.Errorf("destroying %s %s has no end after %d steps, which is a defect of the provider", d.Role, d.Owner, maxPlan)
}

// Kept tells where data of the service stays when its containers are gone, as
// "volume NAME on HOST" and "PATH on HOST", sorted: its volumes that are there,
// also those that it used before, the host paths of the replicas, and as the
// name of the store what is on no host.
func Kept(d Desired, o Observed) []string {
	var places []string
	for name, host := range o.Hosts {
		for _, v := range host.Volumes {
			// One of a file server holds no data itself.
			if v.of(d.Identity(name)) && v.Options.Type == "" {
				places = append(places, fmt.Sprintf("volume %s on %s", v.Name, name))
			}
		}
	}
	for _, r := range d.Replicas {
		for _, m := range r.Spec.Mounts {
			switch {
			case m.Borrowed:
			case m.Store != "":
				places = append(places, m.Store)
			case m.Type == container.Bind:
				places = append(places, fmt.Sprintf("%s on %s", m.Source, r.Host))
			}
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}
