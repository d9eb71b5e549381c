package etcd

import (
	"fmt"
	"strings"
	"time"
)

// View is what one endpoint said of the cluster, or why it said nothing.
type View struct {
	// Err is why there was no answer, "" when there was one.
	Err       string
	ClusterID uint64
	MemberID  uint64
	// Leader is a member ID, 0 when this member knows no leader.
	Leader  uint64
	Version string
	// DowngradeTarget is the version to which a downgrade is in progress, ""
	// when none is or the member does not tell.
	DowngradeTarget string
	// StorageVersion is the version that this member's data is written for, ""
	// before etcd 3.6. It follows the version that the cluster works as.
	StorageVersion string
	// Peers is the member list as this member has it.
	Peers []Peer
	// Applied is how far the member has applied the raft log.
	Applied uint64
	// Size of its database in bytes.
	Size int64
	// Learner: this member has no vote yet.
	Learner bool
	// Alarms are those that this member reports, in words.
	Alarms []string
}

// Peer is one entry of a member list.
type Peer struct {
	ID       uint64
	Name     string
	PeerURLs []string
	Learner  bool
}

// Verdict is what the views of all members amount to.
type Verdict struct {
	// Ailing is what keeps the cluster from being whole, "" when it is whole:
	// every member answered, one cluster ID, exactly the configured members,
	// all started, none a learner, one leader, and no alarm.
	Ailing string
	// Alarms are active ones, in words, which waiting does not heal.
	Alarms []string
	// Quorum says that enough members of one cluster have the same leader for
	// it to accept writes, whole or not.
	Quorum bool
	// Split says that members of more than one cluster answered, which waiting
	// does not heal.
	Split bool
	// ClusterID is the cluster's, 0 while none has a quorum.
	ClusterID uint64
	// Version is the lowest that a member runs, "" when none answered.
	Version string
	// IDs are the members' IDs by their name, as far as they are known.
	IDs map[string]uint64
}

// Judge compares what the endpoints said, by [Member.Key]. Health of endpoints
// alone proves nothing: a member on stale data answers healthily while it is a
// cluster of its own.
func Judge(d Desired, views map[string]View) Verdict {
	v := Verdict{IDs: map[string]uint64{}}
	following := map[[2]uint64]int{}
	clusters := map[uint64][]string{}
	for _, m := range d.sorted() {
		view, asked := views[m.Key()]
		if !asked || view.Err != "" {
			continue
		}
		v.IDs[m.Name] = view.MemberID
		clusters[view.ClusterID] = append(clusters[view.ClusterID], m.Name)
		if v.Version == "" || olderVersion(view.Version, v.Version) {
			v.Version = view.Version
		}
		if view.Leader == 0 {
			continue
		}
		key := [2]uint64{view.ClusterID, view.Leader}
		following[key]++
		if following[key] >= Quorum(len(d.Members)) {
			v.Quorum, v.ClusterID = true, view.ClusterID
		}
	}
	v.Split = len(clusters) > 1
	v.Alarms = alarms(d.All(), views)
	if v.Ailing = ailing(d, views, clusters); v.Ailing == "" && len(v.Alarms) > 0 {
		// Members answer and follow a leader while they refuse writes, or have
		// other data than the others.
		v.Ailing = strings.TrimSuffix(Alarmed(v.Alarms), ".")
	}
	return v
}

func ailing(d Desired, views map[string]View, clusters map[uint64][]string) string {
	if len(clusters) > 1 {
		return "members belong to different clusters: " + describe(clusters)
	}
	for _, m := range d.sorted() {
		view, asked := views[m.Key()]
		switch {
		case !asked:
			return m.place() + " was not asked"
		case view.Err != "":
			return fmt.Sprintf("%s does not answer at %s: %s", m.place(), m.ClientURL(), view.Err)
		}
	}
	var leader uint64
	for _, m := range d.sorted() {
		view := views[m.Key()]
		if fault := ailingList(d, m, view); fault != "" {
			return fault
		}
		if view.Leader == 0 {
			return m.place() + " knows no leader"
		}
		if leader != 0 && view.Leader != leader {
			return "members follow different leaders"
		}
		leader = view.Leader
	}
	return ""
}

// ailingList compares the member list that one member has with what is
// desired.
func ailingList(d Desired, m Member, view View) string {
	wanted := map[string]Member{}
	for _, member := range d.Members {
		wanted[member.PeerURL()] = member
	}
	for _, peer := range view.Peers {
		url := strings.Join(peer.PeerURLs, ",")
		member, known := wanted[url]
		switch {
		case !known:
			return fmt.Sprintf("%s has a member %s at %s that is not configured", m.place(), HexID(peer.ID), url)
		case peer.Name == "":
			return fmt.Sprintf("%s has not joined yet", member.place())
		case peer.Learner:
			return fmt.Sprintf("%s is a learner, not a voting member", member.place())
		}
		delete(wanted, url)
	}
	for _, member := range d.sorted() {
		if _, missing := wanted[member.PeerURL()]; missing {
			return fmt.Sprintf("%s does not have %s among its members", m.place(), member.place())
		}
	}
	return ""
}

// HexID prints a cluster or member ID as etcd's own tools do.
func HexID(id uint64) string { return fmt.Sprintf("%x", id) }

// olderVersion compares versions such as 3.5.35 number by number.
func olderVersion(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		if len(as[i]) != len(bs[i]) {
			return len(as[i]) < len(bs[i])
		}
		if as[i] != bs[i] {
			return as[i] < bs[i]
		}
	}
	return len(as) < len(bs)
}

// LostLog reports whether what a member wrote says that its raft log lacks
// entries that it had acknowledged: its data was deleted or is an older copy, and
// since it was told to join an existing cluster it began a new log all the same.
// The words are raft's (raftLog.commitTo, etcd 3.0 and later). Such a member can
// only be removed and added anew.
func LostLog(log string) bool {
	return strings.Contains(log, "Was the raft log corrupted, truncated, or lost?")
}

// slowest is the least number of bytes in a second with which a database is sent
// to a member and read by it. etcd's own limit of what is sent is far above it.
const slowest = 10 << 20

// Within is how long a member is waited for that has to load a database of so
// many bytes, when one with an empty database gets base.
func Within(base time.Duration, database int64) time.Duration {
	return base + time.Duration(database/slowest)*time.Second
}
