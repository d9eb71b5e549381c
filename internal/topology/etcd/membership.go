package etcd

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Membership is what the members that answered agree on. It is made of their
// views by [Consensus]; the simulation of a plan changes it as steps would.
type Membership struct {
	// Known says that a quorum follows one leader, so that the rest of this is
	// the cluster's and not one member's opinion.
	Known bool
	// Leader is the leader's peer URL.
	Leader string
	// Peers is the member list.
	Peers []Peer
	// Healthy are the peer URLs of members that answered and follow the leader.
	Healthy map[string]bool
	// Versions by peer URL, of the members that answered.
	Versions map[string]string
	// DowngradeTarget is the version to which a downgrade is in progress, such
	// as 3.6.0, "" when none is or the leader does not tell.
	DowngradeTarget string
	// WorksAs is the version as which the cluster works, such as 3.7.0, "" when
	// no member tells. Members of an older minor version do not start in it.
	WorksAs string
	// Alarms are active alarms, in words.
	Alarms []string
	// Split tells which members are of which cluster when there are several.
	Split string
}

// url is the peer's identity. A peer with several URLs was not made by this
// provider and matches no member.
func (p Peer) url() string { return strings.Join(p.PeerURLs, ",") }

// started: etcd knows the name of a member from its first start on.
func (p Peer) started() bool { return p.Name != "" }

// Consensus makes one membership of the views, by the members' [Member.Key].
func Consensus(members []Member, views map[string]View) Membership {
	m := Membership{Healthy: map[string]bool{}, Versions: map[string]string{}}
	clusters := map[uint64][]string{}
	followers := map[uint64][]string{}
	lists := map[uint64][]Peer{}
	for _, member := range members {
		view, asked := views[member.Key()]
		if !asked || view.Err != "" {
			continue
		}
		clusters[view.ClusterID] = append(clusters[view.ClusterID], member.Name)
		m.Versions[member.PeerURL()] = view.Version
		if view.Leader == 0 {
			continue
		}
		// All of them know, the leader first.
		if view.MemberID == view.Leader || m.DowngradeTarget == "" && followers[view.Leader] == nil {
			m.DowngradeTarget = view.DowngradeTarget
		}
		// It was raised when the first has its data for it.
		if stored, told := parsed(view.StorageVersion); told {
			if highest, any := parsed(m.WorksAs); !any || highest.Before(stored) {
				m.WorksAs = view.StorageVersion
			}
		}
		followers[view.Leader] = append(followers[view.Leader], member.PeerURL())
		// The leader's own list is the newest.
		if lists[view.Leader] == nil || view.MemberID == view.Leader {
			lists[view.Leader] = view.Peers
		}
	}
	m.Alarms = alarms(members, views)
	if len(clusters) > 1 {
		m.Split = describe(clusters)
		return m
	}
	for leader, urls := range followers {
		peers := lists[leader]
		voters := 0
		for _, p := range peers {
			if !p.Learner && slices.Contains(urls, p.url()) {
				voters++
			}
		}
		if len(peers) == 0 || voters < Quorum(countVoters(peers)) {
			continue
		}
		m.Known, m.Peers = true, slices.Clone(peers)
		for _, p := range peers {
			if p.ID == leader {
				m.Leader = p.url()
			}
		}
		for _, url := range urls {
			m.Healthy[url] = true
		}
	}
	slices.SortFunc(m.Peers, func(a, b Peer) int { return cmp.Compare(a.url(), b.url()) })
	return m
}

// describe names the members of each of several clusters.
func describe(clusters map[uint64][]string) string {
	var parts []string
	for id, names := range clusters {
		parts = append(parts, fmt.Sprintf("%s say cluster %s", strings.Join(names, " and "), HexID(id)))
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

func countVoters(peers []Peer) int {
	n := 0
	for _, p := range peers {
		if !p.Learner {
			n++
		}
	}
	return n
}

// is reports whether the entry is the member's. The URL alone does not tell
// when one member takes another's place on a host: then the names differ, once
// the member has been started.
func (p Peer) is(member Member) bool {
	return p.url() == member.PeerURL() && (!p.started() || p.Name == member.Name)
}

// peer finds the list's entry for a member.
func (m Membership) peer(member Member) (Peer, bool) {
	for _, p := range m.Peers {
		if p.is(member) {
			return p, true
		}
	}
	return Peer{}, false
}

// Lists reports whether the cluster's list has the member.
func (m Membership) Lists(member Member) bool {
	_, listed := m.peer(member)
	return listed
}

// Votes reports whether the cluster's list has the member as a voting one that
// has been started.
func (m Membership) Votes(member Member) bool {
	p, listed := m.peer(member)
	return listed && p.started() && !p.Learner
}

// voters is the number of voting members, working how many of them work.
func (m Membership) voters() (all, working int) {
	for _, p := range m.Peers {
		if p.Learner {
			continue
		}
		all++
		if m.Healthy[p.url()] {
			working++
		}
	}
	return all, working
}

// without tells how many voters would be left, and how many of them working,
// if the member was removed.
func (m Membership) without(member Member) (all, working int) {
	all, working = m.voters()
	p, listed := m.peer(member)
	if !listed || p.Learner {
		return all, working
	}
	if m.Healthy[p.url()] {
		working--
	}
	return all - 1, working
}

// clone copies what the simulation changes.
func (m Membership) clone() Membership {
	copied := m
	copied.Peers = slices.Clone(m.Peers)
	copied.Healthy, copied.Versions = map[string]bool{}, map[string]string{}
	for url, healthy := range m.Healthy {
		copied.Healthy[url] = healthy
	}
	for url, version := range m.Versions {
		copied.Versions[url] = version
	}
	return copied
}

// Key tells members apart where names do not: a member that moves is, for a
// while, two members of one name on two hosts.
func (m Member) Key() string { return m.Host + "/" + m.Name }

// All are the members that are wanted and those that are on their way out.
func (d Desired) All() []Member {
	members := d.sorted()
	former := slices.Clone(d.Former)
	slices.SortFunc(former, func(a, b Member) int { return cmp.Compare(a.Key(), b.Key()) })
	return append(members, former...)
}

// previousSuffix names the container that is kept until its successor is
// proven. A dot cannot be part of a valid name, so no member is called so.
const previousSuffix = ".previous"

// PreviousName is the name under which a member's old container is kept while
// its successor is proven.
func PreviousName(id container.Identity) string { return id.Name() + previousSuffix }
