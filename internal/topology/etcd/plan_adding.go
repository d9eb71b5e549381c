package etcd

import (
	"fmt"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

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
					"It is none that is known to have been made by this provider. Add it to members, with its host in the provider block, or remove it with etcdctl member remove %s.", l.d.Cluster, HexID(p.ID), p.Name, p.url(), HexID(p.ID)),
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
	case l.lost(s):
		return l.removal(s, p, "it has no vote yet, and its container or data is gone or does not run"), nil
	case s.status() == container.Absent:
		if conflict := portConflict(l.d, l.o, s); conflict != nil {
			return nil, conflict
		}
		if hosts := lacking(l.o, l.d, l.now, s); len(hosts) > 0 {
			return Pull{Image: l.now.Image, Hosts: hosts}, nil
		}
		return JoinMember{Member: s.Member, Peers: l.c.Peers, Of: l.now, Other: l.other()}, nil
	case s.status() == container.Created && s.birth() != Join:
		return Discard{Members: []Member{s.Member}, Why: "it was made for an earlier life of the member"}, nil
	case s.birth() != Join && !p.started():
		return Retire{Member: s.Member, Why: "it runs on data of an earlier life of the member"}, nil
	case l.anew(s) && s.status() == container.Created:
		return Discard{Members: []Member{s.Member}, Why: "it was made of another configuration"}, nil
	// Once it has run it may have taken what the leader sent, so that on fresh
	// data it cannot go on under the ID it has.
	case l.anew(s):
		return l.removal(s, p, "it has no vote yet, does not answer, and was made of another configuration"), nil
	case s.status() == container.Restarting && !p.started():
		return l.removal(s, p, "it has no vote yet, and ends again and again"), nil
	case !p.started() || !l.c.Healthy[p.url()]:
		return Await{Members: []Member{s.Member}, Why: "the new member has not answered yet"}, nil
	default:
		all, up := l.c.voters()
		return Promote{Member: s.Member, ID: p.ID, Voters: all + 1, Working: up + 1}, nil
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
