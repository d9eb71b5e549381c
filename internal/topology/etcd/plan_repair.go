package etcd

import (
	"fmt"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// refuseRepair says what about one member cannot be repaired safely.
func refuseRepair(d Desired, o Observed, s memberState) error {
	switch {
	case s.status() == container.Absent && s.Incarnation == "":
		return &Refusal{
			Member: s.Name, Summary: "Unable to recreate etcd member",
			Detail: fmt.Sprintf("The container of %s is gone, and the state does not say where its data lies. Nothing was changed.", s.place()),
		}
	case s.status() == container.Absent:
		if conflict := portConflict(d, o, s); conflict != nil {
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

// anew: the member is down, and the cluster, which knows it, can do better than
// to have it started on a configuration that is not wanted any more.
func (l life) anew(s memberState) bool {
	p, listed := l.c.peer(s.Member)
	switch {
	case !l.c.Known, !listed, l.c.Healthy[p.url()]:
		return false
	case p.started() && !p.Learner:
		return l.mendable(s)
	default:
		return s.container.Hash() != l.hash(l.now, s)
	}
}

// wrong: nobody speaks for the cluster, and the member, which has data, is down
// on a configuration that is not wanted any more: it may be what keeps it down.
func (l life) wrong(s memberState) bool {
	if l.c.Known || !l.mendable(s) || l.hops(s) {
		return false
	}
	switch s.status() {
	case container.Exited, container.Restarting:
		return true
	default:
		return s.status() == container.Created && s.birth() == Rejoin
	}
}

// hops: what members are made of now is another minor version than that of the
// container, or may be. The way between two is gone with members that work.
func (l life) hops(s memberState) bool {
	from := recordedVersion(s.container)
	if to, known := parsed(l.now.Version); known && !from.IsZero() {
		return !from.sameMinor(to)
	}
	return s.container.Image != l.now.Image
}

// correct puts a member that is down on what it should be made of.
func (l life) correct(s memberState) (topology.Step, error) {
	if conflict := portConflict(l.d, l.o, s); conflict != nil {
		return nil, conflict
	}
	if hosts := lacking(l.o, l.d, l.now, s); len(hosts) > 0 {
		return Pull{Image: l.now.Image, Hosts: hosts}, nil
	}
	step := l.replacement(s, l.now, l.why(s, l.now))
	step.Down = true
	return step, nil
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
			"No quorum of the other members answers, so it cannot be replaced either. Bring the others back, or the data to that place, and apply again. "+
			"A container that has ended for want of it has to be started with docker start then.",
			s.place(), d.Data(s.Member, s.Incarnation).Source),
	}
}
