// Package etcd decides how an etcd cluster over several hosts is made and kept.
// It belongs to the layer topology: it takes what is desired and what was
// observed and answers with the one safe step, without any I/O.
package etcd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Ports inside the container; outside they are what the configuration says.
const (
	ClientPort = 2379
	PeerPort   = 2380
)

// DataTarget is where a member's data lies inside its container.
const DataTarget = "/etcd-data"

// Desired is the cluster as configured, with what earlier applies fixed.
type Desired struct {
	// Cluster is the name of the cluster.
	Cluster string
	// Image is the reference of etcd's image, the same on every host.
	Image string
	// Members are all members, in any order.
	Members []Member
	// Former are members that the state knows where the configuration no longer
	// has them: removed, or moved to another host.
	Former []Member
	// Version is what the image runs, such as 3.5.35; "" when its name does not
	// tell.
	Version string
	// Ran is the version that the members ran when that was last known, such as
	// 3.5.35; "" when it never was.
	Ran string
	// SnapshotBefore asks for a snapshot before anything is changed on a
	// cluster that exists.
	SnapshotBefore bool
	// DataPath is the host path under which each member gets a directory of
	// its own; empty means named volumes.
	DataPath string
	Settings Settings
	// Token is a random text for the case that the cluster is bootstrapped by
	// this run. A token that was ever used before makes a twin of the cluster
	// that it was used for: same cluster ID, same member IDs (see etcd's
	// "clustering" guide on initial-cluster-token).
	Token string
	// Born says that an earlier apply proved the cluster: it is never
	// bootstrapped again, whatever is missing.
	Born bool
}

// Member is one member of the cluster.
type Member struct {
	// Name is the key in the configuration and etcd's --name.
	Name string
	// Host is the key of the host, Address what other hosts reach it by.
	Host    string
	Address string
	// ClientPort and PeerPort are published on the host.
	ClientPort int
	PeerPort   int
	BindIP     string
	// Incarnation is the life of the data this member has been using since it
	// was born, "" before that.
	Incarnation string
	// Out says of a former member that the cluster has let it go: what is left
	// is its container.
	Out bool
}

// ClientURL is what clients and controllers reach the member by.
func (m Member) ClientURL() string { return m.url(m.ClientPort) }

// PeerURL is what other members reach the member by.
func (m Member) PeerURL() string { return m.url(m.PeerPort) }

func (m Member) url(port int) string {
	address := m.Address
	if strings.Contains(address, ":") { // IPv6
		address = "[" + address + "]"
	}
	return "http://" + address + ":" + strconv.Itoa(port)
}

// place is how messages name a member: "etcd-1 on h1".
func (m Member) place() string { return m.Name + " on " + m.Host }

// Places names several members: "etcd-1 on h1, etcd-2 on h2".
func Places(members []Member) string {
	names := make([]string, 0, len(members))
	for _, m := range members {
		names = append(names, m.place())
	}
	return strings.Join(names, ", ")
}

// sorted are the members in the order of their names, in which they are
// decided about and printed.
func (d Desired) sorted() []Member {
	members := slices.Clone(d.Members)
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return members
}

// Endpoints are the client URLs of all members, in the order of their names.
func (d Desired) Endpoints() []string {
	var urls []string
	for _, m := range d.sorted() {
		urls = append(urls, m.ClientURL())
	}
	return urls
}

// Quorum is how many of n voters must work for the cluster to work.
func Quorum(n int) int { return n/2 + 1 }

// Problem is a fault of the configuration that can be told without looking at
// a host. Member and Attribute say where; either may be empty.
type Problem struct {
	Member    string
	Attribute string
	// Warning problems do not keep the cluster from working.
	Warning bool
	Summary string
	Detail  string
}

// Problems checks the members against each other. Members whose host, address
// or port is not known yet (empty or 0) are left out of the comparison.
func (d Desired) Problems() []Problem {
	var found []Problem
	members := d.sorted()
	taken := map[string]string{}
	byHost := map[string][]string{}
	for _, m := range members {
		if m.Host != "" {
			byHost[m.Host] = append(byHost[m.Host], m.Name)
		}
		for _, use := range []struct {
			attribute string
			port      int
		}{{"client_port", m.ClientPort}, {"peer_port", m.PeerPort}} {
			if use.port == 0 || m.Address == "" && m.Host == "" {
				continue
			}
			at := m.Address
			if at == "" {
				at = "host " + m.Host
			}
			key := at + " port " + strconv.Itoa(use.port)
			user := fmt.Sprintf("%s of %s", use.attribute, m.Name)
			if other, used := taken[key]; used {
				found = append(found, Problem{
					Member: m.Name, Attribute: use.attribute, Summary: "Port used twice",
					Detail: fmt.Sprintf("%s and %s are both %s. Give each its own port.", other, user, key),
				})
				continue
			}
			taken[key] = user
		}
	}
	for _, m := range members {
		names := byHost[m.Host]
		if len(names) > 1 && names[0] == m.Name {
			found = append(found, Problem{
				Warning: true, Summary: "Several etcd members on one host",
				Detail: fmt.Sprintf("%s are all on host %s: when it fails, they all fail together, which a cluster of %d members %s.",
					strings.Join(names, ", "), m.Host, len(members), survives(len(members), len(names))),
			})
		}
	}
	if n := len(members); n > 0 && n%2 == 0 {
		found = append(found, Problem{
			Warning: true, Summary: "Even number of etcd members",
			Detail: fmt.Sprintf("With %d members a quorum is %d, so the cluster survives the loss of %d: as many as with %d, with more that can go wrong.",
				n, Quorum(n), n-Quorum(n), n-1),
		})
	}
	return found
}

// SameDaemon is the warning about hosts of the configuration that are one
// Docker daemon, and so fail together: ids are the daemons' own, by host. The
// second result is false when there is nothing to warn about.
func (d Desired) SameDaemon(ids map[string]string) (Problem, bool) {
	byDaemon := map[string][]string{}
	for _, m := range d.sorted() {
		if id := ids[m.Host]; id != "" && !slices.Contains(byDaemon[id], m.Host) {
			byDaemon[id] = append(byDaemon[id], m.Host)
		}
	}
	var shared []string
	for _, hosts := range byDaemon {
		if len(hosts) > 1 {
			slices.Sort(hosts)
			shared = append(shared, strings.Join(hosts, " and "))
		}
	}
	slices.Sort(shared)
	return Problem{
		Warning: true, Summary: "Several hosts are one Docker daemon",
		Detail: fmt.Sprintf("%s are the same Docker daemon, reached in different ways: its members fail together.", strings.Join(shared, "; ")),
	}, len(shared) > 0
}

func survives(members, lost int) string {
	if members-lost >= Quorum(members) {
		return "survives"
	}
	return fmt.Sprintf("does not survive (%d of %d left, a quorum is %d)", members-lost, members, Quorum(members))
}

// splitURL takes a URL apart that [Member.PeerURL] made; address is "" and port 0 of others.
func splitURL(memberURL string) (address string, port int) {
	rest, plain := strings.CutPrefix(memberURL, "http://")
	colon := strings.LastIndexByte(rest, ':')
	if !plain || colon < 0 {
		return "", 0
	}
	port, err := strconv.Atoi(rest[colon+1:])
	if err != nil {
		return "", 0
	}
	return strings.Trim(rest[:colon], "[]"), port
}
