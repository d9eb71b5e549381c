package etcd

import (
	"fmt"
	"strings"
	"testing"
)

// threeAnswers are those of a healthy cluster; etcd-1, with ID 1, leads.
func threeAnswers() map[string]Answer { return someAnswers(3) }

func someAnswers(n int) map[string]Answer {
	answers := map[string]Answer{}
	for i := 1; i <= n; i++ {
		a := Answer{ClusterID: 100, MemberID: uint64(i), Leader: 1, Version: "3.5.35", Index: 50, Applied: 50}
		for p := 1; p <= n; p++ {
			name := fmt.Sprintf("etcd-%d", p)
			a.Peers = append(a.Peers, Peer{ID: uint64(p), Name: name, PeerURLs: []string{"http://" + name + ":2380"}})
		}
		answers[fmt.Sprintf("etcd-%d", i)] = a
	}
	return answers
}

// change returns answers with some of them changed.
func changed(answers map[string]Answer, by map[string]func(*Answer)) map[string]Answer {
	for name, change := range by {
		a := answers[name]
		change(&a)
		answers[name] = a
	}
	return answers
}

func silent(a *Answer)     { *a = Answer{Err: "connection refused"} }
func leaderless(a *Answer) { a.Leader = 0 }

func TestAssess(t *testing.T) {
	t.Parallel()
	type changes = map[string]func(*Answer)
	for name, c := range map[string]struct {
		answers        map[string]Answer
		margin, quorum int
		leader         uint64
		degraded       []string // all of them; none for healthy
		ill            []string // members that are not healthy
	}{
		"healthy":                       {answers: threeAnswers(), quorum: 2, margin: 1, leader: 1},
		"five":                          {answers: someAnswers(5), quorum: 3, margin: 2, leader: 1},
		"four have the margin of three": {answers: someAnswers(4), quorum: 3, margin: 1, leader: 1},
		"single":                        {answers: someAnswers(1), quorum: 1, margin: 0, leader: 1},
		"one silent": {
			answers: changed(threeAnswers(), changes{"etcd-3": silent}), quorum: 2, margin: 0, leader: 1,
			degraded: []string{"etcd-3: connection refused"}, ill: []string{"etcd-3"},
		},
		"two silent, the last without a leader": {
			answers: changed(threeAnswers(), changes{"etcd-2": silent, "etcd-3": silent, "etcd-1": leaderless}),
			quorum:  2, margin: -2, leader: 0,
			degraded: []string{"no quorum: 0 of 3 voters work, 2 are needed", "etcd-1: it knows no leader"},
			ill:      []string{"etcd-1", "etcd-2", "etcd-3"},
		},
		"all silent": {
			answers: changed(threeAnswers(), changes{"etcd-1": silent, "etcd-2": silent, "etcd-3": silent}),
			quorum:  2, margin: -2, leader: 0, degraded: []string{"no quorum"}, ill: []string{"etcd-1", "etcd-2", "etcd-3"},
		},
		"one cut off from the others": {
			answers: changed(threeAnswers(), changes{"etcd-2": leaderless}), quorum: 2, margin: 0, leader: 1,
			degraded: []string{"etcd-2: it knows no leader"}, ill: []string{"etcd-2"},
		},
		"another leader": {
			answers: changed(threeAnswers(), changes{"etcd-2": func(a *Answer) { a.Leader = 2 }}), quorum: 2, margin: 0, leader: 1,
			degraded: []string{"etcd-2: it follows another leader"}, ill: []string{"etcd-2"},
		},
		"answers but does not serve": {
			answers: changed(threeAnswers(), changes{"etcd-2": func(a *Answer) { a.Fault = "a read failed" }}), quorum: 2, margin: 0, leader: 1,
			degraded: []string{"etcd-2: a read failed"}, ill: []string{"etcd-2"},
		},
		"stale data on one host": {
			answers: changed(threeAnswers(), changes{
				"etcd-1": func(a *Answer) { a.ClusterID, a.Leader, a.Peers = 7, 1, a.Peers[:1] },
				"etcd-2": func(a *Answer) { a.Leader = 3 }, "etcd-3": func(a *Answer) { a.Leader = 3 },
			}),
			quorum: 2, margin: 0, leader: 3,
			degraded: []string{"2 different clusters", "etcd-1: it belongs to another cluster, 7", "etcd-1 at http://etcd-1:2380 is a member too"},
			ill:      []string{"etcd-1"},
		},
		"a member that nobody named": {
			answers: func() map[string]Answer { all := threeAnswers(); delete(all, "etcd-3"); return all }(),
			quorum:  2, margin: 0, leader: 1, degraded: []string{"etcd-3 at http://etcd-3:2380 is a member too, and was not asked"},
		},
		"added and never started": {
			answers: changed(threeAnswers(), changes{"etcd-1": func(a *Answer) {
				a.Applied++
				a.Peers = append(a.Peers, Peer{ID: 9, PeerURLs: []string{"http://new:2380"}})
			}}),
			quorum: 3, margin: 0, leader: 1, degraded: []string{"member 9 at http://new:2380 has never been started"},
		},
		"the newest member list counts": {
			answers: changed(someAnswers(4), changes{"etcd-3": func(a *Answer) { a.Applied++; a.Peers = a.Peers[:3] }}),
			quorum:  2, margin: 1, leader: 1, degraded: []string{"etcd-4: the cluster does not list it as a member"}, ill: []string{"etcd-4"},
		},
		"a learner has no vote": {
			answers: changed(someAnswers(4), changes{
				"etcd-1": func(a *Answer) { a.Applied++; a.Peers[3].Learner = true },
				"etcd-4": func(a *Answer) { a.Learner, a.Peers = true, nil },
			}),
			quorum: 2, margin: 1, leader: 1, degraded: []string{"etcd-4 is a learner and has no vote yet"},
		},
		"removed, but still running": {
			answers: changed(someAnswers(4), changes{"etcd-1": func(a *Answer) { a.Applied++; a.Peers = a.Peers[:3] }}),
			quorum:  2, margin: 1, leader: 1, degraded: []string{"etcd-4: the cluster does not list it as a member"}, ill: []string{"etcd-4"},
		},
		"out of space": {
			answers: changed(threeAnswers(), changes{
				"etcd-1": func(a *Answer) { a.Alarms = []Alarm{{2, "NOSPACE"}} },
				"etcd-2": func(a *Answer) { a.Alarms = []Alarm{{2, "NOSPACE"}} },
			}),
			quorum: 2, margin: 1, leader: 1, degraded: []string{"etcd-2: alarm NOSPACE"}, ill: []string{"etcd-2"},
		},
		"alarm of a member that is gone": {
			answers: changed(threeAnswers(), changes{"etcd-1": func(a *Answer) { a.Alarms = []Alarm{{8, "CORRUPT"}} }}),
			quorum:  2, margin: 1, leader: 1, degraded: []string{"alarm CORRUPT of unknown member 8"},
		},
		"the silent leader keeps its name": {
			answers: changed(threeAnswers(), changes{"etcd-1": silent}), quorum: 2, margin: 0, leader: 1,
			degraded: []string{"etcd-1: connection refused"}, ill: []string{"etcd-1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Assess(c.answers)
			if s.Margin != c.margin || s.Quorum != c.quorum || s.Leader != c.leader {
				t.Errorf("margin %d, quorum %d, leader %d; want %d, %d, %d", s.Margin, s.Quorum, s.Leader, c.margin, c.quorum, c.leader)
			}
			if s.Healthy() != (len(c.degraded) == 0) {
				t.Errorf("degraded: %q", s.Degraded)
			}
			for _, text := range c.degraded {
				if !strings.Contains(s.Degraded, text) {
					t.Errorf("it does not say %q: %q", text, s.Degraded)
				}
			}
			var ill []string
			for i := range len(s.Members) {
				if name := fmt.Sprintf("etcd-%d", i+1); s.Members[name].Trouble != "" {
					ill = append(ill, name)
				}
			}
			if fmt.Sprint(ill) != fmt.Sprint(c.ill) {
				t.Errorf("ill are %v, want %v", ill, c.ill)
			}
			if c.leader == 1 && s.Names[1] != "etcd-1" {
				t.Errorf("the leader is %q", s.Names[1])
			}
		})
	}
}

func TestAssess_lagIsBehindWhoeverHasMost(t *testing.T) {
	t.Parallel()
	s := Assess(changed(threeAnswers(), map[string]func(*Answer){
		"etcd-1": func(a *Answer) { a.Index, a.Applied = 5000, 4990 },
		"etcd-2": func(a *Answer) { a.Index, a.Applied = 1200, 1000 },
		"etcd-3": silent,
	}))
	for name, want := range map[string]uint64{"etcd-1": 10, "etcd-2": 4000, "etcd-3": 0} {
		if got := s.Members[name].Lag; got != want {
			t.Errorf("%s lags %d, want %d", name, got, want)
		}
	}
	if !s.Members["etcd-1"].Leads || s.Members["etcd-2"].Leads {
		t.Error("not exactly etcd-1 leads")
	}
}

func TestAssess_ofTwoClustersTheOneWithALeaderCounts(t *testing.T) {
	t.Parallel()
	s := Assess(changed(threeAnswers(), map[string]func(*Answer){
		"etcd-1": func(a *Answer) { a.ClusterID, a.Leader = 7, 0 },
		"etcd-3": silent,
	}))
	if s.ClusterID != 100 || s.Leader != 1 || s.Healthy() {
		t.Errorf("%+v", s)
	}
}

func TestAssess_nobodyAsked(t *testing.T) {
	t.Parallel()
	if s := Assess(nil); s.Healthy() || s.ClusterID != 0 {
		t.Errorf("%+v", s)
	}
}
