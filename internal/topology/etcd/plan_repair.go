package etcd

import (
	"fmt"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// nextRepair brings back what is missing of a cluster that was proven before.
// Members on unreachable hosts are left alone: their silence says nothing
// about them.
func nextRepair(d Desired, o Observed, states []memberState) (topology.Step, error) {
	reachable := filter(states, func(s memberState) bool { return s.reach == topology.Reachable })
	for _, s := range reachable {
		if err := refuseRepair(d, o, s); err != nil {
			return nil, err
		}
	}
	absent := filter(reachable, func(s memberState) bool { return s.status() == container.Absent })
	if hosts := lacking(o, absent); len(hosts) > 0 {
		return Pull{Image: d.Image, Hosts: hosts}, nil
	}
	if len(absent) > 0 {
		return Recreate{Member: absent[0].Member}, nil
	}
	stopped := filter(reachable, func(s memberState) bool { return s.status() == container.Created || s.status() == container.Exited })
	if len(stopped) > 0 {
		return Start{Members: members(stopped), Why: "their containers are not running"}, nil
	}
	if len(reachable) < len(states) {
		return nil, nil
	}
	return prove(o, states, "not every member was healthy"), nil
}

// refuseRepair says what about one member cannot be repaired safely.
func refuseRepair(d Desired, o Observed, s memberState) error {
	switch {
	case s.status() == container.Absent && s.Incarnation == "":
		return &Refusal{
			Member: s.Name, Summary: "Unable to recreate etcd member",
			Detail: fmt.Sprintf("The container of %s is gone, and the state does not say where its data lies. Nothing was changed.", s.place()),
		}
	case s.status() == container.Absent:
		if conflict := portConflict(o, s); conflict != nil {
			return conflict
		}
		return nil
	case s.container.Hash() != d.Spec(s.Member, s.birth(), s.token()).Labels[container.LabelHash]:
		return &Refusal{
			Member: s.Name, Summary: "Etcd member differs from the configuration",
			Detail: fmt.Sprintf("The container %q on host %s was made with another image or other settings than are configured. "+
				"Changing these on a running cluster is not supported by this version, and nothing was changed. Restore the configuration it was made with.",
				s.container.Name, s.Host),
		}
	case s.status() == container.Created && s.birth() == Rejoin && !o.Data[s.Name]:
		return &Refusal{
			Member: s.Name, Summary: "Data of etcd member is gone",
			Detail: fmt.Sprintf("The container of %s was made again, but there is no data in %s. Started on nothing it could split the cluster, so it was not started; "+
				"the other members go on. Bring the data back to that place, or restore it from a backup, and apply again. Replacing a member is not supported by this version.",
				s.place(), d.Data(s.Member, s.Incarnation).Source),
		}
	case s.status() == container.Paused || s.status() == container.Dead:
		return &Refusal{
			Member: s.Name, Summary: "Etcd member is stuck",
			Detail: fmt.Sprintf("The container %q on host %s is %s (%s). It was not touched. Resolve this on the host, for example with docker unpause, and apply again.",
				s.container.Name, s.Host, s.status(), s.container.Detail),
		}
	}
	return nil
}
