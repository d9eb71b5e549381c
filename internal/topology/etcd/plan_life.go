package etcd

import (
	"fmt"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// nextLife keeps a cluster that was proven before: it brings back what is
// missing, finishes what was interrupted, and then changes one member at a
// time. Members on unreachable hosts are left alone: their silence says
// nothing about them.
func nextLife(d Desired, o Observed) (topology.Step, error) {
	if o.Membership.Split != "" {
		return nil, &Refusal{
			Summary: "Several clusters under one name",
			Detail: fmt.Sprintf("Members of %s belong to different clusters: %s. One of them runs on data of another cluster. Nothing was changed. "+
				"Find out which data is the right one, and remove the wrong container by hand.", d.Cluster, o.Membership.Split),
		}
	}
	life, err := newLife(d, o)
	if err != nil {
		return nil, err
	}
	alone := []func() (topology.Step, error){life.finishReplacement, life.repair, life.quorum}
	voted := []func() (topology.Step, error){
		life.cancel, life.mend, life.await, life.finishAdding, life.retire, life.removeDead, life.add, life.makeRoom, life.remove, life.roll,
	}
	if !life.c.Known {
		// What a cluster has to agree to must wait until one speaks.
		voted = nil
	}
	for _, next := range append(alone, voted...) {
		if step, err := next(); step != nil || err != nil {
			return step, err
		}
	}
	if len(silentHosts(life.states)) > 0 || len(life.c.Alarms) > 0 {
		return nil, nil // a proof would be in vain
	}
	return prove(o, life.states, "the cluster changed or was not whole"), nil
}

// life is what the parts of nextLife look at.
type life struct {
	d              Desired
	o              Observed
	c              Membership
	states, former []memberState
	// now is what members are made of before the roll, see [Desired.Prevailing].
	now Desired
	// way is what has to be done on the way to the desired version. It is asked
	// before anything else, because everything that makes a container must
	// keep to it.
	way Path
}

// newLife fails with a refusal when there is no safe way to the desired
// version.
func newLife(d Desired, o Observed) (life, error) {
	d = d.Renamed()
	l := life{d: d, o: o, c: o.Membership, states: look(d, o), former: lookAt(d, o, d.Former), now: d.Prevailing(o)}
	var err error
	l.way, err = l.change()
	return l, err
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
	return s.member()
}

// member: it was a member when that was last known. Both the state and any
// container of it say which data it has.
func (s memberState) member() bool { return s.Incarnation != "" }

func (s memberState) kept() bool { return s.previous.Status != container.Absent }

// finishReplacement goes on where a replacement was interrupted: its member has
// an old container aside and is, or may be, down. One that works has been
// replaced, whatever it is made of, so that only the old container has to go.
// While nobody speaks for the cluster one that runs, and is made as it should be,
// is waited for with the others, see quorum. Where even with it there is no
// quorum nothing can be proven, and only what neither runs nor is made as it
// should be is replaced.
func (l life) finishReplacement() (topology.Step, error) {
	for _, s := range l.states { // of a silent host no container is known
		if !s.kept() || !l.belongs(s) || l.dataGone(s) {
			continue
		}
		if l.c.Healthy[s.PeerURL()] {
			return DropOld{Member: s.Member, Prove: s.container.Hash() == l.hash(l.d, s)}, nil
		}
		step := l.finished(s)
		runs, made := s.status() == container.Running, s.container.Hash() == l.wanted(step, s)
		if l.c.Known || !runs && !made || l.provable(s) && (!runs || !made) {
			return l.pulled(step, s), nil
		}
	}
	return nil, nil
}

// provable: with the member there would be a quorum, so that a container that
// does not work is told from a cluster that does not.
func (l life) provable(s memberState) bool {
	others := filter(l.able(), func(other memberState) bool { return other.Key() != s.Key() })
	return l.c.Known || len(others)+1 >= Quorum(len(l.expected()))
}

// finished is the step that ends the interrupted replacement of a member that
// does not work.
func (l life) finished(s memberState) Replace {
	of := l.d
	// A member that was the last to leave the older version cannot go back to
	// it: the cluster has left it, too. It ends where it is, and the way down
	// begins after it.
	if works, err := l.d.madeAs(s.container, recordedVersion(s.container)); err == nil && l.untold() {
		of = works
	}
	step := l.replacement(s, of, "an interrupted replacement left the old container aside")
	step.Flush, step.Back, step.Down = l.flushing(s), l.early(s), !l.provable(s)
	return step
}

// wanted is the hash of the container that the step ends with.
func (l life) wanted(step Replace, s memberState) string {
	switch {
	case step.Back:
		return s.previous.Hash()
	case step.Flush:
		return l.d.FlushSpec(s.Member, s.previous.Image, s.token()).Labels[container.LabelHash]
	default:
		return l.hash(step.Of, s)
	}
}

// pulled is the step, or what has to be pulled for it.
func (l life) pulled(step Replace, s memberState) topology.Step {
	wanted := l.wanted(step, s)
	made := s.container.Hash() == wanted || s.previous.Hash() == wanted
	if hosts := lacking(l.o, l.d, l.d, s); !step.Flush && !made && len(hosts) > 0 {
		return Pull{Image: l.d.Image, Hosts: hosts}
	}
	return step
}

// repair brings back containers that are missing or stopped, of members that
// have data.
func (l life) repair() (topology.Step, error) {
	var absent, down, stopped []memberState
	for _, s := range l.reachable() {
		if !l.belongs(s) || l.unborn(s) || l.lost(s) {
			continue
		}
		if err := refuseRepair(l.d, l.o, s); err != nil {
			return nil, err
		}
		switch {
		case l.dataGone(s): // never started on nothing, see quorum and removeDead
		case s.status() == container.Absent:
			absent = append(absent, s)
		case l.anew(s): // by mend or finishOne
		case l.wrong(s):
			down = append(down, s)
		case s.status() == container.Created, s.status() == container.Exited:
			stopped = append(stopped, s)
		}
	}
	if len(absent) > 0 {
		if err := l.refuseLeap(absent); err != nil {
			return nil, err
		}
	}
	if hosts := lacking(l.o, l.d, l.now, absent...); len(hosts) > 0 {
		return Pull{Image: l.now.Image, Hosts: hosts}, nil
	}
	if len(absent) > 0 {
		return Recreate{Member: absent[0].Member, Of: l.now, Other: l.other()}, nil
	}
	if len(down) > 0 {
		return l.correct(down[0])
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

// dataGone: a member that has run has no write-ahead log any more.
func (l life) dataGone(s memberState) bool {
	if p, _ := l.c.peer(s.Member); l.c.Known && !p.started() {
		return false // it has none yet
	}
	switch s.status() {
	case container.Absent:
		if s.kept() {
			return !l.o.Data[s.Name]
		}
		volumes, looked := l.o.Volumes[s.Host]
		return looked && l.d.DataPath == "" && !slices.Contains(volumes, l.d.Data(s.Member, s.Incarnation).Source)
	case container.Created:
		return (s.birth() == Rejoin || s.kept()) && !l.o.Data[s.Name]
	case container.Exited, container.Restarting:
		return !l.o.Data[s.Name]
	default:
		return false
	}
}

// lost: a learner that had started has no container or no data any more, or
// cannot run. It has no vote, so that it is simply added anew.
func (l life) lost(s memberState) bool {
	p, _ := l.c.peer(s.Member)
	return p.Learner && p.started() && (s.status() == container.Absent || s.status() == container.Restarting || l.dataGone(s))
}

// cancel takes a downgrade back that the cluster was told of and that is not
// wanted any more. One to a later version than the wanted is finished, and ends
// by itself.
func (l life) cancel() (topology.Step, error) {
	target, told := parsed(l.c.DowngradeTarget)
	wanted, known := parsed(l.d.Version)
	if !told || !known || target.sameMinor(wanted) || !target.Before(wanted) {
		return nil, nil
	}
	return CancelDowngrade{Target: target.minor()}, nil
}

// late are voting members whose containers run and that do not follow the
// leader.
func (l life) late() []memberState {
	return filter(l.reachable(), func(s memberState) bool {
		p, _ := l.c.peer(s.Member)
		return !p.Learner && p.started() && !l.c.Healthy[s.PeerURL()] && !l.dataGone(s)
	})
}

// mendable: the member's container is not what it should be, and another can
// take its place.
func (l life) mendable(s memberState) bool {
	hash, overtaken := s.container.Hash(), l.overtaken(s.container)
	return hash != l.hash(l.now, s) && (overtaken || hash != l.hash(l.d, s) && !l.flushed(s))
}

// mend replaces members that do not work and whose containers are not what
// they should be: waiting for a container that ends again and again because of
// its image or settings is in vain. It takes nobody's vote away.
func (l life) mend() (topology.Step, error) {
	for _, s := range l.late() {
		if !l.mendable(s) {
			continue
		}
		overtaken := l.overtaken(s.container)
		if conflict := portConflict(l.d, l.o, s); conflict != nil {
			return nil, conflict
		}
		if hosts := lacking(l.o, l.d, l.now, s); len(hosts) > 0 {
			return Pull{Image: l.now.Image, Hosts: hosts}, nil
		}
		if step := l.snapshot("a member is replaced"); step != nil {
			return step, nil
		}
		step := l.replacement(s, l.now, "it does not follow the leader, and "+l.why(s, l.now))
		// The others may all have gone the way that it still has before it.
		if to, err := ParseVersion(l.now.Version); err == nil {
			way, _ := CheckChange([]Version{recordedVersion(s.container)}, to)
			step.Flush = way.Flush && !overtaken
		}
		if step.Overtaken = overtaken; overtaken {
			step.Why = fmt.Sprintf("its container runs etcd %s, which does not start in a cluster that works as %s",
				recordedVersion(s.container).minor(), l.worksAs().minor())
		}
		return step, nil
	}
	return nil, nil
}

// await waits for members whose containers run and that do not follow the
// leader yet.
func (l life) await() (topology.Step, error) {
	if late := l.late(); len(late) > 0 {
		return Await{Members: members(late), Why: "they do not follow the leader yet"}, nil
	}
	return nil, nil
}
