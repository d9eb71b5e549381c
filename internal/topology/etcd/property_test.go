package etcd

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// randomStart draws a cluster of 1 to 5 members on as many hosts, each in any
// state an earlier life, a fault or a person can have left it in.
func randomStart(t *rapid.T) (Desired, Observed) {
	d := Desired{Cluster: "anka", Image: "etcd:v3.5.35", Token: "fresh-token", Born: rapid.Bool().Draw(t, "born")}
	o := Observed{
		Hosts: map[string]topology.Reach{}, Containers: map[string][]container.Found{},
		Images: map[string]bool{}, Data: map[string]bool{}, Proven: rapid.Bool().Draw(t, "proven"),
	}
	n := rapid.IntRange(1, 5).Draw(t, "members")
	for i := range n {
		m := Member{Name: fmt.Sprintf("etcd-%d", i), Host: fmt.Sprintf("h%d", i), Address: fmt.Sprintf("10.0.0.%d", i), ClientPort: ClientPort, PeerPort: PeerPort}
		if d.Born {
			m.Incarnation = "older"
		}
		d.Members = append(d.Members, m)
	}
	for _, m := range d.Members {
		o.Hosts[m.Host] = rapid.SampledFrom([]topology.Reach{
			topology.Reachable, topology.Reachable, topology.Reachable, topology.Reachable, topology.Unreachable,
		}).Draw(t, m.Host)
		if o.Hosts[m.Host] != topology.Reachable {
			continue
		}
		o.Images[m.Host] = rapid.Bool().Draw(t, "image")
		o.Data[m.Name] = rapid.Bool().Draw(t, "data")
		status := rapid.SampledFrom([]container.Status{
			container.Absent, container.Created, container.Running, container.Exited, container.Restarting,
		}).Draw(t, m.Name)
		if status == container.Absent {
			continue
		}
		token := rapid.SampledFrom([]string{"one-token", "one-token", "one-token", "two-token"}).Draw(t, "token")
		birth := rapid.SampledFrom([]Birth{Bootstrap, Bootstrap, Rejoin}).Draw(t, "birth")
		found := createdFrom(d.Spec(m, birth, token))
		found.Status = status
		o.put(m.Host, found)
	}
	return d, o
}

func touched(step topology.Step) []Member {
	switch s := step.(type) {
	case Create:
		return s.Members
	case Start:
		return s.Members
	case Discard:
		return s.Members
	case Recreate:
		return []Member{s.Member}
	default:
		return nil
	}
}

// TestPlanProperties checks on random starts what must hold of every plan.
func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, start := randomStart(t)
		o := start.clone()
		for range maxPlan {
			step, err := Next(d, o)
			if err != nil {
				return
			}
			if step == nil {
				checkEnd(t, d, o)
				return
			}
			checkStep(t, d, o, step)
			o.apply(step, d)
		}
		t.Fatalf("no end: %v", start)
	})
}

func checkStep(t *rapid.T, d Desired, o Observed, step topology.Step) {
	states := map[string]memberState{}
	running := 0
	for _, s := range look(d, o) {
		states[s.Name] = s
		if s.started() {
			running++
		}
	}
	for _, m := range touched(step) {
		s := states[m.Name]
		if s.reach != topology.Reachable {
			t.Fatalf("%s touches %s, which is %s", step, m.Host, s.reach)
		}
		switch step.(type) {
		case Start:
			if s.status() == container.Created && s.birth() == Rejoin && d.Born && !o.Data[m.Name] {
				t.Fatalf("%s starts a member that continues another on no data", step)
			}
		case Discard:
			if s.started() {
				t.Fatalf("%s removes a member that has run", step)
			}
		case Create:
			if running > 0 || d.Born {
				t.Fatalf("%s bootstraps beside members that have run", step)
			}
		}
	}
	if pull, ok := step.(Pull); ok {
		for _, host := range pull.Hosts {
			if o.Hosts[host] != topology.Reachable {
				t.Fatalf("%s pulls on a silent host", step)
			}
		}
	}
}

func checkEnd(t *rapid.T, d Desired, o Observed) {
	if again, err := Plan(d, o); err != nil || len(again) > 0 {
		t.Fatalf("replanning at the end is not empty: %v %v", again, err)
	}
	tokens := map[string]bool{}
	for _, s := range look(d, o) {
		if s.reach != topology.Reachable {
			if !d.Born {
				t.Fatalf("a bootstrap ended with silent host %s", s.Host)
			}
			continue
		}
		if s.status() != container.Running && s.status() != container.Restarting {
			t.Fatalf("%s is %s at the end", s.place(), s.status())
		}
		tokens[s.token()] = true
	}
	if !d.Born && len(tokens) != 1 {
		t.Fatalf("a bootstrap ended with members of %d clusters", len(tokens))
	}
}

// TestPlanIgnoresOrder: what comes in another order gives the same plan.
func TestPlanIgnoresOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, o := randomStart(t)
		shuffled := d
		shuffled.Members = rapid.Permutation(slices.Clone(d.Members)).Draw(t, "order")
		steps, err := Plan(d, o)
		again, errAgain := Plan(shuffled, o)
		if render(steps, err) != render(again, errAgain) {
			t.Fatalf("order matters:\n%s\n%s", render(steps, err), render(again, errAgain))
		}
	})
}

// TestDestroyTouchesOnlyOurs: on random starts a destroy removes what is ours
// and nothing while a host is silent.
func TestDestroyTouchesOnlyOurs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, o := randomStart(t)
		o.Volumes = map[string][]string{"h0": {"a-volume"}}
		purge := rapid.Bool().Draw(t, "purge")
		steps, err := PlanDestroy(d, o, purge)
		silent := len(silentHosts(look(d, o))) > 0
		if silent != (err != nil) {
			t.Fatalf("silent hosts %v, but error %v", silent, err)
		}
		for _, step := range steps {
			if _, purges := step.(Purge); purges && !purge {
				t.Fatalf("%s without being asked", step)
			}
			if silent {
				t.Fatalf("%s while a host is silent", step)
			}
		}
	})
}
