package etcd

import (
	"fmt"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// removeDead takes out members that do not work: those that are on their way
// out, and those whose data is gone. It comes before adding, because etcd
// refuses to add beside a dead member of three, and with reason.
func (l life) removeDead() (topology.Step, error) {
	for _, s := range l.former {
		if p, listed := l.c.peer(s.Member); listed && !l.c.Healthy[p.url()] {
			return l.guarded(s, p, "it is no longer configured and does not answer")
		}
	}
	for _, s := range l.reachable() {
		p, listed := l.c.peer(s.Member)
		if listed && l.dataGone(s) {
			return l.guarded(s, p, "its data is gone")
		}
	}
	return nil, nil
}

// add adds members one by one: learner first, promoted once it has caught up.
func (l life) add() (topology.Step, error) {
	var missing []memberState
	for _, s := range l.states {
		if _, taken := l.occupant(s); !taken && !l.listed(s) {
			missing = append(missing, s)
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	if err := l.refuseVoluntary("adding " + missing[0].place()); err != nil {
		return nil, err
	}
	if err := l.refuseForgetful(); err != nil {
		return nil, err
	}
	for _, s := range missing {
		if s.reach != topology.Reachable {
			return nil, &Refusal{
				Member: s.Name, Attribute: "host", Summary: "Unable to add etcd member",
				Detail: fmt.Sprintf("There is no answer from host %s, where %s is to be added. Nothing was changed. Bring the host up, or leave the member out.", s.Host, s.Name),
			}
		}
		if conflict := portConflict(l.d, l.o, s); conflict != nil {
			return nil, conflict
		}
	}
	for _, s := range missing {
		switch {
		case s.started() || s.kept():
			return Retire{Member: s.Member, Why: "the cluster does not know it any more"}, nil
		case s.status() == container.Created:
			return Discard{Members: []Member{s.Member}, Why: "it was made for an earlier life of the member"}, nil
		}
	}
	if hosts := lacking(l.o, l.d, l.now, missing...); len(hosts) > 0 {
		return Pull{Image: l.now.Image, Hosts: hosts}, nil
	}
	if step := l.snapshot("a member is added"); step != nil {
		return step, nil
	}
	why := "it is configured and not a member"
	if missing[0].Incarnation != "" {
		why = "it was removed and starts on fresh data"
	}
	return AddLearner{Member: missing[0].Member, Why: why}, nil
}

// refuseForgetful refuses to add a learner to members that would forget its
// promotion at their next start (etcd issue 19557, fixed in 3.5.20).
func (l life) refuseForgetful() error {
	s, v, forgets := l.forgetful()
	if !forgets {
		return nil
	}
	return &Refusal{
		Attribute: "image", Summary: "Unsafe version of etcd for new members",
		Detail: fmt.Sprintf("%s runs etcd %s, which forgets at its next start that a learner was promoted. Nothing was changed. "+
			"Upgrade the cluster to %s first, and add members afterwards. A member that does not work keeps the cluster from being upgraded: "+
			"take it out of members before.", s.place(), v, newestPatches[0]),
	}
}

// forgetful is a member whose version forgets promotions.
func (l life) forgetful() (memberState, Version, bool) {
	for _, s := range l.states {
		if v, err := ParseVersion(l.c.Versions[s.PeerURL()]); err == nil && !PromotionPersists(v) {
			return s, v, true
		}
	}
	return memberState{}, Version{}, false
}

// makeRoom takes out a member whose place on a host another member takes: two
// cannot have one peer URL, so that here the old one leaves first. It comes
// after adding those that have room, so that members that change places do not
// all leave before any comes.
func (l life) makeRoom() (topology.Step, error) {
	for _, s := range l.states {
		if old, taken := l.occupant(s); taken {
			return l.removeOne(old, s.Name+" takes its place")
		}
	}
	return nil, nil
}

// occupant is the former member that has the peer URL of a member to be added.
func (l life) occupant(s memberState) (memberState, bool) {
	for _, old := range l.former {
		if l.listed(old) && !l.listed(s) && old.PeerURL() == s.PeerURL() {
			return old, true
		}
	}
	return memberState{}, false
}

// remove takes members out that are no longer configured, the leader last.
func (l life) remove() (topology.Step, error) {
	var leader []memberState
	for _, s := range l.former {
		switch {
		case !l.listed(s):
		case s.PeerURL() == l.c.Leader:
			leader = append(leader, s)
		default:
			return l.removeOne(s, "it is no longer configured")
		}
	}
	if len(leader) > 0 {
		return l.removeOne(leader[0], "it is no longer configured")
	}
	return nil, nil
}

// removeOne takes a working member out, after it has handed leadership over.
func (l life) removeOne(s memberState, why string) (topology.Step, error) {
	p, _ := l.c.peer(s.Member)
	step, err := l.guarded(s, p, why)
	if err != nil {
		return nil, err
	}
	if err := l.refuseVoluntary("removing " + s.place()); err != nil {
		return nil, err
	}
	if _, removes := step.(RemoveMember); removes && s.PeerURL() == l.c.Leader {
		return l.moveLeader(s, l.states, "the leader is to be removed"), nil
	}
	return step, nil
}

// moveLeader hands leadership to the first healthy voter among the candidates.
// With nobody to hand it to there is nothing to move; callers have checked
// that somebody is left.
func (l life) moveLeader(from memberState, candidates []memberState, why string) topology.Step {
	for _, s := range candidates {
		p, listed := l.c.peer(s.Member)
		if listed && !p.Learner && l.c.Healthy[p.url()] && p.url() != from.PeerURL() {
			return MoveLeader{From: from.Member, To: s.Member, ToID: p.ID, Why: why}
		}
	}
	return nil
}

func (l life) snapshot(why string) topology.Step {
	if !l.d.SnapshotBefore || l.o.Snapshotted {
		return nil
	}
	return Snapshot{Why: "snapshot_before_change is set, and " + why}
}

// removal is the step that removes the member, without asking whether the
// cluster bears it.
func (l life) removal(s memberState, p Peer, why string) topology.Step {
	left, healthy := l.c.without(s.Member)
	return RemoveMember{Member: s.Member, ID: p.ID, Why: why, Left: left, Working: healthy}
}

// guarded is removal, refused where it would leave no quorum of working
// members.
func (l life) guarded(s memberState, p Peer, why string) (topology.Step, error) {
	left, healthy := l.c.without(s.Member)
	if healthy < Quorum(left) {
		return nil, &Refusal{
			Attribute: "members", Summary: "Change would lose the quorum",
			Detail: l.arithmetic("removing "+s.place(), left, healthy) + " Nothing was changed.",
		}
	}
	if step := l.snapshot("a member is removed"); step != nil {
		return step, nil
	}
	return l.removal(s, p, why), nil
}

// arithmetic tells what a removal would leave, in words.
func (l life) arithmetic(act string, left, healthy int) string {
	all, up := l.c.voters()
	text := fmt.Sprintf("%s, %d down: %s leaves %d of %d working", voting(all), all-up, act, healthy, left)
	if left == 0 {
		return text + ", which is no cluster at all."
	}
	if healthy < Quorum(left) {
		text += fmt.Sprintf(", no quorum (%d)", Quorum(left))
	}
	if ill := l.ill(); len(ill) > 0 {
		text += "; bring " + strings.Join(ill, ", ") + " back first"
	}
	return text + "."
}

// ill are the hosts of configured members that do not work.
func (l life) ill() []string {
	var hosts []string
	for _, s := range l.states {
		if l.listed(s) && !l.c.Healthy[s.PeerURL()] {
			hosts = append(hosts, s.Host)
		}
	}
	return hosts
}

// refuseVoluntary stops changes that can wait while something is wrong: a
// member that does not work may be the one that a quorum needs next, and an
// alarm means that members may already differ.
func (l life) refuseVoluntary(act string) error {
	if len(l.c.Alarms) > 0 {
		return &Refusal{
			Summary: "Etcd cluster has an active alarm",
			Detail:  fmt.Sprintf("%s was not begun, because of %s. Nothing was changed. %s", capital(act), strings.Join(l.c.Alarms, " and "), recovery(l.c.Alarms)),
		}
	}
	ill := l.ill()
	if len(ill) == 0 {
		return nil
	}
	all, up := l.c.voters()
	instead := "or replace what is lost by moving its member to another host"
	if _, v, forgets := l.forgetful(); forgets {
		instead = fmt.Sprintf("or take what is lost out of members first: nothing can be added while members run etcd %s", v)
	}
	return &Refusal{
		Attribute: "members", Summary: "Etcd cluster is not whole",
		Detail: fmt.Sprintf("%s was not begun: %s, %d down, a quorum is %d, so that the loss of %d more would stop all writes. Nothing was changed. "+
			"Bring %s back first, %s.",
			capital(act), voting(all), all-up, Quorum(all), up-Quorum(all)+1, strings.Join(ill, ", "), instead),
	}
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
