package etcdops

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/runner"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// Destroy removes the cluster's containers and, with purge, its volumes. It
// returns where data was left, "place on host",
// sorted, and the last look at the hosts.
func (c *Cluster) Destroy(ctx context.Context, purge bool) (left []string, last survey.Survey, err error) {
	task := runner.Task[etcd.Observed]{
		Observe: func(ctx context.Context) (etcd.Observed, error) {
			l, err := c.lookToDestroy(ctx)
			last = l.Survey
			if err != nil {
				return etcd.Observed{}, err
			}
			o := etcd.Observed{Hosts: last.Reach, Containers: last.Containers, Membership: l.Membership}
			if !c.answered(last) {
				return o, nil
			}
			all, err := c.volumes(ctx, slices.Collect(maps.Keys(last.Containers)))
			o.Volumes = c.own(all)
			left = c.leftovers(all, last)
			return o, err
		},
		Next: func(o etcd.Observed) (topology.Step, error) { return etcd.NextDestroy(c.Desired, o, purge) },
		Do: func(ctx context.Context, step topology.Step, o etcd.Observed) error {
			if err := c.hold(ctx, o); err != nil {
				return err
			}
			return c.do(ctx, step, o, last)
		},
		Log: c.Log,
	}
	_, _, err = task.Run(ctx)
	if err == nil {
		c.abandon(ctx)
	}
	c.release(ctx)
	return left, last, err
}

// answered reports whether every host of a configured member has. That of a
// former one may be gone for good.
func (c *Cluster) answered(s survey.Survey) bool {
	return !slices.ContainsFunc(c.Desired.Members, func(m etcd.Member) bool {
		_, answered := s.Containers[m.Host]
		return !answered
	})
}

// volumes are all volumes with the cluster's labels on these hosts, by host.
func (c *Cluster) volumes(ctx context.Context, hosts []string) (map[string][]string, error) {
	found := map[string][]string{}
	var mu sync.Mutex
	err := survey.Each(ctx, hosts, func(ctx context.Context, name string) error {
		host, err := c.Fleet.Host(name)
		if err != nil {
			return err
		}
		volumes, err := host.Volumes(ctx, container.Selector(c.Desired.Cluster, container.Etcd))
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for _, v := range volumes {
			found[name] = append(found[name], v.Name)
		}
		return nil
	})
	return found, err
}

// own are the volumes that the members use. Those of earlier clusters of the
// same name carry the same labels, but nobody asked to delete them.
func (c *Cluster) own(volumes map[string][]string) map[string][]string {
	mine := map[string][]string{}
	for _, m := range c.Desired.Members {
		name := c.Desired.Data(m, m.Incarnation).Source
		if m.Incarnation != "" && slices.Contains(volumes[m.Host], name) {
			mine[m.Host] = append(mine[m.Host], name)
		}
	}
	return mine
}

// leftovers tell a person where data lies: volumes that were found, and the
// directories that members used, and former members of which nothing is known.
func (c *Cluster) leftovers(volumes map[string][]string, s survey.Survey) []string {
	var left []string
	for _, m := range c.Desired.Former {
		if _, answered := s.Containers[m.Host]; !answered {
			left = append(left, fmt.Sprintf("whatever the former member %s has on %s, which does not answer", m.Name, m.Host))
		}
	}
	for host, names := range volumes {
		for _, name := range names {
			left = append(left, fmt.Sprintf("volume %s on %s", name, host))
		}
	}
	if c.Desired.DataPath != "" {
		for _, m := range c.Desired.Members {
			if m.Incarnation != "" {
				left = append(left, fmt.Sprintf("directory %s on %s", c.Desired.Data(m, m.Incarnation).Source, m.Host))
			}
		}
	}
	slices.Sort(left)
	return left
}

func (c *Cluster) purge(ctx context.Context, step etcd.Purge) error {
	var hosts []string
	for name := range step.Volumes {
		hosts = append(hosts, name)
	}
	return survey.Each(ctx, hosts, func(ctx context.Context, name string) error {
		host, err := c.Fleet.Host(name)
		if err != nil {
			return err
		}
		for _, volume := range step.Volumes[name] {
			if err := host.RemoveVolume(ctx, volume); err != nil {
				return fmt.Errorf("host %s: volume %s: %w", name, volume, err)
			}
		}
		return nil
	})
}
