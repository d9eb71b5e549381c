package etcd

import (
	"strings"
	"testing"
	"time"
)

// whole is the view that every member has of a cluster in good order.
func whole(d Desired) map[string]View {
	var peers []Peer
	for i, m := range d.sorted() {
		peers = append(peers, Peer{ID: uint64(i + 1), Name: m.Name, PeerURLs: []string{m.PeerURL()}})
	}
	views := map[string]View{}
	for i, m := range d.sorted() {
		views[m.Key()] = View{ClusterID: 0xabc, MemberID: uint64(i + 1), Leader: 1, Version: "3.5.35", Peers: append([]Peer{}, peers...)}
	}
	return views
}

func TestJudge(t *testing.T) {
	change := func(name string, f func(*View)) func(map[string]View) {
		return func(views map[string]View) {
			v := views[name]
			f(&v)
			views[name] = v
		}
	}
	cases := map[string]struct {
		change func(map[string]View)
		ailing string
		quorum bool
		split  bool
	}{
		"whole": {func(map[string]View) {}, "", true, false},
		"one silent": {
			change("h2/etcd-2", func(v *View) { *v = View{Err: "connection refused"} }),
			"etcd-2 on h2 does not answer at http://10.0.0.2:2379: connection refused", true, false,
		},
		"two silent": {func(views map[string]View) {
			views["h2/etcd-2"], views["h3/etcd-3"] = View{Err: "refused"}, View{Err: "refused"}
		}, "etcd-2 on h2 does not answer at http://10.0.0.2:2379: refused", false, false},
		"not asked": {func(views map[string]View) { delete(views, "h3/etcd-3") }, "etcd-3 on h3 was not asked", true, false},
		// Stale data on one host: all endpoints are healthy, one is alone.
		"a cluster of its own": {
			change("h3/etcd-3", func(v *View) { v.ClusterID, v.Leader = 0xdef, 3 }),
			"members belong to different clusters: etcd-1 and etcd-2 say cluster abc; etcd-3 say cluster def", true, true,
		},
		"no leader":      {change("h1/etcd-1", func(v *View) { v.Leader = 0 }), "etcd-1 on h1 knows no leader", true, false},
		"another leader": {change("h3/etcd-3", func(v *View) { v.Leader = 3 }), "members follow different leaders", true, false},
		"not started":    {change("h1/etcd-1", func(v *View) { v.Peers[1].Name = "" }), "etcd-2 on h2 has not joined yet", true, false},
		"a learner":      {change("h1/etcd-1", func(v *View) { v.Peers[1].Learner = true }), "etcd-2 on h2 is a learner, not a voting member", true, false},
		"a member less":  {change("h1/etcd-1", func(v *View) { v.Peers = v.Peers[:2] }), "etcd-1 on h1 does not have etcd-3 on h3 among its members", true, false},
		"a stranger":     {change("h2/etcd-2", func(v *View) { v.Peers[0].PeerURLs = []string{"http://10.0.0.9:2380"} }), "etcd-2 on h2 has a member 1 at http://10.0.0.9:2380 that is not configured", true, false},
		"an alarm": {
			change("h1/etcd-1", func(v *View) { v.Alarms = []string{"memberID:3 alarm:NOSPACE"} }),
			"alarm NOSPACE of etcd-3 on h3 is active, and no apply clears it: that takes a person. To recover: compact the history, " +
				"defragment each member, the leader last, and disarm the alarm (etcdctl compact, defrag, alarm disarm)", true, false,
		},
		"an alarm of one silent": {func(views map[string]View) {
			views["h1/etcd-1"] = View{ClusterID: 0xabc, MemberID: 1, Leader: 1, Peers: views["h1/etcd-1"].Peers, Alarms: []string{"memberID:2 alarm:CORRUPT"}}
			views["h2/etcd-2"] = View{Err: "refused"}
		}, "etcd-2 on h2 does not answer at http://10.0.0.2:2379: refused", true, false},
		"the same member": {change("h1/etcd-1", func(v *View) { v.Peers[1] = v.Peers[0] }), "etcd-1 on h1 has a member 1 at http://10.0.0.1:2380 that is not configured", true, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := three()
			views := whole(d)
			c.change(views)
			got := Judge(d, views)
			if got.Ailing != c.ailing || got.Quorum != c.quorum || got.Split != c.split {
				t.Errorf("got %q quorum=%v split=%v, want %q quorum=%v split=%v", got.Ailing, got.Quorum, got.Split, c.ailing, c.quorum, c.split)
			}
			if c.quorum && got.ClusterID != 0xabc {
				t.Errorf("cluster ID %x", got.ClusterID)
			}
		})
	}
}

func TestJudgeTellsLowestVersionAndIDs(t *testing.T) {
	d := three()
	views := whole(d)
	v := views["h2/etcd-2"]
	v.Version = "3.5.9"
	views["h2/etcd-2"] = v
	got := Judge(d, views)
	if got.Version != "3.5.9" {
		t.Errorf("version %q", got.Version)
	}
	var ids []string
	for _, m := range []string{"etcd-1", "etcd-2", "etcd-3"} {
		ids = append(ids, HexID(got.IDs[m]))
	}
	if strings.Join(ids, " ") != "1 2 3" {
		t.Errorf("IDs %v", ids)
	}
}

func TestLostLog(t *testing.T) {
	for log, want := range map[string]bool{
		`{"level":"panic","caller":"etcdserver/zap_raft.go:102","msg":"tocommit(1042) is out of range [lastIndex(0)]. Was the raft log corrupted, truncated, or lost?"}` + "\npanic: tocommit(1042)": true,
		`{"level":"fatal","msg":"discovery failed","error":"member b1 has already been bootstrapped"}`:                                                                                               false,
		"": false,
	} {
		if got := LostLog(log); got != want {
			t.Errorf("got %v of %s", got, log)
		}
	}
}

func TestWithin(t *testing.T) {
	for database, want := range map[int64]time.Duration{0: time.Minute, 100 << 20: 70 * time.Second, 8 << 30: time.Minute + 819*time.Second} {
		if got := Within(time.Minute, database); got != want {
			t.Errorf("%d bytes: got %s, want %s", database, got, want)
		}
	}
}
