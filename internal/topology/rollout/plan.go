package rollout

import (
	"fmt"
	"maps"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// maxPlan bounds a simulated plan, at a few steps for each of many hosts.
const maxPlan = 1000

// Plan repeats [Next] on a simulated copy of o, in which every step succeeds,
// and returns the steps in order. o is not changed.
func Plan(d Desired, o Observed) ([]topology.Step, error) {
	o.Hosts = maps.Clone(o.Hosts)
	var steps []topology.Step
	for range maxPlan {
		step, err := Next(d, o)
		if err != nil || step == nil {
			return steps, err
		}
		steps = append(steps, step)
		Simulate(d, o, step)
	}
	return steps, fmt.Errorf("the plan for %s %s has no end after %d steps, which is a defect of the provider",
		d.Role, d.Owner, maxPlan)
}

// Simulate changes o.Hosts in place to what it will be once step has
// succeeded.
func Simulate(d Desired, o Observed, step topology.Step) {
	acting, ok := step.(interface{ On() []string })
	if !ok {
		return
	}
	for _, name := range acting.On() {
		o.Hosts[name] = simulate(d, o.Hosts[name], name, step)
	}
}

func simulate(d Desired, h Host, name string, step topology.Step) Host {
	r := d.replica(name)
	fresh := container.Found{
		Name: r.Spec.Name, Image: r.Spec.Image, Labels: r.Spec.Labels, Ports: r.Spec.Ports, Mounts: r.Spec.Mounts,
		Status: container.Created,
	}
	gone := container.Found{Status: container.Absent}
	switch s := step.(type) {
	case Pull:
		h.Pulled = append(slices.Clone(h.Pulled), s.Image)
	case Discard:
		h.Container, h.Ready = gone, false
	case Create:
		h.Container, h.Ready = fresh, false
	case Start:
		h.Container.Status, h.Ready = container.Running, false
	case Wait:
		h.Container.Status, h.Ready, h.Unsettled = container.Running, true, false
	case Replace:
		if absent(h.Previous) {
			h.Previous = h.Container
		}
		h.Previous.Status = container.Exited
		h.Container, h.Ready = fresh, false
		h.Container.Status = container.Running
	case Drop:
		h.Previous = gone
	case Clean:
		h.Incomplete = gone
	case Restore:
		h.Container, h.Previous, h.Ready = h.Previous, gone, false
		h.Container.Status = container.Running
	case Purge:
		h.Volumes = slices.DeleteFunc(slices.Clone(h.Volumes), func(v Volume) bool { return slices.Contains(s.Volumes[name], v.Name) })
	case Remove:
		h.Container, h.Previous, h.Incomplete, h.Ready = gone, gone, gone, false
	}
	return h
}

// Rollback are the steps that bring the kept container of a host back into its
// place after its successor failed, none when nothing is kept there. It never
// touches another host.
func Rollback(d Desired, o Observed, host string) []topology.Step {
	h := o.Hosts[host]
	id := d.Identity(host)
	if !ours(h.Previous, id) {
		return nil
	}
	target := Target{d.Role, []string{host}, "its successor failed"}
	var steps []topology.Step
	if ours(h.Container, id) {
		steps = append(steps, Discard{target})
	}
	return append(steps, Restore{target})
}
