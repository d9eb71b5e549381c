package etcd

import (
	"slices"
	"strings"
	"testing"
)

// TestConsensus: what several views amount to, and when nobody speaks for the
// cluster.
func TestConsensus(t *testing.T) {
	d := three()
	cases := map[string]struct {
		change  func(map[string]View)
		known   bool
		healthy int
		split   bool
	}{
		"whole":      {func(map[string]View) {}, true, 3, false},
		"one silent": {func(v map[string]View) { v["h3/etcd-3"] = View{Err: "refused"} }, true, 2, false},
		"one of three": {func(v map[string]View) {
			v["h2/etcd-2"], v["h3/etcd-3"] = View{Err: "refused"}, View{Err: "refused"}
		}, false, 0, false},
		"two follow different leaders": {func(v map[string]View) {
			v["h2/etcd-2"] = withLeader(v["h2/etcd-2"], 2)
			delete(v, "h3/etcd-3")
		}, false, 0, false},
		"no leader": {func(v map[string]View) {
			for key := range v {
				v[key] = withLeader(v[key], 0)
			}
		}, false, 0, false},
		// Two answer, but one of them has no vote: one vote of two is no quorum.
		"a learner's answer is no vote": {func(v map[string]View) {
			delete(v, "h2/etcd-2")
			for key, view := range v {
				view.Peers[2].Learner = true
				v[key] = view
			}
		}, false, 0, false},
		"another cluster": {func(v map[string]View) {
			other := v["h3/etcd-3"]
			other.ClusterID = 0xdef
			v["h3/etcd-3"] = other
		}, false, 0, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			views := whole(d)
			c.change(views)
			got := Consensus(d.Members, views)
			if got.Known != c.known || len(got.Healthy) != c.healthy || (got.Split != "") != c.split {
				t.Errorf("known %v, healthy %v, split %q", got.Known, got.Healthy, got.Split)
			}
			if c.known && got.Leader != "http://10.0.0.1:2380" {
				t.Errorf("leader %q", got.Leader)
			}
		})
	}
}

func withLeader(v View, leader uint64) View {
	v.Leader = leader
	return v
}

// TestJoinSpecNamesNobodyTwice: a member that moves has, for a while, the name
// of another, and etcd takes two members of one name in --initial-cluster for
// one with two URLs.
func TestJoinSpecNamesNobodyTwice(t *testing.T) {
	d := three()
	moved := Member{Name: "etcd-3", Host: "h4", Address: "10.0.0.4", ClientPort: 2379, PeerPort: 2380, Incarnation: "old"}
	var peers []Peer
	for i, m := range d.sorted() {
		peers = append(peers, Peer{ID: uint64(i + 10), Name: m.Name, PeerURLs: []string{m.PeerURL()}})
	}
	peers = append(peers, Peer{ID: 99, PeerURLs: []string{moved.PeerURL()}, Learner: true})
	spec := d.JoinSpec(moved, "0123456789abcdef", peers)
	list, _ := strings.CutPrefix(spec.BirthArgs[0], "--initial-cluster=")
	names := map[string]bool{}
	for _, entry := range strings.Split(list, ",") {
		name, url, _ := strings.Cut(entry, "=")
		if names[name] {
			t.Errorf("%s is named twice in %s", name, list)
		}
		names[name] = true
		if (name == "etcd-3") != (url == moved.PeerURL()) {
			t.Errorf("%s has %s", name, url)
		}
	}
	if len(names) != 4 || spec.BirthArgs[1] != "--initial-cluster-state=existing" || !strings.HasSuffix(spec.Mounts[0].Source, "-01234567") {
		t.Errorf("%v on %s", spec.BirthArgs, spec.Mounts[0].Source)
	}
}

// TestLeadershipGoesToOneThatCanLead: not to a learner, nor to one that does
// not answer.
func TestLeadershipGoesToOneThatCanLead(t *testing.T) {
	d := three()
	c := Consensus(d.Members, whole(d))
	c.Peers[1].Learner = true
	delete(c.Healthy, d.Members[2].PeerURL())
	d.Members = append(d.Members, Member{Name: "etcd-4", Host: "h4", Address: "10.0.0.4", ClientPort: 2379, PeerPort: 2380})
	last := d.Members[3]
	c.Peers = append(c.Peers, Peer{ID: 4, Name: last.Name, PeerURLs: []string{last.PeerURL()}})
	c.Healthy[last.PeerURL()] = true
	l := life{d: d, c: c, states: look(d, Observed{})}
	if step, is := l.moveLeader(l.states[0], l.states, "").(MoveLeader); !is || step.To.Name != "etcd-4" {
		t.Errorf("leadership goes to %v", step.To)
	}
}

// TestConsensusTakesTheLeadersWord: its list is the newest, alarms are told once
// however many report them, and everybody tells a version.
func TestConsensusTakesTheLeadersWord(t *testing.T) {
	d := three()
	views := whole(d)
	for key, view := range views {
		view.Leader, view.Alarms, view.DowngradeTarget = 3, []string{"memberID:1 alarm:NOSPACE"}, "3.4.0"
		if key == "h3/etcd-3" {
			view.Peers = append(view.Peers, Peer{ID: 9, PeerURLs: []string{"http://10.0.0.9:2380"}, Learner: true})
			view.DowngradeTarget = "3.6.0"
		}
		view.StorageVersion = map[string]string{"h1/etcd-1": "3.6.0", "h2/etcd-2": "3.7.0"}[key]
		views[key] = view
	}
	m := Consensus(d.Members, views)
	if len(m.Peers) != 4 || !slices.Equal(m.Alarms, []string{"alarm NOSPACE of etcd-1 on h1"}) || len(m.Versions) != 3 || m.Versions["http://10.0.0.1:2380"] != "3.5.35" || m.DowngradeTarget != "3.6.0" || m.WorksAs != "3.7.0" {
		t.Errorf("%+v", m)
	}
	views["h3/etcd-3"] = View{Err: "refused"}
	if m := Consensus(d.Members, views); m.DowngradeTarget != "3.4.0" {
		t.Errorf("without the leader's word: %+v", m)
	}
}
