package etcd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// nextLife keeps a cluster that was proven before: it brings back what is
// missing, finishes what was interrupted, and then changes one member at a
// time. Members on unreachable hosts are left alone: their silence says
// nothing about them.
func nextLife(d Desired, o Observed, states []memberState) (topology.Step, error) {
	if o.Membership.Split != "" {
		return nil, &Refusal{
			Summary: "Several clusters under one name",
			Detail: fmt.Sprintf("Members of %s belong to different clusters: %s. One of them runs on data of another cluster. Nothing was changed. "+
				"Find out which data is the right one, and remove the wrong container by hand.", d.Cluster, o.Membership.Split),
		}
	}
	life := life{d: d, o: o, c: o.Membership, states: states, former: lookAt(d, o, d.Former)}
	alone := []func() (topology.Step, error){life.finishReplacement, life.repair, life.quorum}
	voted := []func() (topology.Step, error){life.await, life.finishAdding, life.retire, life.removeDead, life.add, life.makeRoom, life.remove, life.roll}
	if !life.c.Known {
		// What a cluster has to agree to must wait until one speaks.
		voted = nil
	}
	for _, next := range append(alone, voted...) {
		if step, err := next(); step != nil || err != nil {
			return step, err
		}
	}
	if len(silentHosts(states)) > 0 {
		return nil, nil
	}
	return prove(o, states, "the cluster changed or was not whole"), nil
}

// life is what the parts of nextLife look at.
type life struct {
	d              Desired
	o              Observed
	c              Membership
	states, former []memberState
}

func (l life) reachable() []memberState {
	return filter(l.states, func(s memberState) bool { return s.reach == topology.Reachable })
}

func (l life) listed(s memberState) bool { return l.c.Lists(s.Member) }

// belongs: the cluster knows the member, or nobody can say that it does not.
func (l life) belongs(s memberState) bool {
	if l.c.Known {
		return l.listed(s)
	}
	return s.Incarnation != "" || s.started()
}

func (s memberState) kept() bool { return s.previous.Status != container.Absent }

// finishReplacement goes on where a replacement was interrupted: its member
// has an old container aside and is, or may be, down.
func (l life) finishReplacement() (topology.Step, error) {
	for _, s := range l.reachable() {
		if s.kept() {
			return l.replacement(s, l.flushing(s), "an interrupted replacement left the old container aside"), nil
		}
	}
	return nil, nil
}

// repair brings back containers that are missing or stopped, of members that
// have data.
func (l life) repair() (topology.Step, error) {
	var absent, stopped []memberState
	for _, s := range l.reachable() {
		if !l.belongs(s) || l.unborn(s) {
			continue
		}
		if err := refuseRepair(l.o, s); err != nil {
			return nil, err
		}
		switch {
		case s.status() == container.Absent:
			absent = append(absent, s)
		case l.dataGone(s):
			if !l.c.Known {
				return nil, dataGone(l.d, s)
			}
		case s.status() == container.Created, s.status() == container.Exited:
			stopped = append(stopped, s)
		}
	}
	if hosts := lacking(l.o, absent); len(hosts) > 0 {
		return Pull{Image: l.d.Image, Hosts: hosts}, nil
	}
	if len(absent) > 0 {
		return Recreate{Member: absent[0].Member}, nil
	}
	if len(stopped) > 0 {
		return Start{Members: members(stopped), Why: whyStart(stopped)}, nil
	}
	return nil, nil
}

func whyStart(stopped []memberState) string {
	for _, s := range stopped {
		if s.birth() != Join {
			return "not running"
		}
	}
	return "the cluster waits for it as a learner"
}

// unborn: the cluster has been told of the member, which has never run. It is
// made by finishAdding.
func (l life) unborn(s memberState) bool {
	p, listed := l.c.peer(s.Member)
	return listed && !p.started() && (s.status() == container.Absent || s.status() == container.Created && s.birth() != Join)
}

func (l life) dataGone(s memberState) bool {
	return s.status() == container.Created && s.birth() == Rejoin && !l.o.Data[s.Name]
}

// quorum refuses changes while nobody speaks for the cluster, and waits where
// all who could are there.
func (l life) quorum() (topology.Step, error) {
	if l.c.Known {
		return nil, nil
	}
	silent := silentHosts(l.states)
	if len(silent) == 0 {
		return Await{Members: members(l.states), Why: "no quorum of them answers"}, nil
	}
	if change := l.pending(); change != "" {
		n := len(filter(append(slices.Clone(l.states), l.former...), func(s memberState) bool { return s.Incarnation != "" }))
		return nil, &Refusal{
			Attribute: "members", Summary: "Etcd cluster has no quorum",
			Detail: fmt.Sprintf("%s is wanted, but no quorum of the %d members of %s answers: a quorum is %d, and there is no answer from host %s. "+
				"Nothing was changed. Bring the hosts back first.", change, n, l.d.Cluster, Quorum(n), strings.Join(silent, ", ")),
		}
	}
	return nil, nil
}

// pending names a change that is wanted beyond repairs, "" when there is none.
func (l life) pending() string {
	for _, s := range l.states {
		if s.Incarnation == "" && !s.started() {
			return "Adding " + s.place()
		}
	}
	if len(l.d.Former) > 0 {
		return "Removing " + l.d.Former[0].place()
	}
	for _, s := range l.reachable() {
		if s.started() && s.container.Hash() != l.wanted(s) {
			return "Changing " + s.place()
		}
	}
	return ""
}

// wanted is the hash that the member's container should have.
func (l life) wanted(s memberState) string {
	return l.d.Spec(s.Member, s.birth(), s.token()).Labels[container.LabelHash]
}

// await waits for members whose containers run and that do not follow the
// leader yet.
func (l life) await() (topology.Step, error) {
	late := filter(l.reachable(), func(s memberState) bool {
		p, listed := l.c.peer(s.Member)
		return listed && !p.Learner && p.started() && !l.c.Healthy[s.PeerURL()]
	})
	late = filter(late, func(s memberState) bool { return !l.dataGone(s) })
	if len(late) == 0 {
		return nil, nil
	}
	return Await{Members: members(late), Why: "they do not follow the leader yet"}, nil
}

// finishAdding ends the adding of a member that the cluster has been told of,
// before anything else is changed: at most one learner is under way.
func (l life) finishAdding() (topology.Step, error) {
	for _, p := range l.c.Peers {
		s, wanted := stateAt(l.states, p)
		f, former := stateAt(l.former, p)
		switch {
		case !wanted && !former:
			return nil, &Refusal{
				Attribute: "members", Summary: "Foreign member in the etcd cluster",
				Detail: fmt.Sprintf("The cluster %s has a member %s (%q) at %s that is not configured. Nothing was changed. "+
					"If an apply that was killed has added it, apply that configuration once more. Else add it to members, or remove it with etcdctl member remove %s.", l.d.Cluster, HexID(p.ID), p.Name, p.url(), HexID(p.ID)),
			}
		case p.started() && !p.Learner:
			continue
		case !wanted:
			return l.removal(f, p, "it was never finished and is no longer configured"), nil
		case s.reach != topology.Reachable:
			return nil, &Refusal{
				Member: s.Name, Summary: "Unable to finish adding etcd member",
				Detail: fmt.Sprintf("The cluster waits for %s, but there is no answer from host %s. Nothing was changed. "+
					"Bring the host back, or remove the member from the configuration.", s.place(), s.Host),
			}
		default:
			return l.finishOne(s, p)
		}
	}
	return nil, nil
}

func (l life) finishOne(s memberState, p Peer) (topology.Step, error) {
	switch {
	case s.status() == container.Absent:
		if conflict := portConflict(l.o, s); conflict != nil {
			return nil, conflict
		}
		if hosts := lacking(l.o, []memberState{s}); len(hosts) > 0 {
			return Pull{Image: l.d.Image, Hosts: hosts}, nil
		}
		return JoinMember{Member: s.Member, Peers: l.c.Peers}, nil
	case s.status() == container.Created && s.birth() != Join:
		return Discard{Members: []Member{s.Member}, Why: "it was made for an earlier life of the member"}, nil
	case s.birth() != Join && !p.started():
		return Retire{Member: s.Member, Why: "it runs on data of an earlier life of the member"}, nil
	case s.status() == container.Restarting && !p.started():
		return Retire{Member: s.Member, Why: "it ends again and again and has never joined, so that nothing is lost with it"}, nil
	case !p.started() || !l.c.Healthy[p.url()]:
		return Await{Members: []Member{s.Member}, Why: "the new member has not answered yet"}, nil
	default:
		return Promote{Member: s.Member, ID: p.ID}, nil
	}
}

func stateAt(states []memberState, p Peer) (memberState, bool) {
	at := slices.IndexFunc(states, func(s memberState) bool { return p.is(s.Member) })
	if at < 0 {
		return memberState{}, false
	}
	return states[at], true
}

// retire removes the containers of members that are out of the cluster.
func (l life) retire() (topology.Step, error) {
	for _, s := range l.former {
		// Of a silent host no container is known, so that nothing is touched.
		if l.listed(s) {
			continue
		}
		if s.status() != container.Absent && s.status() != container.Foreign || s.kept() {
			return Retire{Member: s.Member, Why: "it is no longer a member"}, nil
		}
	}
	return nil, nil
}
