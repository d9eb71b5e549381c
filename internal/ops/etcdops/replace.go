package etcdops

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

type containerFound = container.Found

const (
	// provenWithin is how long a replaced member may take to be proven, with a
	// small database. One that takes longer goes back to its old container.
	provenWithin = 90 * time.Second
	// maxLag is how many log entries a member may be behind the leader and
	// count as caught up while others go on writing.
	maxLag = 500
	// flushWrites are more entries than a flushing member keeps out of its
	// snapshots (--snapshot-count=10).
	flushWrites = 50
)

// replace puts the member on a new container, proves it, and removes the old
// one. Every part of it looks at what is there first, so that it can be carried
// out again after an interruption at any moment. When the new container is not
// proven in time the old one is put back, where that can still start.
func (c *Cluster) replace(ctx context.Context, step etcd.Replace, l look) error {
	if err := c.settle(ctx, l); err != nil {
		return err
	}
	host, err := c.Fleet.Host(step.Member.Host)
	if err != nil {
		return err
	}
	r := &replacement{c: c, m: step.Member, host: host, step: step, before: l.Membership}
	r.current, r.hasCurrent = c.find(l.Survey, step.Member)
	r.old, r.hasOld = c.previous(l.Survey, step.Member)
	c.noteChange()
	if err := r.swap(ctx, l); err != nil {
		return r.undo(ctx, err)
	}
	if !step.Down {
		if err := r.proven(ctx); err != nil {
			return r.undo(ctx, err)
		}
		if err := r.asTold(ctx); err != nil {
			return err
		}
	}
	c.noteChange()
	if !r.hasOld {
		return nil
	}
	return host.RemoveContainer(ctx, r.old.ID)
}

// asTold compares the version that the member came back with and the one that it
// was to run. It goes back where it still can.
func (r *replacement) asTold(ctx context.Context) error {
	if !r.hasOld || r.current.Hash() != r.step.Of.Spec(r.m, etcd.Rejoin, "").Labels[container.LabelHash] {
		return nil // it flushes, or is the old one
	}
	err := etcd.CheckRuns(r.m.Host, r.step.Of.Image, r.step.Of.Version, r.runs)
	switch {
	case err == nil:
		return nil
	case r.before.MayReturn(r.m, r.old, r.runs):
		return r.undo(ctx, fmt.Errorf("%w: pull or load the right image on that host, or correct etcd_version", err))
	default:
		return &MemberError{Member: r.m.Name, Err: fmt.Errorf("%w. It works, and stays so: the cluster may have come up to that version, "+
			"in which the old container would not start. %s", err, etcd.OtherVersion)}
	}
}

// dropOld removes the old container that an interrupted replacement left beside
// one that works. The one that works is not touched.
func (c *Cluster) dropOld(ctx context.Context, step etcd.DropOld, l look) error {
	host, err := c.Fleet.Host(step.Member.Host)
	if err != nil {
		return err
	}
	r := &replacement{c: c, m: step.Member, host: host}
	r.current, r.hasCurrent = c.find(l.Survey, step.Member)
	if r.old, r.hasOld = c.previous(l.Survey, step.Member); !r.hasOld {
		return nil
	}
	if step.Prove {
		if details, err := host.Inspect(ctx, r.current.ID); err == nil {
			r.restarts = details.RestartCount
		}
		if err := r.proven(ctx); err != nil {
			return &MemberError{Member: r.m.Name, Err: fmt.Errorf("the new container on host %s, which an interrupted apply had made, answered and was not proven: "+
				"%w. Nothing was changed: it runs, and the old one is there as %s%s", r.m.Host, err, etcd.PreviousName(c.identity(r.m)), r.logs(ctx))}
		}
	}
	return host.RemoveContainer(ctx, r.old.ID)
}

// replacement is one member between two containers.
type replacement struct {
	c    *Cluster
	m    etcd.Member
	host *dockerhost.Host
	step etcd.Replace
	// current has the member's name; old is kept beside it.
	current, old       containerFound
	hasCurrent, hasOld bool
	// before is the cluster before the swap, and runs the version that the new
	// container told, "" as long as it has not worked.
	before etcd.Membership
	runs   string
	// restarts are those that the container had before, which say nothing.
	restarts int
}

func (r *replacement) spec() container.Spec {
	if r.step.Flush {
		image := r.current.Image
		if r.hasOld {
			image = r.old.Image
		}
		return r.c.Desired.FlushSpec(r.m, image, "")
	}
	return r.step.Of.Spec(r.m, etcd.Rejoin, "")
}

// swap stops the old container and starts the new one in its place.
func (r *replacement) swap(ctx context.Context, l look) error {
	spec := r.spec()
	wanted := spec.Labels[container.LabelHash]
	made := r.hasCurrent && r.current.Hash() == wanted
	if r.hasOld && (r.step.Back || r.old.Hash() == wanted && !made) {
		// The change was taken back while it was under way.
		return r.restore(ctx)
	}
	if r.hasCurrent && !r.hasOld {
		if !r.step.Overtaken && !r.step.Down {
			if err := r.c.flushLog(ctx, r.m, l); err != nil {
				return err
			}
		}
		if err := r.host.StopContainer(ctx, r.current.ID, r.c.Desired.Settings.StopGrace); err != nil {
			return err
		}
		if err := r.host.RenameContainer(ctx, r.current.ID, etcd.PreviousName(r.c.identity(r.m))); err != nil {
			return err
		}
		r.old, r.hasOld, r.hasCurrent = r.current, true, false
	}
	if r.hasCurrent && r.current.Hash() != wanted {
		if err := r.c.endContainer(ctx, r.host, r.current.ID); err != nil {
			return err
		}
		r.hasCurrent = false
	}
	if !r.hasCurrent {
		id, err := r.host.CreateContainer(ctx, spec)
		if err != nil {
			return err
		}
		r.current, r.hasCurrent = containerFound{ID: id, Name: spec.Name, Image: spec.Image, Labels: spec.Labels}, true
	}
	r.c.notePort(r.m, r.current)
	return r.host.StartContainer(ctx, r.current.ID)
}

// restore puts the old container back in its place and starts it.
func (r *replacement) restore(ctx context.Context) error {
	if r.hasCurrent {
		if err := r.c.endContainer(ctx, r.host, r.current.ID); err != nil {
			return err
		}
	}
	if err := r.host.RenameContainer(ctx, r.old.ID, r.c.identity(r.m).Name()); err != nil {
		return err
	}
	r.current, r.hasCurrent, r.hasOld = r.old, true, false
	r.c.notePort(r.m, r.current)
	return r.host.StartContainer(ctx, r.current.ID)
}

// proven waits until the member answers, follows the leader of the same
// cluster, and has applied what the others had when it came back.
func (r *replacement) proven(ctx context.Context) error {
	url := r.m.PeerURL()
	lastLook := time.Now()
	var ended error
	err := r.c.poll(ctx, r.c.within(provenWithin), "the member is back and has caught up", func(ctx context.Context) (bool, string) {
		views := r.c.glance(ctx)
		now := etcd.Consensus(r.c.Desired.All(), views)
		if now.Healthy[url] {
			r.runs = now.Versions[url]
		}
		if time.Since(lastLook) > containerInterval {
			lastLook = time.Now()
			if details, err := r.host.Inspect(ctx, r.current.ID); err == nil && (details.RestartCount > r.restarts+1 || details.Status == container.Exited) {
				ended = fmt.Errorf("its container ends by itself (exit code %d)", details.ExitCode)
				return true, ""
			}
		}
		if !now.Healthy[url] {
			return false, orNothing(views[r.m.Key()].Err)
		}
		mine := views[r.m.Key()].Applied
		for key, view := range views {
			if view.Err == "" && view.Applied > mine+maxLag {
				return false, fmt.Sprintf("it has applied %d log entries, %s %d", mine, key, view.Applied)
			}
		}
		return true, ""
	})
	return errors.Join(ended, err)
}

// undo goes back to the old container after the new one failed, or the time of
// the operation was over. An apply that was interrupted is not undone: the next
// one goes on from here.
func (r *replacement) undo(ctx context.Context, failure error) error {
	logs := r.logs(ctx)
	failure = &MemberError{Member: r.m.Name, Err: fmt.Errorf("the new container on host %s was not proven: %w%s", r.m.Host, failure, logs)}
	if errors.Is(ctx.Err(), context.Canceled) {
		return failure
	}
	// The time of the operation may be over; what it has begun is undone all
	// the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.c.Desired.Settings.StopGrace+2*r.c.within(provenWithin))
	defer cancel()
	if !r.hasOld {
		return fmt.Errorf("%w\n\nNothing else was touched", failure)
	}
	if !r.before.MayReturn(r.m, r.old, r.runs) {
		return fmt.Errorf("%w\n\nIt has worked as etcd %s: in a cluster that has come up to that version the old container would not start, so that the new one was left. "+
			"No other member was touched. Correct what the log says and apply again", failure, r.runs)
	}
	if err := r.restore(ctx); err != nil {
		return fmt.Errorf("%w\n\nThe old container could not be put back: %w. It is still there as %s", failure, err, etcd.PreviousName(r.c.identity(r.m)))
	}
	if err := r.proven(ctx); err != nil {
		return fmt.Errorf("%w\n\nThe old container was put back, but: %w. No other member was touched. Correct what the log says and apply again. %s",
			failure, err, lastResort(r.m.Name))
	}
	return fmt.Errorf("%w\n\nThe old container was put back and works. No other member was touched", failure)
}

func (r *replacement) logs(ctx context.Context) string {
	if !r.hasCurrent {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	text, err := r.host.Logs(ctx, r.current.ID, logLines)
	if err != nil || strings.TrimSpace(text) == "" {
		return ""
	}
	return fmt.Sprintf("\n\nIts last log lines:\n%s", strings.TrimSpace(text))
}
