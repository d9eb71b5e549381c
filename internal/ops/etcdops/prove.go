package etcdops

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

const (

	// pollInterval is how often members are asked while they are waited for.
	pollInterval = 100 * time.Millisecond
	// containerInterval is how often their containers are looked at meanwhile.
	containerInterval = 2 * time.Second
	// lateMember is how long a member may take once the others have a quorum.
	// The cluster works without it, and the next apply waits for it again.
	lateMember = 2 * time.Minute
	// proofPrefix is where the proof writes; it deletes what it wrote.
	proofPrefix = "/io.github.anka-ha/proof/"
	logLines    = 15
	// panicLines hold a panic with its stack, and the start of a run after it.
	panicLines = 150
	// endless is how many restarts are taken for a container that never comes
	// up. Docker doubles its pause, so that these take a few seconds.
	endless = 4
)

// ErrAlarm is a cluster that was not proven because of an alarm, which no step
// clears.
var ErrAlarm = errors.New("the cluster has an active alarm")

// prove waits until the members are one whole cluster and a write and a read
// through each of them succeed. Its verdict is meaningful beside an error.
func (c *Cluster) prove(ctx context.Context, step etcd.Prove) (etcd.Verdict, error) {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	nextLook := time.Now().Add(containerInterval)
	var late <-chan time.Time
	var verdict etcd.Verdict
	for {
		last := etcd.Judge(c.Desired, c.glance(ctx))
		if ctx.Err() == nil {
			verdict = last
		}
		if err := hopeless(verdict); err != nil {
			return verdict, err
		}
		if verdict.Ailing == "" {
			err := c.writeAndRead(ctx, step.Members)
			if errors.Is(err, etcdclient.ErrNoSpace) {
				return verdict, fmt.Errorf("%w: the members are one cluster, but its database has reached its quota and takes no writes. "+
					"Waiting does not heal this: compact the history, defragment each member, the leader last, and disarm the alarm "+
					"(etcdctl compact, defrag, alarm disarm), then apply again: %w", ErrAlarm, err)
			}
			if err != nil {
				verdict.Ailing = err.Error()
			} else {
				c.Proven = true
				return verdict, nil
			}
		}
		if verdict.Quorum && late == nil {
			late = time.After(lateMember)
		}
		if time.Now().After(nextLook) {
			// A cancelled wait tells below what it was waiting for.
			if err := c.ended(ctx, step.Members); err != nil && ctx.Err() == nil {
				return verdict, err
			}
			nextLook = time.Now().Add(containerInterval)
		}
		select {
		case <-ctx.Done():
			return verdict, fmt.Errorf("the wait ended before the cluster was whole: %s%s: %w", verdict.Ailing, c.logs(ctx), ctx.Err())
		case <-late:
			return verdict, fmt.Errorf("the cluster has a quorum, but %s after that still: %s%s", lateMember, verdict.Ailing, c.logs(ctx))
		case <-poll.C:
		}
	}
}

// hopeless is an error where waiting for the cluster to be whole is in vain.
func hopeless(verdict etcd.Verdict) error {
	switch {
	case verdict.Split:
		return fmt.Errorf("%s. Waiting does not heal this: one of them runs on data of another cluster. Nothing was removed. "+
			"Find out which data is the right one before anything is changed", verdict.Ailing)
	case len(verdict.Alarms) > 0:
		return fmt.Errorf("%w. Waiting does not heal this: %s", ErrAlarm, etcd.Alarmed(verdict.Alarms))
	default:
		return nil
	}
}

// writeAndRead proves through every member at the same time that the cluster
// accepts writes and answers linearizable reads.
func (c *Cluster) writeAndRead(ctx context.Context, members []etcd.Member) error {
	ctx, cancel := context.WithTimeout(ctx, 2*probeTimeout)
	defer cancel()
	return c.each(ctx, members, func(ctx context.Context, m etcd.Member, _ *dockerhost.Host) error {
		client, err := c.client(m)
		if err != nil {
			return err
		}
		return client.Prove(ctx, proofPrefix+c.Desired.Cluster+"/"+m.Name, rand.Text())
	})
}

// ended is an error when a member's container has ended for good: waiting for
// it is then in vain.
func (c *Cluster) ended(ctx context.Context, members []etcd.Member) error {
	s, err := c.take(ctx)
	if err != nil {
		return fmt.Errorf("look at the members' containers: %w", err)
	}
	var gone, looping []string
	for _, m := range members {
		if s.Silent[m.Host] != nil {
			continue
		}
		found, present := c.find(s, m)
		switch {
		case !present:
			gone = append(gone, fmt.Sprintf("the container of %s vanished from host %s", m.Name, m.Host))
		case found.Status == container.Restarting && c.restarts(ctx, m, found.ID) >= endless:
			looping = append(looping, m.Name)
			gone = append(gone, fmt.Sprintf("the container of %s on host %s ends again and again: %s", m.Name, m.Host, found.Detail))
		case found.Status == container.Exited || found.Status == container.Dead:
			gone = append(gone, fmt.Sprintf("the container of %s on host %s ended: %s", m.Name, m.Host, found.Detail))
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return fmt.Errorf("%s%s%s", strings.Join(gone, "; "), c.wayOut(looping), c.logs(ctx))
}

// wayOut is what else can be done about members that no correction brings back,
// "" where there are none, or nobody to get the data from.
func (c *Cluster) wayOut(looping []string) string {
	if len(looping) == 0 || !c.Desired.Born {
		return ""
	}
	return fmt.Sprintf(". Correct what the log says and apply again. %s", lastResort(looping[0]))
}

// lastResort brings back a member whose data keeps it from starting.
func lastResort(name string) string {
	return fmt.Sprintf("If nothing helps, and the others are a quorum, take %s out of members and apply, then put it back and apply: "+
		"it gets its data anew from them", name)
}

// restarts is how often the container was restarted, 0 when that is not known.
func (c *Cluster) restarts(ctx context.Context, m etcd.Member, id string) int {
	host, err := c.Fleet.Host(m.Host)
	if err != nil {
		return 0
	}
	details, err := host.Inspect(ctx, id)
	if err != nil {
		return 0
	}
	return details.RestartCount
}

// logs are the last lines of the members that do not answer, for a person to
// read. They are fetched even when the wait was cancelled, within a deadline
// of their own.
func (c *Cluster) logs(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	s, err := c.take(ctx)
	if err != nil {
		return ""
	}
	views := c.Views(ctx)
	var out strings.Builder
	for _, m := range c.Desired.Members {
		found, present := c.find(s, m)
		if !present || views[m.Key()].Err == "" {
			continue
		}
		host, err := c.Fleet.Host(m.Host)
		if err != nil {
			continue
		}
		text, err := host.Logs(ctx, found.ID, logLines)
		if err != nil {
			continue
		}
		fmt.Fprintf(&out, "\n\nLast log lines of %s on host %s (%s):\n%s", m.Name, m.Host, found.Detail, strings.TrimSpace(text))
	}
	return out.String()
}
