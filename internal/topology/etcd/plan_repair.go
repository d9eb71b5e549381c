package etcd

import (
	"fmt"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// refuseRepair says what about one member cannot be repaired safely.
func refuseRepair(o Observed, s memberState) error {
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
	case s.status() == container.Paused || s.status() == container.Dead:
		return &Refusal{
			Member: s.Name, Summary: "Etcd member is stuck",
			Detail: fmt.Sprintf("The container %q on host %s is %s (%s). It was not touched. %s, and apply again.",
				s.container.Name, s.Host, s.status(), s.container.Detail, unstick(s)),
		}
	}
	return nil
}

// unstick is what a person has to do about a container.
func unstick(s memberState) string {
	if s.status() == container.Paused {
		return "Wake it on the host with docker unpause"
	}
	return "Remove it on the host with docker rm, which keeps its data"
}

// dataGone refuses to start a member on nothing while the cluster cannot be
// told that the member is a new one.
func dataGone(d Desired, s memberState) error {
	return &Refusal{
		Member: s.Name, Summary: "Data of etcd member is gone",
		Detail: fmt.Sprintf("There is no data of %s in %s. Started on nothing it could split the cluster, so it was not started. "+
			"No quorum of the other members answers, so it cannot be replaced either. Bring the others back, or the data to that place, and apply again.",
			s.place(), d.Data(s.Member, s.Incarnation).Source),
	}
}
