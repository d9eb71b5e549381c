package etcdops

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

const (
	// patience is how long members are asked again that do not answer, or know
	// no leader, while their containers run. Elections and lost packets last
	// less, and would change the order of things.
	patience = 5 * time.Second
	// patienceInterval is how often.
	patienceInterval = 500 * time.Millisecond
)

// Observe looks at the containers of all members' hosts, and at what the
// planner asks in addition: what the members say, whether hosts have the image
// that they lack a container of, and whether members that have ended have data.
func (c *Cluster) Observe(ctx context.Context) (etcd.Observed, survey.Survey, error) {
	c.Desired = c.Desired.Renamed()
	s, err := c.take(ctx)
	if err != nil {
		return etcd.Observed{}, s, err
	}
	if !c.Desired.Born {
		if err := c.unclaimed(s); err != nil {
			return etcd.Observed{}, s, err
		}
	}
	o := etcd.Observed{
		Proven: c.Proven, Snapshotted: c.snapshotted, Downgrading: c.downgrading,
		Images: map[string]bool{}, OldImages: map[string]bool{}, Data: map[string]bool{}, Volumes: map[string][]string{},
	}
	if c.Desired.Born {
		if o.Membership, s, err = c.consensus(ctx, s); err != nil {
			return o, s, err
		}
		if c.Planning {
			adopted, err := c.adopt(ctx, o.Membership)
			if err != nil {
				return o, s, err
			}
			if adopted {
				return c.Observe(ctx)
			}
		}
	}
	o.Hosts, o.Containers = s.Reach, maps.Clone(s.Containers)
	var mu sync.Mutex
	old := c.Desired.Prevailing(o).Image
	err = c.each(ctx, c.Desired.Members, func(ctx context.Context, m etcd.Member, host *dockerhost.Host) error {
		if s.Reach[m.Host] != topology.Reachable {
			return nil
		}
		seen, err := c.inspect(ctx, m, host, s, old)
		if found, present := c.find(s, m); err == nil && present && o.Membership.Known && !o.Membership.Healthy[m.PeerURL()] {
			seen.loops = found.Status == container.Running && lostLog(ctx, host, found)
		}
		mu.Lock()
		defer mu.Unlock()
		o.Images[m.Host], o.OldImages[m.Host], o.Data[m.Name] = seen.image, seen.oldImage, seen.data
		if seen.volumes != nil {
			o.Volumes[m.Host] = seen.volumes
		}
		if seen.loops {
			o.Containers[m.Host] = restarting(o.Containers[m.Host], c.identity(m).Name())
		}
		return err
	})
	return o, s, err
}

// seen is what the host of one member was asked for.
type seen struct {
	image, oldImage, data bool
	// loops: it was seen between two ends of one that ends again and again.
	loops bool
	// volumes are nil when they were not asked for.
	volumes []string
}

// inspect asks the member's host for what its container does not tell. For one
// that runs as it should that is nothing. old is the image that members run.
func (c *Cluster) inspect(ctx context.Context, m etcd.Member, host *dockerhost.Host, s survey.Survey, old string) (seen, error) {
	found, present := c.find(s, m)
	// An image that a container uses is there.
	it := seen{image: present && found.Image == c.Desired.Image, oldImage: present && found.Image == old}
	var err error
	if !it.image {
		if it.image, err = host.HasImage(ctx, c.Desired.Image); err != nil {
			return it, err
		}
	}
	if !it.oldImage && old != c.Desired.Image {
		if it.oldImage, err = host.HasImage(ctx, old); err != nil {
			return it, err
		}
	}
	if !c.Desired.Born {
		return it, nil
	}
	kept, isKept := c.previous(s, m)
	ended := found.Status == container.Exited || found.Status == container.Restarting
	switch {
	case ended, found.Status == container.Created && (isKept || found.Labels[etcd.LabelBirth] == string(etcd.Rejoin)):
		it.data, err = host.Exists(ctx, found.ID, etcd.DataTarget+"/member/wal")
		it.data = it.data && (!ended || !lostLog(ctx, host, found))
	case !present && isKept:
		it.data, err = host.Exists(ctx, kept.ID, etcd.DataTarget+"/member/wal")
	case !present && c.Desired.DataPath == "":
		it.volumes = []string{}
		volumes, failed := host.Volumes(ctx, container.Selector(c.Desired.Cluster, container.Etcd))
		for _, v := range volumes {
			it.volumes = append(it.volumes, v.Name)
		}
		err = failed
	}
	return it, err
}

// restarting are containers of which the named one is restarting: that it was seen
// running is a matter of the moment.
func restarting(all []container.Found, name string) []container.Found {
	all = slices.Clone(all)
	for i := range all {
		if all[i].Name == name {
			all[i].Status = container.Restarting
		}
	}
	return all
}

// lostLog reports whether the last run of a member ended because it lacks what it
// acknowledged. A log that cannot be read tells nothing. Of one that restarts the
// last runs are asked: the newest may have just begun.
func lostLog(ctx context.Context, host *dockerhost.Host, found container.Found) bool {
	last, err := host.Inspect(ctx, found.ID)
	since := last.StartedAt
	switch {
	case err != nil, last.Status == container.Exited && last.ExitCode == 0, last.Status == container.Running && last.RestartCount == 0:
		return false
	case found.Status != container.Exited:
		since = time.Time{}
	}
	log, err := host.LogsSince(ctx, found.ID, since, panicLines)
	return err == nil && etcd.LostLog(log)
}

// consensus asks the members that run what they say of their cluster, and those
// that do not work again for a while. It returns the survey that this belongs
// to.
func (c *Cluster) consensus(ctx context.Context, s survey.Survey) (etcd.Membership, survey.Survey, error) {
	tick := time.NewTicker(patienceInterval)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; {
		m := etcd.Consensus(c.Desired.All(), c.runningViews(ctx, s))
		waiting := c.hesitant(m, s)
		if time.Now().After(end) {
			for _, key := range waiting {
				c.mute[key] = true
			}
			waiting = nil
		}
		if len(waiting) == 0 {
			return m, s, nil
		}
		select {
		case <-ctx.Done():
			return m, s, ctx.Err()
		case <-tick.C:
		}
		var err error
		if s, err = c.take(ctx); err != nil {
			return m, s, err
		}
	}
}

// hesitant are the members that should work, since their containers run, that
// do not, and that have not been waited for in vain before.
func (c *Cluster) hesitant(m etcd.Membership, s survey.Survey) []string {
	var keys []string
	if c.mute == nil {
		c.mute = map[string]bool{}
	}
	for _, member := range c.Desired.All() {
		key := member.Key()
		found, present := c.find(s, member)
		switch {
		case m.Split != "" || !present || found.Status != container.Running:
		case m.Healthy[member.PeerURL()]:
			delete(c.mute, key)
		case !c.mute[key] && (!m.Known || m.Votes(member)):
			keys = append(keys, key)
		}
	}
	return keys
}
