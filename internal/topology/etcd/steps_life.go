package etcd

import "fmt"

// Snapshot saves the database to the machine that applies, before anything is
// changed.
type Snapshot struct{ Why string }

// AddLearner tells the cluster of a new member, without a vote: adding a voter
// before it runs can stop all writes (etcd's "learner" design).
type AddLearner struct {
	Member Member
	Why    string
}

// JoinMember makes the container of a member that the cluster has been told of.
type JoinMember struct {
	Member Member
	// Peers is the member list the new member is started with. It must be
	// exactly the cluster's.
	Peers []Peer
	// Of is what the container is made of.
	Of Desired
	// Other: that is what the others run, not yet what is desired.
	Other bool
}

// Promote gives a learner its vote once it has caught up.
type Promote struct {
	Member Member
	ID     uint64
	// Voters and Working are the voting members with it, and how many of them
	// work.
	Voters, Working int
}

// MoveLeader hands leadership to another member, so that the old leader's end
// is not felt: its unaided removal costs seconds of writes.
type MoveLeader struct {
	From, To Member
	ToID     uint64
	Why      string
}

// RemoveMember takes a member out of the cluster. Its container is retired
// afterwards, its data stays.
type RemoveMember struct {
	Member Member
	ID     uint64
	Why    string
	// Left and Working are the voting members after it, and how many of them
	// work.
	Left, Working int
}

// Retire stops and removes the container of a member that the cluster no
// longer knows. It would otherwise be restarted for ever.
type Retire struct {
	Member Member
	Why    string
}

// Replace puts a new container on a member's data, with another image or other
// settings. The old one is kept until the new one is proven and put back when
// it is not.
type Replace struct {
	Member Member
	// Flush: the new container only differs in taking raft snapshots often, so
	// that no entry of 3.5 is left in the log that 3.7 would have to read.
	Flush bool
	// Back: the old container that an interrupted replacement left is put back
	// as it was.
	Back bool
	// Overtaken: the old container is of an older minor version than the one that
	// the cluster works as, so that it does not run and nothing can be written
	// through it. What its log has behind the last raft snapshot was written by
	// the later version, or would not have been.
	Overtaken bool
	// Down: nobody speaks for the cluster, and the member does not run. Alone it
	// cannot be proven, so that nothing is kept aside: the members are waited
	// for together.
	Down bool
	// Of is what the new container is made of.
	Of  Desired
	Why string
	// Left and Total are the voting members that go on meanwhile, and all.
	Left, Total int
}

// DropOld removes the old container of a member that was replaced, and works,
// by an apply that was interrupted before it did.
type DropOld struct {
	Member Member
	// Prove: the member is made as it should be, so that its replacement ends
	// here, with the same proof as any other.
	Prove bool
}

// Downgrade tells the cluster that its members are about to run an older minor
// version.
type Downgrade struct{ To string }

// CancelDowngrade takes back that members are about to run an older minor
// version.
type CancelDowngrade struct{ Target string }

// Await waits until members answer and follow the leader.
type Await struct {
	Members []Member
	Why     string
}

func (s Snapshot) String() string { return "save a snapshot of the database" }

// Cause tells why a snapshot is saved.
func (s Snapshot) Cause() string { return s.Why }

func (s AddLearner) String() string {
	return "add " + s.Member.place() + " to the cluster as a learner"
}

// Cause tells why the member is added.
func (s AddLearner) Cause() string { return s.Why }

func (s JoinMember) String() string {
	return "create " + s.Member.place() + " on fresh data" + with(s.Of, s.Other)
}

// Cause tells why the container is made.
func (s JoinMember) Cause() string { return "the cluster has been told of it" }

func (s Promote) String() string {
	return "promote " + s.Member.place() + " to a voting member once it has caught up"
}

// Cause tells why the learner gets its vote.
func (s Promote) Cause() string { return "it is a learner" }

func (s MoveLeader) String() string {
	return fmt.Sprintf("move leadership from %s to %s", s.From.place(), s.To.place())
}

// Cause tells why leadership is moved.
func (s MoveLeader) Cause() string { return s.Why }

func (s RemoveMember) String() string {
	return fmt.Sprintf("remove %s from the cluster, which leaves %s", s.Member.place(), working(s.Left, s.Working))
}

// Cause tells why the member is removed.
func (s RemoveMember) Cause() string { return s.Why }

func (s Retire) String() string {
	return "stop and remove the container of " + s.Member.place() + ", its data stays"
}

// Cause tells why the container is removed.
func (s Retire) Cause() string { return s.Why }

func (s Replace) String() string {
	what := "replace the container of "
	if s.Flush {
		what = "flush the log of "
	}
	if s.Back {
		what = "put back the old container of "
	}
	if s.Down {
		return what + s.Member.place() + ", which does not run"
	}
	return fmt.Sprintf("%s%s, while %s", what, s.Member.place(), goOn(s.Left, s.Total))
}

// Cause tells why the container is replaced.
func (s Replace) Cause() string { return s.Why }

func (s DropOld) String() string {
	text := "remove the old container of " + s.Member.place()
	if s.Prove {
		return text + ", once the new one is proven"
	}
	return text + ", whose new one works"
}

// Cause tells why there are two.
func (s DropOld) Cause() string { return "an interrupted replacement left it aside" }

func (s Downgrade) String() string { return "tell the cluster of the downgrade to " + s.To }

// Cause tells why the cluster has to know.
func (s Downgrade) Cause() string {
	return "members of an older minor version refuse to start otherwise"
}

func (s CancelDowngrade) String() string {
	return "tell the cluster that it is not downgraded to " + s.Target
}

// Cause tells why the cluster has to know.
func (s CancelDowngrade) Cause() string { return "a later version is configured" }

func (s Await) String() string {
	return "wait until " + Places(s.Members) + " answer and follow the leader"
}

// Cause tells why members are waited for.
func (s Await) Cause() string { return s.Why }

func working(all, healthy int) string {
	if all == healthy {
		return fmt.Sprintf("%s with a quorum of %d", voting(all), Quorum(all))
	}
	return fmt.Sprintf("%d of %s working with a quorum of %d", healthy, voting(all), Quorum(all))
}

func voting(n int) string {
	if n == 1 {
		return "1 voting member"
	}
	return fmt.Sprintf("%d voting members", n)
}

func goOn(left, total int) string {
	switch {
	case left >= Quorum(total):
		return fmt.Sprintf("%d of %d go on, with a quorum of %d", left, total, Quorum(total))
	case total == 1:
		return "the cluster is down, since it has no other member"
	default:
		return fmt.Sprintf("%d of %d go on, which is no quorum: writes stop meanwhile", left, total)
	}
}
