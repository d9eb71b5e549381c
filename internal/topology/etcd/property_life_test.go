package etcd

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// randomLife draws a cluster that exists, in any state that faults, people and
// interrupted applies can have left it in, and a configuration that may differ
// from it in members and settings.
func randomLife(t *rapid.T) (Desired, Observed) {
	d := Desired{Cluster: "anka", Token: "fresh-token", Born: true, SnapshotBefore: rapid.Bool().Draw(t, "snapshot")}
	o := Observed{
		Hosts: map[string]topology.Reach{}, Containers: map[string][]container.Found{}, Images: map[string]bool{}, Data: map[string]bool{},
		OldImages: map[string]bool{}, Volumes: map[string][]string{},
		Membership: Membership{Healthy: map[string]bool{}, Versions: map[string]string{}},
	}
	c := &o.Membership
	way := rapid.SampledFrom(ways).Draw(t, "way")
	d.Image, d.Version = "etcd:v"+way.to, way.to
	for i := range rapid.IntRange(1, 5).Draw(t, "members") {
		m := at(fmt.Sprintf("h%d", i), fmt.Sprintf("etcd-%d", i), "old")
		o.Hosts[m.Host] = rapid.SampledFrom([]topology.Reach{0, 0, 0, 0, 0, topology.Unreachable}).Draw(t, m.Host)
		o.Images[m.Host], o.Data[m.Name] = rapid.Bool().Draw(t, "image"), rapid.IntRange(0, 9).Draw(t, "wiped") > 0
		o.OldImages[m.Host] = rapid.Bool().Draw(t, "old image")
		place(t, way.made(t, d, m), &o, m)
		if o.Hosts[m.Host] == topology.Reachable && rapid.IntRange(0, 3).Draw(t, "volumes") == 0 {
			o.Volumes[m.Host] = []string{d.Data(m, rapid.SampledFrom([]string{"old", "older"}).Draw(t, "volume")).Source}
		}
		p := Peer{ID: uint64(i + 1), Name: m.Name, PeerURLs: []string{m.PeerURL()}}
		if rapid.IntRange(0, 19).Draw(t, "unlisted") > 0 {
			c.Peers = append(c.Peers, p)
		}
		switch rapid.IntRange(0, 9).Draw(t, "fate of "+m.Name) {
		case 0:
			d.Former = append(d.Former, m)
		case 1:
			moved := at(fmt.Sprintf("h1%d", i), m.Name, "")
			o.Hosts[moved.Host] = topology.Reachable
			d.Former, d.Members = append(d.Former, m), append(d.Members, moved)
		case 2: // another takes its place
			d.Former = append(d.Former, m)
			d.Members = append(d.Members, at(m.Host, fmt.Sprintf("heir-%d", i), ""))
		default:
			d.Members = append(d.Members, m)
		}
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "new members") {
		m := at(fmt.Sprintf("h2%d", i), fmt.Sprintf("new-%d", i), "")
		o.Hosts[m.Host] = rapid.SampledFrom([]topology.Reach{0, 0, 0, topology.Unreachable}).Draw(t, m.Host)
		d.Members = append(d.Members, m)
	}
	halfAdded(t, &d, &o)
	if rapid.Bool().Draw(t, "settings") {
		d.Settings.ExtraArgs = []string{"--changed"}
	}
	answer(t, d, &o)
	return d, o
}

// place gives a member's host a container in any state.
func place(t *rapid.T, d Desired, o *Observed, m Member) {
	if o.Hosts[m.Host] != topology.Reachable {
		return
	}
	status := rapid.SampledFrom([]container.Status{
		container.Running, container.Running, container.Running, container.Running, container.Absent, container.Created, container.Exited, container.Restarting,
	}).Draw(t, m.Name)
	spec := d.Spec(m, rapid.SampledFrom([]Birth{Bootstrap, Join, Rejoin}).Draw(t, "birth"), "old-token")
	if status != container.Absent {
		found := createdFrom(spec)
		found.Status = status
		o.put(m.Host, found)
	}
	if rapid.IntRange(0, 9).Draw(t, "kept") == 0 {
		kept := createdFrom(spec)
		kept.Status, kept.Name = container.Exited, PreviousName(d.identity(m))
		o.put(m.Host, kept)
	}
}

// halfAdded may make the first new member one that the cluster was told of.
func halfAdded(t *rapid.T, d *Desired, o *Observed) {
	for _, m := range d.Members {
		occupied := slices.ContainsFunc(d.Former, func(old Member) bool { return old.PeerURL() == m.PeerURL() })
		if occupied || m.Incarnation != "" || o.Hosts[m.Host] != topology.Reachable || !rapid.Bool().Draw(t, "half added") {
			continue
		}
		p := Peer{ID: 99, PeerURLs: []string{m.PeerURL()}, Learner: true}
		if rapid.Bool().Draw(t, "started") {
			p.Name, p.Learner = m.Name, rapid.Bool().Draw(t, "learner")
		}
		o.Membership.Peers = append(o.Membership.Peers, p)
		if p.started() || rapid.Bool().Draw(t, "made") {
			found := createdFrom(d.JoinSpec(m, "other-token", o.Membership.Peers))
			if p.started() {
				found.Status = container.Running
			}
			o.put(m.Host, found)
		}
		return
	}
}

// answer lets members whose containers run answer, and finds a leader where
// they are a quorum.
func answer(t *rapid.T, d Desired, o *Observed) {
	c := &o.Membership
	for _, s := range lookAt(d, *o, d.All()) {
		p, listed := c.peer(s.Member)
		if listed && p.started() && s.reach == topology.Reachable && s.status() == container.Running && rapid.IntRange(0, 9).Draw(t, "well") > 0 {
			c.Healthy[s.PeerURL()] = true
			c.Versions[s.PeerURL()] = recordedVersion(s.container).String()
		}
	}
	all, up := c.voters()
	if all == 0 || up < Quorum(all) {
		*c = Membership{Healthy: map[string]bool{}, Versions: map[string]string{}}
		return
	}
	c.Known = true
	for _, p := range c.Peers {
		// The host of the leader may be silent while it leads.
		if !p.Learner && (c.Healthy[p.url()] || rapid.IntRange(0, 9).Draw(t, "silent leader") == 0) && (c.Leader == "" || rapid.Bool().Draw(t, "leader")) {
			c.Leader = p.url()
		}
	}
	if down, err := ParseVersion(d.Version); err == nil && down.minor() == "3.6" && rapid.Bool().Draw(t, "told") {
		c.DowngradeTarget = "3.6.0"
	} else if rapid.IntRange(0, 9).Draw(t, "stale downgrade") == 0 {
		c.DowngradeTarget = "3.5.0"
	}
	if rapid.Bool().Draw(t, "tells as what it works") {
		c.WorksAs = lowest(c.Versions)
	}
	if rapid.IntRange(0, 19).Draw(t, "alarm") == 0 {
		c.Alarms = []string{"NOSPACE"}
	}
}

// TestLifeProperties walks random clusters step by step and checks of every
// step what must hold, whatever is wrong with the cluster.
func TestLifeProperties(t *testing.T) {
	ends := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		d, start := randomLife(t)
		o := start.clone()
		for range maxPlan {
			step, err := Next(d, o)
			if err != nil {
				ends["refused"]++
				return
			}
			if step == nil {
				ends["converged"]++
				checkConverged(t, d, o)
				return
			}
			checkSafe(t, d, o, step)
			ends[fmt.Sprintf("%T", step)]++
			o.apply(step, d)
			if learners(o.Membership) > 1 {
				t.Fatalf("%s makes a second learner", step)
			}
		}
		t.Fatalf("no end")
	})
	if ends["converged"] == 0 || ends["refused"] == 0 || len(ends) < 15 {
		t.Errorf("the random clusters do not reach both ends and every kind of step: %v", ends)
	}
}

func learners(c Membership) int {
	n := 0
	for _, p := range c.Peers {
		if p.Learner {
			n++
		}
	}
	return n
}

// checkSafe is the catalogue of what no step may ever do.
func checkSafe(t *rapid.T, d Desired, o Observed, step topology.Step) {
	c := o.Membership
	all, up := c.voters()
	whole := all == up && len(c.Alarms) == 0
	for _, m := range changes(step) {
		if o.Hosts[m.Host] != topology.Reachable {
			t.Fatalf("%s changes a host that does not answer", step)
		}
	}
	switch s := step.(type) {
	case AddLearner:
		if !whole || learners(c) > 0 {
			t.Fatalf("%s while %d of %d voters work and %d learn", s, up, all, learners(c))
		}
	case Promote:
		if p, listed := c.peer(s.Member); !listed || !p.Learner || !p.started() || !c.Healthy[p.url()] {
			t.Fatalf("%s, which does not work as a learner", s)
		}
	case RemoveMember:
		left, working := c.without(s.Member)
		if left == 0 || working < Quorum(left) {
			t.Fatalf("%s leaves %d of %d", s, working, left)
		}
		if s.Member.PeerURL() == c.Leader && c.Healthy[c.Leader] {
			t.Fatalf("%s removes the leader", s)
		}
		if c.Healthy[s.Member.PeerURL()] && !whole && !learner(c, s.Member) {
			t.Fatalf("%s removes a working member while %d of %d work", s, up, all)
		}
	case MoveLeader:
		if p, listed := c.peer(s.To); !listed || p.Learner || !c.Healthy[p.url()] {
			t.Fatalf("%s hands over to one that cannot lead", s)
		}
	case Replace:
		if one := lookAt(d, o, []Member{s.Member})[0]; s.Down && (c.Known || one.status() == container.Running || !o.Data[s.Member.Name]) {
			t.Fatalf("%s, which is %s", s, one.status())
		}
		down := c.Healthy[s.Member.PeerURL()]
		if down && !whole {
			t.Fatalf("%s while %d of %d work", s, up, all)
		}
		if down && s.Member.PeerURL() == c.Leader && all > 1 {
			t.Fatalf("%s takes the leader down", s)
		}
		if down && d.SnapshotBefore && !o.Snapshotted {
			t.Fatalf("%s before the snapshot", s)
		}
	case DropOld:
		if one := lookAt(d, o, []Member{s.Member})[0]; !one.kept() || !c.Healthy[s.Member.PeerURL()] {
			t.Fatalf("%s, which is %s", s, one.status())
		}
	case Retire:
		if p, listed := c.peer(s.Member); listed && p.started() {
			t.Fatalf("%s takes a member down", s)
		}
	case Create:
		t.Fatalf("%s makes a second cluster", s)
	case Start:
		for _, m := range s.Members {
			for _, one := range lookAt(d, o, []Member{m}) {
				p, listed := c.peer(m)
				fresh := one.status() == container.Created && one.birth() != Rejoin || c.Known && listed && !p.started()
				if !fresh && !o.Data[m.Name] {
					t.Fatalf("%s starts %s on nothing", s, m.Name)
				}
			}
		}
	case Discard:
		for _, m := range s.Members {
			for _, one := range lookAt(d, o, []Member{m}) {
				if one.started() {
					t.Fatalf("%s removes one that has run", s)
				}
			}
		}
	}
	checkWay(t, d, o, step)
	if _, takes := step.(Snapshot); !takes && d.SnapshotBefore && !o.Snapshotted && voluntary(step) {
		t.Fatalf("%s before the snapshot", step)
	}
}

func learner(c Membership, m Member) bool {
	p, _ := c.peer(m)
	return p.Learner
}

// voluntary steps change members or what they run, of a cluster that works.
func voluntary(step topology.Step) bool {
	switch s := step.(type) {
	case AddLearner:
		return true
	case Replace:
		return !s.Down && strings.HasSuffix(s.Why, "its settings change") || !s.Down && strings.Contains(s.Why, "image changes") || strings.HasPrefix(s.Why, "3.7")
	case Downgrade:
		return true
	default:
		return false
	}
}

// changes are the members on whose hosts the step does something.
func changes(step topology.Step) []Member {
	switch s := step.(type) {
	case JoinMember:
		return []Member{s.Member}
	case Retire:
		return []Member{s.Member}
	case Replace:
		return []Member{s.Member}
	case DropOld:
		return []Member{s.Member}
	case AddLearner:
		return []Member{s.Member}
	default:
		return touched(step)
	}
}

// checkConverged: nothing is left to do, and where everybody could be asked
// the cluster is what is configured.
func checkConverged(t *rapid.T, d Desired, o Observed) {
	if again, err := Plan(d, o); err != nil || len(again) > 0 {
		t.Fatalf("replanning at the end is not empty: %v %v", again, err)
	}
	if len(silentHosts(look(d, o))) > 0 {
		return
	}
	if len(o.Membership.Peers) != len(d.Members) || learners(o.Membership) > 0 {
		t.Fatalf("the cluster has %v, configured are %v", o.Membership.Peers, d.Members)
	}
	for _, s := range look(d, o) {
		if !o.Membership.Lists(s.Member) || s.status() != container.Running && s.status() != container.Restarting || s.kept() {
			t.Fatalf("%s is %s at the end", s.place(), s.status())
		}
	}
	if o.Proven == (len(o.Membership.Alarms) > 0) {
		t.Fatalf("the end is not proven")
	}
}
