package etcd

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Answer is what one member said of itself and of its cluster, or why it said
// nothing.
type Answer struct {
	// Err is why there was no answer, "" when there was one.
	Err       string
	ClusterID uint64
	MemberID  uint64
	// Leader is a member ID, 0 when this member knows no leader.
	Leader  uint64
	Version string
	Learner bool
	// Index and Applied are positions in the raft log.
	Index, Applied uint64
	// Size, InUse and Quota are of the database, in bytes. Quota is 0 when the
	// member does not tell.
	Size, InUse, Quota int64
	// Peers is the member list. Learners give none.
	Peers []Peer
	// Alarms are those of the whole cluster as this member knows them.
	Alarms []Alarm
	// Fault is why the member does not serve although it answers, "" when it
	// serves.
	Fault string
}

// Alarm stops a cluster until a person has dealt with it.
type Alarm struct {
	MemberID uint64
	// Kind is NOSPACE or CORRUPT.
	Kind string
}

// Status is what the answers of all members amount to.
type Status struct {
	// ClusterID is 0 when no member answered.
	ClusterID uint64
	// Leader is the ID of the member that leads, 0 when none does.
	Leader uint64
	// Voters is how many members have a vote, and Quorum how many of them must
	// work.
	Voters, Quorum int
	// Margin is how many working voters may be lost before the cluster stops;
	// below zero, how many are missing.
	Margin int
	// Degraded is what is wrong, "" when nothing is.
	Degraded string
	// Alarms, sorted by member and kind.
	Alarms []Alarm
	// Members by name: all that were asked.
	Members map[string]MemberStatus
	// Names of members by their ID, as far as they are known.
	Names map[uint64]string
}

// Healthy reports whether all members were asked, work, and are one cluster
// without alarms.
func (s Status) Healthy() bool { return s.Degraded == "" }

// MemberStatus is the judgement of one member.
type MemberStatus struct {
	Answer
	// Lag is how many entries of the log that others have it has not applied.
	// Answers are not of one moment, so a busy cluster always has some.
	Lag uint64
	// Leads: this is the leader.
	Leads bool
	// Trouble is why the member is not healthy, "" when it is.
	Trouble string
}

// Assess judges a cluster by the answers of members, by name. Silence of a
// member is data. Of members that belong to different clusters, those of the
// largest cluster are the cluster.
func Assess(answers map[string]Answer) Status {
	s := Status{ClusterID: mainCluster(answers), Members: map[string]MemberStatus{}, Names: map[uint64]string{}}
	names := slices.Sorted(maps.Keys(answers))
	mine := map[string]Answer{}
	for _, name := range names {
		if a := answers[name]; a.Err == "" && a.ClusterID == s.ClusterID {
			mine[name] = a
			s.Names[a.MemberID] = name
		}
	}
	list := newestList(mine)
	voters := map[uint64]bool{}
	for _, p := range list {
		if _, asked := s.Names[p.ID]; !asked && p.Name != "" {
			s.Names[p.ID] = p.Name
		}
		if !p.Learner {
			voters[p.ID] = true
		}
	}
	s.Voters = len(voters)
	if len(list) == 0 {
		s.Voters = len(answers) // nobody tells, so what was named is the best guess
	}
	s.Quorum = Quorum(s.Voters)
	s.Leader = commonLeader(mine)
	s.Alarms = allAlarms(mine)
	working := 0
	for _, name := range names {
		m := s.judge(answers[name], mine, list)
		s.Members[name] = m
		if m.Err == "" && m.Fault == "" && m.ClusterID == s.ClusterID && voters[m.MemberID] && s.Leader != 0 && m.Leader == s.Leader {
			working++
		}
	}
	s.Margin = working - s.Quorum
	s.Degraded = s.degraded(names, list)
	return s
}

// judge judges one member.
func (s Status) judge(a Answer, mine map[string]Answer, list []Peer) MemberStatus {
	m := MemberStatus{Answer: a}
	if a.Err != "" {
		m.Trouble = a.Err
		return m
	}
	if a.ClusterID != s.ClusterID {
		m.Trouble = fmt.Sprintf("it belongs to another cluster, %s", HexID(a.ClusterID))
		return m
	}
	for _, other := range mine {
		if other.Index > a.Applied {
			m.Lag = max(m.Lag, other.Index-a.Applied)
		}
	}
	m.Leads = s.Leader != 0 && a.MemberID == s.Leader
	var troubles []string
	switch {
	case len(list) > 0 && !slices.ContainsFunc(list, func(p Peer) bool { return p.ID == a.MemberID }):
		troubles = append(troubles, "the cluster does not list it as a member")
	case a.Leader == 0:
		troubles = append(troubles, "it knows no leader")
	case s.Leader != 0 && a.Leader != s.Leader:
		troubles = append(troubles, "it follows another leader than most members")
	}
	for _, alarm := range s.Alarms {
		if alarm.MemberID == a.MemberID {
			troubles = append(troubles, "alarm "+alarm.Kind)
		}
	}
	if a.Fault != "" {
		troubles = append(troubles, a.Fault)
	}
	m.Trouble = strings.Join(troubles, "; ")
	return m
}

// degraded says in words what is wrong, the worst first.
func (s Status) degraded(names []string, list []Peer) string {
	var wrong []string
	clusters := map[uint64]bool{}
	for _, m := range s.Members {
		if m.Err == "" {
			clusters[m.ClusterID] = true
		}
	}
	if len(clusters) > 1 {
		wrong = append(wrong, fmt.Sprintf("members belong to %d different clusters", len(clusters)))
	}
	if s.Margin < 0 {
		wrong = append(wrong, fmt.Sprintf("no quorum: %d of %d voters work, %d are needed", s.Quorum+s.Margin, s.Voters, s.Quorum))
	}
	for _, alarm := range s.Alarms {
		if _, known := s.Names[alarm.MemberID]; !known {
			wrong = append(wrong, fmt.Sprintf("alarm %s of unknown member %s", alarm.Kind, HexID(alarm.MemberID)))
		}
	}
	for _, name := range names {
		switch m := s.Members[name]; {
		case m.Trouble != "":
			wrong = append(wrong, name+": "+m.Trouble)
		case m.Learner:
			wrong = append(wrong, name+" is a learner and has no vote yet")
		}
	}
	for _, p := range list {
		asked := slices.ContainsFunc(names, func(name string) bool {
			m := s.Members[name]
			return m.Err == "" && m.ClusterID == s.ClusterID && m.MemberID == p.ID || m.Err != "" && name == p.Name
		})
		switch {
		case asked:
		case p.Name == "":
			wrong = append(wrong, fmt.Sprintf("member %s at %s has never been started", HexID(p.ID), p.url()))
		default:
			wrong = append(wrong, fmt.Sprintf("%s at %s is a member too, and was not asked", p.Name, p.url()))
		}
	}
	return strings.Join(wrong, "; ")
}

// mainCluster is the cluster to which most members belong; of several, the one
// that has a leader, then the one with the lower ID.
func mainCluster(answers map[string]Answer) uint64 {
	type size struct{ members, led int }
	sizes := map[uint64]size{}
	for _, a := range answers {
		if a.Err != "" {
			continue
		}
		n := sizes[a.ClusterID]
		n.members++
		if a.Leader != 0 {
			n.led++
		}
		sizes[a.ClusterID] = n
	}
	var best uint64
	for _, id := range slices.Sorted(maps.Keys(sizes)) {
		a, b := sizes[id], sizes[best]
		if cmp.Or(cmp.Compare(a.members, b.members), cmp.Compare(a.led, b.led)) > 0 {
			best = id
		}
	}
	return best
}

// newestList is the member list of who has applied most of the log.
func newestList(mine map[string]Answer) []Peer {
	var newest Answer
	for _, name := range slices.Sorted(maps.Keys(mine)) {
		if a := mine[name]; len(a.Peers) > 0 && (len(newest.Peers) == 0 || a.Applied > newest.Applied) {
			newest = a
		}
	}
	return newest.Peers
}

// commonLeader is the leader that most members follow; of several, the lowest.
func commonLeader(mine map[string]Answer) uint64 {
	followers := map[uint64]int{}
	for _, a := range mine {
		if a.Leader != 0 {
			followers[a.Leader]++
		}
	}
	var leader uint64
	for _, id := range slices.Sorted(maps.Keys(followers)) {
		if followers[id] > followers[leader] {
			leader = id
		}
	}
	return leader
}

func allAlarms(mine map[string]Answer) []Alarm {
	seen := map[Alarm]bool{}
	for _, a := range mine {
		for _, alarm := range a.Alarms {
			seen[alarm] = true
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b Alarm) int {
		return cmp.Or(cmp.Compare(a.MemberID, b.MemberID), cmp.Compare(a.Kind, b.Kind))
	})
}
