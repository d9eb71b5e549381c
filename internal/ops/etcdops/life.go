package etcdops

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

const (
	// settleTime is how long all members must have been connected before the
	// next change of members. etcd refuses additions before that; a removal it
	// would let through, and two within this time can lose the quorum (etcd's
	// --strict-reconfig-check, HealthInterval).
	settleTime = 5 * time.Second
	// changeTimeout bounds one change of members, with retries while etcd says
	// that it is not ready for it, such as for a learner that has not caught up.
	changeTimeout = 2 * time.Minute
	// awaitTimeout bounds the wait for a member that was started. This, and
	// changeTimeout for a promotion, are those of a small database: see
	// [Cluster.within].
	awaitTimeout = 2 * time.Minute
)

// look is what was observed just before a step.
type look struct {
	etcd.Observed
	survey.Survey
}

// doOnCluster carries out steps of a cluster that exists.
func (c *Cluster) doOnCluster(ctx context.Context, step topology.Step, l look) error {
	switch step := step.(type) {
	case etcd.AddLearner:
		return c.addLearner(ctx, step, l)
	case etcd.JoinMember:
		return c.join(ctx, step)
	case etcd.Promote:
		return c.promote(ctx, step, l)
	case etcd.MoveLeader:
		return c.moveLeader(ctx, step, l)
	case etcd.RemoveMember:
		return c.removeMember(ctx, step, l)
	case etcd.Retire:
		return c.retire(ctx, step, l)
	case etcd.Replace:
		return c.replace(ctx, step, l)
	case etcd.DropOld:
		return c.dropOld(ctx, step, l)
	case etcd.Snapshot:
		return c.snapshot(ctx, l)
	case etcd.Downgrade:
		return c.downgrade(ctx, step, l)
	case etcd.CancelDowngrade:
		return c.cancelDowngrade(ctx, step, l)
	case etcd.Await:
		return c.await(ctx, step.Members)
	default:
		return fmt.Errorf("no way to carry out %T: this is a defect of the provider", step)
	}
}

// noteChange starts the time anew that members have to be connected.
func (c *Cluster) noteChange() {
	c.Proven = false
	c.changed = time.Now()
}

// voter is the connection that takes a change: the leader's or, where the
// leader's host does not answer while its etcd goes on, that of any voting
// member that works, which passes the change on.
func (c *Cluster) voter(l look) (*etcdclient.Client, error) {
	if l.Membership.Healthy[l.Membership.Leader] {
		return c.leader(l)
	}
	for _, p := range l.Membership.Peers {
		m, known := c.memberAt(strings.Join(p.PeerURLs, ","))
		if known && !p.Learner && l.Membership.Healthy[m.PeerURL()] {
			return c.client(m)
		}
	}
	return c.leader(l)
}

// promoter is the connection that takes a promotion. Some versions of etcd lose
// one that is sent through a follower.
func (c *Cluster) promoter(l look) (*etcdclient.Client, error) {
	for _, text := range l.Membership.Versions {
		if v, err := etcd.ParseVersion(text); err != nil || !etcd.PromoteThroughFollowerSafe(v) {
			return c.leader(l)
		}
	}
	return c.voter(l)
}

// leader is the connection to the leader.
func (c *Cluster) leader(l look) (*etcdclient.Client, error) {
	m, known := c.memberAt(l.Membership.Leader)
	if !known {
		return nil, errors.New("the leader is not among the configured members")
	}
	return c.client(m)
}

// settle waits until everything that worked when the step was decided has
// worked for settleTime since the last change of this run. The changes of a run
// that was killed are longer ago than that: its lock had to end first, which
// takes at least two thirds of lockTTL.
func (c *Cluster) settle(ctx context.Context, l look) error {
	if c.changed.IsZero() {
		return nil
	}
	since := c.changed
	return c.poll(ctx, changeTimeout, "all members have been connected for 5 s", func(ctx context.Context) (bool, string) {
		now := etcd.Consensus(c.Desired.All(), c.Views(ctx))
		for url, healthy := range l.Membership.Healthy {
			if healthy && !now.Healthy[url] {
				since = time.Now()
				return false, url + " does not follow the leader"
			}
		}
		return time.Since(since) >= settleTime, "they have been for a shorter time"
	})
}

// poll asks until the answer is yes. Its error tells what was waited for and
// what was missing last.
func (c *Cluster) poll(ctx context.Context, timeout time.Duration, what string, ask func(context.Context) (bool, string)) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		done, missing := ask(ctx)
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited until %s: %s: %w", what, missing, ctx.Err())
		case <-tick.C:
		}
	}
}

func (c *Cluster) noteSize(bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.size = max(c.size, bytes)
}

// within is how long a member may take that loads the cluster's database, when
// one with a small database may take base.
func (c *Cluster) within(base time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return etcd.Within(base, c.size)
}

// retry repeats a change while etcd says that it is not ready for it.
func (c *Cluster) retry(ctx context.Context, timeout time.Duration, what string, change func(context.Context) error) error {
	var last error
	err := c.poll(ctx, timeout, what, func(ctx context.Context) (bool, string) {
		ctx, cancel := context.WithTimeout(ctx, 2*probeTimeout)
		defer cancel()
		last = change(ctx)
		if last == nil {
			return true, ""
		}
		again := errors.Is(last, etcdclient.ErrUnhealthyCluster) || errors.Is(last, etcdclient.ErrNotReady) || errors.Is(last, etcdclient.ErrDowngradeTarget)
		return !again, last.Error()
	})
	if err != nil {
		return err
	}
	return last
}

func (c *Cluster) addLearner(ctx context.Context, step etcd.AddLearner, l look) error {
	if err := c.settle(ctx, l); err != nil {
		return err
	}
	voter, err := c.voter(l)
	if err != nil {
		return err
	}
	c.noteChange()
	return c.retry(ctx, changeTimeout, "the cluster takes a new member", func(ctx context.Context) error {
		_, _, err := voter.AddLearner(ctx, step.Member.PeerURL())
		if errors.Is(err, etcdclient.ErrMemberExists) {
			return nil // an answer was lost; the next look sees the member
		}
		return err
	})
}

func (c *Cluster) join(ctx context.Context, step etcd.JoinMember) error {
	return c.each(ctx, []etcd.Member{step.Member}, func(ctx context.Context, m etcd.Member, host *dockerhost.Host) error {
		_, err := host.CreateContainer(ctx, step.Of.JoinSpec(m, c.Desired.Token, step.Peers))
		if err != nil {
			return &MemberError{Member: m.Name, Err: err}
		}
		return nil
	})
}

func (c *Cluster) promote(ctx context.Context, step etcd.Promote, l look) error {
	promoter, err := c.promoter(l)
	if err != nil {
		return err
	}
	defer c.noteChange()
	err = c.retry(ctx, c.within(changeTimeout), step.Member.Name+" has caught up with the leader", func(ctx context.Context) error {
		err := promoter.Promote(ctx, step.ID)
		if errors.Is(err, etcdclient.ErrNotLearner) {
			return nil // promoted before, by an apply whose answer was lost
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.calm(ctx, l, "")
}

// calm waits until those that worked before a change do so again: for a moment
// after it a member may know no leader, which is nothing to plan about. gone is
// the peer URL of a member that the change took out, "" for none.
func (c *Cluster) calm(ctx context.Context, l look, gone string) error {
	return c.poll(ctx, awaitTimeout, "the cluster is calm again", func(ctx context.Context) (bool, string) {
		now := etcd.Consensus(c.Desired.All(), c.glance(ctx))
		for url, healthy := range l.Membership.Healthy {
			if healthy && url != gone && !now.Healthy[url] {
				return false, url + " does not follow the leader"
			}
		}
		return true, ""
	})
}

func (c *Cluster) moveLeader(ctx context.Context, step etcd.MoveLeader, l look) error {
	if err := c.settle(ctx, l); err != nil {
		return err
	}
	leader, err := c.leader(l)
	if err != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, 2*probeTimeout)
	defer cancel()
	if err := leader.MoveLeader(asking, step.ToID); err != nil {
		return err
	}
	return c.calm(ctx, l, "")
}

func (c *Cluster) removeMember(ctx context.Context, step etcd.RemoveMember, l look) error {
	if err := c.settle(ctx, l); err != nil {
		return err
	}
	voter, err := c.voter(l)
	if err != nil {
		return err
	}
	c.noteChange()
	err = c.retry(ctx, changeTimeout, "the cluster lets the member go", func(ctx context.Context) error {
		return voter.Remove(ctx, step.ID)
	})
	if err != nil {
		return err
	}
	return c.calm(ctx, l, step.Member.PeerURL())
}

// retire stops and removes the member's container, and the one that a
// replacement may have kept. Data stays.
func (c *Cluster) retire(ctx context.Context, step etcd.Retire, l look) error {
	return c.each(ctx, []etcd.Member{step.Member}, func(ctx context.Context, m etcd.Member, host *dockerhost.Host) error {
		for _, find := range []func(survey.Survey, etcd.Member) (containerFound, bool){c.find, c.previous} {
			found, present := find(l.Survey, m)
			if !present {
				continue
			}
			if err := c.endContainer(ctx, host, found.ID); err != nil {
				return &MemberError{Member: m.Name, Err: err}
			}
		}
		return nil
	})
}

// endContainer stops and removes a container.
func (c *Cluster) endContainer(ctx context.Context, host *dockerhost.Host, id string) error {
	if err := host.StopContainer(ctx, id, c.Desired.Settings.StopGrace); err != nil {
		return err
	}
	return host.RemoveContainer(ctx, id)
}

// await waits until members answer and follow the leader.
func (c *Cluster) await(ctx context.Context, members []etcd.Member) error {
	nextLook := time.Now().Add(containerInterval)
	var ended error
	err := c.poll(ctx, c.within(awaitTimeout), etcd.Places(members)+" answer and follow the leader", func(ctx context.Context) (bool, string) {
		views := c.glance(ctx)
		now := etcd.Consensus(c.Desired.All(), views)
		if time.Now().After(nextLook) {
			if ended = c.ended(ctx, members); ended != nil && ctx.Err() == nil {
				return true, ""
			}
			nextLook = time.Now().Add(containerInterval)
		}
		for _, m := range members {
			if !now.Healthy[m.PeerURL()] {
				return false, fmt.Sprintf("%s on %s does not: %s", m.Name, m.Host, orNothing(views[m.Key()].Err))
			}
		}
		ended = nil
		return true, ""
	})
	if err == nil {
		err = ended
	}
	if err != nil {
		return fmt.Errorf("%w%s", err, c.logs(ctx))
	}
	return nil
}

func orNothing(reason string) string {
	if reason == "" {
		return "it knows no leader"
	}
	return reason
}
