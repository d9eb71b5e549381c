package etcdops

import (
	"context"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// adopt looks for members that the cluster has and nobody accounts for, on the
// hosts of the provider block that have their addresses, and takes those that
// are ours among the former ones. It reports whether there were any, so that
// the caller looks again with them. A cluster without such members, which is
// nearly every one, costs no call.
func (c *Cluster) adopt(ctx context.Context, m etcd.Membership) (bool, error) {
	var hosts []string
	for _, p := range c.Desired.Unaccounted(m) {
		for _, name := range c.Fleet.Names() {
			if host, err := c.Fleet.Host(name); err == nil && host.Address() == p.Address() {
				hosts = append(hosts, name)
			}
		}
	}
	if len(hosts) == 0 {
		return false, nil
	}
	if err := c.unlocked(ctx, m); err != nil {
		return false, err // whoever adds them is at it right now
	}
	s, err := survey.Take(ctx, c.Fleet, hosts)
	if err != nil {
		return false, err
	}
	var places []etcd.Place
	for _, name := range slices.Compact(slices.Sorted(slices.Values(hosts))) {
		host, err := c.Fleet.Host(name)
		if found, answered := s.Containers[name]; err == nil && answered {
			places = append(places, etcd.Place{Host: name, Address: host.Address(), Containers: found})
		}
	}
	adopted := c.Desired.Adopt(m, places)
	c.Adopted = append(c.Adopted, adopted...)
	c.Desired.Former = append(slices.Clone(c.Desired.Former), adopted...)
	return len(adopted) > 0, nil
}

// lookToDestroy looks at the hosts of all members and at those that were left
// by an apply that was killed, which a destroy must not leave for ever.
func (c *Cluster) lookToDestroy(ctx context.Context) (look, error) {
	s, err := c.take(ctx)
	l := look{Survey: s}
	if err != nil || !c.answered(s) {
		return l, err
	}
	l.Membership = etcd.Consensus(c.Desired.All(), c.runningViews(ctx, s))
	adopted, err := c.adopt(ctx, l.Membership)
	if err == nil && adopted {
		l.Survey, err = c.take(ctx)
	}
	return l, err
}
