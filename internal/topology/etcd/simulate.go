package etcd

import (
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// apply changes the simulated observation as a step that succeeds would.
func (o *Observed) apply(step topology.Step, d Desired) {
	switch s := step.(type) {
	case Pull:
		for _, host := range s.Hosts {
			o.Images[host] = true
		}
	case Create:
		for _, m := range s.Members {
			o.put(m.Host, createdFrom(d.Spec(m, Bootstrap, s.Token)))
		}
	case Recreate:
		o.put(s.Member.Host, createdFrom(d.Spec(s.Member, Rejoin, "")))
		o.Data[s.Member.Name] = true
		o.Proven = false
	case Start:
		for _, m := range s.Members {
			o.each(d, m, func(c *container.Found) { c.Status = container.Running })
		}
		o.Proven = false
	case Prove:
		o.Proven = true
	case Discard:
		for _, m := range s.Members {
			o.drop(d, m)
		}
	case Remove:
		for _, m := range s.Members {
			o.drop(d, m)
		}
	case Purge:
		o.Volumes = map[string][]string{}
	}
}

func createdFrom(spec container.Spec) container.Found {
	return container.Found{Name: spec.Name, Image: spec.Image, Status: container.Created, Labels: spec.Labels}
}

func (o *Observed) put(host string, c container.Found) {
	o.Containers[host] = append(o.Containers[host], c)
}

func (o *Observed) each(d Desired, m Member, change func(*container.Found)) {
	name := d.identity(m).Name()
	for i := range o.Containers[m.Host] {
		if o.Containers[m.Host][i].Name == name {
			change(&o.Containers[m.Host][i])
		}
	}
}

func (o *Observed) drop(d Desired, m Member) {
	name := d.identity(m).Name()
	o.Containers[m.Host] = slices.DeleteFunc(o.Containers[m.Host], func(c container.Found) bool { return c.Name == name })
}
