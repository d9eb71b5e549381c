package etcdops

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/runner"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// Result is where an apply has brought the cluster, whether it ended well or
// not.
type Result struct {
	Report
	// Quorum: the cluster exists and accepts writes. From then on nothing may
	// treat it as not created, whatever else went wrong.
	Quorum bool
	// Whole: every member took part in the proof.
	Whole bool
	// Left are members that are no longer configured and of which something is
	// left: they are still in the cluster, or their host does not answer.
	Left []etcd.Member
}

// Plan tells the steps that Apply would take now.
func (c *Cluster) Plan(ctx context.Context) ([]topology.Step, survey.Survey, error) {
	o, s, err := c.Observe(ctx)
	if err != nil {
		return nil, s, err
	}
	steps, err := etcd.Plan(c.Desired, o)
	c.Warnings, c.Alarms = etcd.ChangeWarnings(c.Desired, o), o.Membership.Alarms
	return steps, s, err
}

// Apply carries out steps until the planner says that nothing is left. The
// result is meaningful beside an error, too: a cluster that has a quorum is
// there to stay, even when a member is still missing.
func (c *Cluster) Apply(ctx context.Context) (Result, error) {
	var result Result
	var last etcd.Observed
	task := runner.Task[etcd.Observed]{
		Observe: func(ctx context.Context) (etcd.Observed, error) {
			o, s, err := c.Observe(ctx)
			if err == nil { // what an interrupted look did not see is not gone
				result.Survey, last = s, o
			}
			return o, err
		},
		Next: func(o etcd.Observed) (topology.Step, error) { return etcd.Next(c.Desired, o) },
		Do: func(ctx context.Context, step topology.Step, o etcd.Observed) error {
			if err := c.hold(ctx, o); err != nil {
				return err
			}
			if prove, is := step.(etcd.Prove); is {
				verdict, err := c.prove(ctx, prove)
				result.Verdict, result.Quorum = verdict, verdict.Quorum
				return err
			}
			return c.do(ctx, step, o, result.Survey)
		},
		Log: c.Log,
	}
	_, done, err := task.Run(ctx)
	c.release(ctx)
	result.Incarnations = c.incarnations(result.Survey)
	result.Left = c.left(result.Survey, last)
	if c.Desired.Born && (err != nil || result.Verdict.IDs == nil || len(last.Membership.Alarms) > 0) {
		result.Verdict = etcd.Judge(c.Desired, c.Views(context.WithoutCancel(ctx)))
		result.Quorum = result.Verdict.Quorum
	}
	if err == nil {
		result.Whole = c.Proven && len(last.Membership.Alarms) == 0
		return result, nil
	}
	return result, c.afterFailure(ctx, done, err)
}

// left are the former members that are not gone for good.
func (c *Cluster) left(s survey.Survey, o etcd.Observed) []etcd.Member {
	var left []etcd.Member
	for _, m := range c.Desired.Former {
		_, present := c.find(s, m)
		_, kept := c.previous(s, m)
		reach, asked := s.Reach[m.Host]
		silent := !asked || reach != topology.Reachable
		// While nobody speaks for the cluster it may have the member still.
		listed := o.Membership.Lists(m) || !o.Membership.Known && !m.Out
		if present || kept || silent || listed {
			m.Out = m.Out || o.Membership.Known && !o.Membership.Lists(m)
			left = append(left, m)
		}
	}
	return left
}

// incarnations reads from the labels of what was found last which data the
// members use.
func (c *Cluster) incarnations(s survey.Survey) map[string]string {
	found := map[string]string{}
	for _, m := range c.Desired.Members {
		if one, present := c.find(s, m); present {
			found[m.Name] = one.Labels[container.LabelIncarnation]
		}
	}
	return found
}

// do carries out one step other than the proof.
func (c *Cluster) do(ctx context.Context, step topology.Step, o etcd.Observed, s survey.Survey) error {
	switch step := step.(type) {
	case etcd.Pull:
		return survey.Each(ctx, step.Hosts, func(ctx context.Context, name string) error {
			host, err := c.Fleet.Host(name)
			if err != nil {
				return err
			}
			return host.PullImage(ctx, step.Image)
		})
	case etcd.Create:
		of := c.Desired
		of.Token = step.Token
		return c.create(ctx, step.Members, etcd.Bootstrap, of)
	case etcd.Recreate:
		c.Proven = false
		return c.create(ctx, []etcd.Member{step.Member}, etcd.Rejoin, step.Of)
	case etcd.Start:
		return c.startAndAwait(ctx, step, look{o, s})
	case etcd.Discard:
		return c.remove(ctx, step.Members, s)
	case etcd.Remove:
		return c.stopAndRemove(ctx, step.Members, s)
	case etcd.Purge:
		return c.purge(ctx, step)
	default:
		return c.doOnCluster(ctx, step, look{o, s})
	}
}

func (c *Cluster) create(ctx context.Context, members []etcd.Member, birth etcd.Birth, of etcd.Desired) error {
	var mu sync.Mutex
	return c.each(ctx, members, func(ctx context.Context, m etcd.Member, host *dockerhost.Host) error {
		token := of.Token
		if birth == etcd.Rejoin {
			token = "" // it is of no use beside data
		}
		spec := of.Spec(m, birth, token)
		if birth == etcd.Bootstrap {
			spec = signed(spec)
		}
		id, err := host.CreateContainer(ctx, spec)
		if err != nil {
			return fmt.Errorf("member %s: %w", m.Name, err)
		}
		if birth == etcd.Bootstrap {
			mu.Lock()
			defer mu.Unlock()
			if c.created == nil {
				c.created = map[string]string{}
			}
			c.created[m.Name] = id
		}
		return nil
	})
}

// startAndAwait starts containers. Where a cluster works without them it waits
// until they follow: the plan counts on that, and what is done must be what was
// shown. A bootstrap is waited for by its proof, and a cluster without a quorum
// by a step of its own, because there a single member can never follow.
func (c *Cluster) startAndAwait(ctx context.Context, step etcd.Start, l look) error {
	c.noteChange()
	if err := c.start(ctx, step.Members, l.Survey); err != nil || !l.Membership.Known {
		return err
	}
	return c.await(ctx, step.Members)
}

func (c *Cluster) start(ctx context.Context, members []etcd.Member, s survey.Survey) error {
	return c.each(ctx, members, func(ctx context.Context, m etcd.Member, host *dockerhost.Host) error {
		found, present := c.find(s, m)
		if !present {
			return fmt.Errorf("member %s: its container vanished from host %s", m.Name, m.Host)
		}
		if err := host.StartContainer(ctx, found.ID); err != nil {
			return &MemberError{Member: m.Name, Attribute: portAttribute(m, err), Err: err}
		}
		return nil
	})
}

// MemberError is a fault of one member. Attribute is that of the member that
// would have to change, "" when it is not the configuration's fault.
type MemberError struct {
	Member    string
	Attribute string
	Err       error
}

// Error tells the member and the original error.
func (e *MemberError) Error() string { return fmt.Sprintf("member %s: %v", e.Member, e.Err) }

// Unwrap gives the original error.
func (e *MemberError) Unwrap() error { return e.Err }

// portAttribute names the attribute whose port was taken.
func portAttribute(m etcd.Member, err error) string {
	var taken *dockerhost.PortTakenError
	if !errors.As(err, &taken) {
		return ""
	}
	if taken.Port == m.PeerPort {
		return "peer_port"
	}
	return "client_port"
}

// remove removes containers that have never been started.
func (c *Cluster) remove(ctx context.Context, members []etcd.Member, s survey.Survey) error {
	return c.each(ctx, members, func(ctx context.Context, m etcd.Member, host *dockerhost.Host) error {
		found, present := c.find(s, m)
		if !present {
			return nil
		}
		return host.RemoveContainer(ctx, found.ID)
	})
}

func (c *Cluster) stopAndRemove(ctx context.Context, members []etcd.Member, s survey.Survey) error {
	return c.each(ctx, members, func(ctx context.Context, m etcd.Member, host *dockerhost.Host) error {
		found, present := c.find(s, m)
		if !present {
			return nil
		}
		if err := host.StopContainer(ctx, found.ID, c.Desired.Settings.StopGrace); err != nil {
			return fmt.Errorf("member %s: %w", m.Name, err)
		}
		return host.RemoveContainer(ctx, found.ID)
	})
}

// afterFailure cleans up behind a bootstrap that could not start all members:
// what this very run has made, and nothing else, is removed again, so that the
// next apply may change a port or an image without meeting half a cluster. No
// data is lost with it, because nothing could be written before the proof.
// Data directories and volumes stay where they are.
func (c *Cluster) afterFailure(ctx context.Context, done []topology.Step, failure error) error {
	var failed *runner.StepError
	if !errors.As(failure, &failed) {
		return failure
	}
	if _, starting := failed.Step.(etcd.Start); !starting || c.Desired.Born || len(c.created) < len(c.Desired.Members) {
		return failure
	}
	if ctx.Err() != nil {
		// Interrupted, not failed: the next apply goes on from here.
		return failure
	}
	var left []string
	err := c.each(ctx, c.Desired.Members, func(ctx context.Context, m etcd.Member, host *dockerhost.Host) error {
		id := c.created[m.Name]
		if err := host.StopContainer(ctx, id, c.Desired.Settings.StopGrace); err != nil {
			return err
		}
		return host.RemoveContainer(ctx, id)
	})
	for _, m := range c.Desired.Members {
		left = append(left, fmt.Sprintf("%s on %s", c.Desired.Data(m, etcd.Incarnation(c.token(done))).Source, m.Host))
	}
	if err != nil {
		return fmt.Errorf("%w\n\nThe containers that this apply had made could not all be removed again: %w", failure, err)
	}
	return fmt.Errorf("%w\n\nThe cluster has never been up. The containers that this apply had made were removed again; "+
		"what little data they wrote is left in %s", failure, strings.Join(left, ", "))
}

func (c *Cluster) token(done []topology.Step) string {
	for _, step := range done {
		if create, is := step.(etcd.Create); is {
			return create.Token
		}
	}
	return c.Desired.Token
}
