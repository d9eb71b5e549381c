package etcd

import (
	"fmt"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// NextDestroy returns the next step of destroying the cluster, nil when
// nothing of it is left, or a [Refusal]. Its data is only deleted with purge,
// and then only named volumes: a host path is never deleted.
func NextDestroy(d Desired, o Observed, purge bool) (topology.Step, error) {
	states := look(d, o)
	if silent := silentHosts(states); len(silent) > 0 {
		return nil, &Refusal{
			Summary: "Unable to destroy etcd cluster",
			Detail: fmt.Sprintf("No answer from %s, so what is left there is not known. The cluster stays in the state. "+
				"See that all of them answer, and destroy again; if a host is gone for good, remove the cluster from the state with terraform state rm.", topology.Hosts(silent)),
		}
	}
	// Containers of members that were removed while their hosts were silent.
	states = append(states, filter(lookAt(d, o, d.Former), func(s memberState) bool { return s.reach == topology.Reachable })...)
	present := filter(states, func(s memberState) bool {
		return s.status() != container.Absent && s.status() != container.Foreign || s.kept()
	})
	if len(present) > 0 {
		return Remove{Members: members(present)}, nil
	}
	if purge && len(perHost(o.Volumes)) > 0 {
		return Purge{Volumes: o.Volumes}, nil
	}
	return nil, nil
}

// PlanDestroy repeats [NextDestroy] on a simulated copy of what was observed.
func PlanDestroy(d Desired, o Observed, purge bool) ([]topology.Step, error) {
	return simulate(o, func(o Observed) (topology.Step, error) { return NextDestroy(d, o, purge) }, d)
}

// perHost lists "volume on host", sorted.
func perHost(volumes map[string][]string) []string {
	var list []string
	for host, names := range volumes {
		for _, name := range names {
			list = append(list, name+" on "+host)
		}
	}
	slices.Sort(list)
	return list
}
