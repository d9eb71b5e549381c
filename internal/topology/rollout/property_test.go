package rollout_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

var (
	statuses = []container.Status{
		container.Absent, container.Created, container.Running, container.Restarting, container.Exited,
		container.Paused, container.Dead,
	}
	images = []string{"v1", "v2", "v3"}
	hosts  = []string{"h1", "h2", "h3", "h4", "h5"}
)

// start draws a configuration and any mess that its hosts could be in.
func start(t *rapid.T) (rollout.Desired, rollout.Observed) {
	d := rollout.Desired{Owner: owner, Role: container.Controller}
	o := rollout.Observed{Hosts: map[string]rollout.Host{}, Recorded: map[string]string{}}
	for _, name := range hosts[:rapid.IntRange(1, len(hosts)).Draw(t, "hosts")] {
		wanted := rapid.IntRange(0, 4).Draw(t, "wanted") > 0
		image := rapid.SampledFrom(images).Draw(t, "image")
		if wanted {
			d.Replicas = append(d.Replicas, rollout.Replica{Host: name, Spec: spec(name, image)})
		}
		h := rollout.Host{
			Container: drawn(t, name, rapid.SampledFrom(statuses).Draw(t, "status")),
			Previous:  drawn(t, name, rapid.SampledFrom([]container.Status{container.Absent, container.Running, container.Exited}).Draw(t, "previous")),
			// Nothing but an apply that was killed leaves one.
			Incomplete: drawn(t, name, rapid.SampledFrom([]container.Status{container.Absent, container.Absent, container.Created}).Draw(t, "incomplete")),
		}
		if rapid.Bool().Draw(t, "known") {
			o.Recorded[name] = spec(name, rapid.SampledFrom(images).Draw(t, "recorded")).Labels[container.LabelHash]
		}
		h.Ready = h.Container.Status == container.Running && rapid.Bool().Draw(t, "ready")
		h.Unsettled = rapid.Bool().Draw(t, "unsettled")
		if wanted && rapid.IntRange(0, 5).Draw(t, "reach") == 0 {
			h = rollout.Host{Reach: topology.Unreachable}
			o.Recorded[name] = spec(name, image).Labels[container.LabelHash]
		}
		o.Hosts[name] = h
	}
	return d, o
}

func drawn(t *rapid.T, host string, status container.Status) container.Found {
	if status == container.Absent {
		return container.Found{Status: status}
	}
	return found(host, rapid.SampledFrom(images).Draw(t, "from"), status)
}

// serves reports whether somebody can be using what runs on a host. An old
// container that was set aside and not stopped still serves.
func serves(h rollout.Host) bool {
	if h.Container.Status == container.Running || h.Container.Status == container.Restarting {
		return h.Ready
	}
	return h.Previous.Status == container.Running
}

// on returns the hosts on which step acts.
func on(step topology.Step) []string { return step.(interface{ On() []string }).On() }

func TestPlan_convergesFromAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, o := start(t)
		var removed topology.Step
		for n := 0; ; n++ {
			if n > 200 {
				t.Fatal("no end after 200 steps")
			}
			step, err := rollout.Next(d, o)
			var away *rollout.UnreachableError
			if errors.As(err, &away) && away.Spared != "" {
				// The others may be as they are as long as it lasts.
				for _, host := range away.Hosts {
					if o.Hosts[host].Reach == topology.Reachable || !serves(o.Hosts[away.Spared]) {
						t.Fatalf("%v, and there is %+v", away, o.Hosts)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if step == nil {
				break
			}
			// A host that is given up serves until all others are what they
			// should be: nothing but waiting may come after its removal.
			switch step.(type) {
			case rollout.Remove:
				removed = step
			case rollout.Wait:
			default:
				if removed != nil {
					t.Fatalf("%q after %q", step, removed)
				}
			}
			before := maps.Clone(o.Hosts)
			rollout.Simulate(d, o, step)
			checkStep(t, d, before, o.Hosts, step)
		}
		for _, r := range d.Replicas {
			h := o.Hosts[r.Host]
			if h.Reach != topology.Reachable {
				continue
			}
			if !serves(h) || h.Container.Hash() != r.Spec.Labels[container.LabelHash] {
				t.Fatalf("at the end %s has %+v", r.Host, h.Container)
			}
		}
		for name, h := range o.Hosts {
			if h.Reach == topology.Reachable && (h.Previous.Status != container.Absent || h.Incomplete.Status != container.Absent) {
				t.Fatalf("at the end %s still keeps %+v and %+v", name, h.Previous, h.Incomplete)
			}
		}
		if steps, err := rollout.Plan(d, o); err != nil || len(steps) > 0 {
			t.Fatalf("planning again gives %v, %v", steps, err)
		}
	})
}

// checkStep holds the safety rules: what serves is taken down on one host at a
// time, and only while no other replica is in the middle of a change.
func checkStep(t *rapid.T, d rollout.Desired, before, after map[string]rollout.Host, step topology.Step) {
	down := 0
	for name, h := range before {
		if h.Reach != topology.Reachable && slices.Contains(on(step), name) {
			t.Fatalf("%q acts on an unreachable host", step)
		}
		if _, drops := step.(rollout.Drop); drops && h.Unsettled && slices.Contains(on(step), name) {
			t.Fatalf("%q before its successor was waited for", step)
		}
		_, renames := step.(rollout.Restore) // which is not felt where it still runs
		if serves(h) && !serves(after[name]) && !renames {
			down++
		}
	}
	if down > 1 {
		t.Fatalf("%q takes down %d hosts", step, down)
	}
	if _, replaces := step.(rollout.Replace); !replaces || down == 0 {
		return
	}
	for _, r := range d.Replicas {
		if h := before[r.Host]; h.Reach != topology.Reachable || !serves(h) {
			t.Fatalf("%q while %s is not known to be ready", step, r.Host)
		}
	}
}

func TestPlan_doesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, o := start(t)
		want := fmt.Sprint(rollout.Plan(d, o))
		d.Replicas = rapid.Permutation(d.Replicas).Draw(t, "order")
		if got := fmt.Sprint(rollout.Plan(d, o)); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

func TestPlan_rollbackBringsTheOldOneBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, o := start(t)
		for _, r := range d.Replicas {
			kept := o.Hosts[r.Host].Previous
			steps := rollout.Rollback(d, o, r.Host)
			for _, step := range steps {
				if !slices.Equal(on(step), []string{r.Host}) {
					t.Fatalf("%q acts on more than %s", step, r.Host)
				}
				rollout.Simulate(d, o, step)
			}
			if len(steps) > 0 && o.Hosts[r.Host].Container.Hash() != kept.Hash() {
				t.Fatalf("%s has %+v, want %+v", r.Host, o.Hosts[r.Host].Container, kept)
			}
		}
	})
}
