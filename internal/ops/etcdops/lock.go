package etcdops

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/user"
	"syscall"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// lockTTL is how long the lock of an apply that was killed stays.
const lockTTL = 15 * time.Second

// hold keeps a second apply on the same cluster out, from before the first
// step on. A cluster that is being bootstrapped, or has no quorum, cannot keep
// a lock: there the names of containers let only one apply through.
func (c *Cluster) hold(ctx context.Context, o etcd.Observed) error {
	if c.lock != nil {
		select {
		case <-c.lock.Lost():
			// The cluster could not be reached for longer than the lock lasts.
			// Unless somebody else has it by now, it is taken again.
			c.lock = nil
		default:
			return nil
		}
	}
	if !o.Membership.Known {
		return nil
	}
	client, err := c.voter(look{Observed: o})
	if err != nil {
		return err
	}
	request := etcdclient.LockRequest{Name: c.Desired.Cluster, Holder: self(), TTL: lockTTL, Members: c.connected}
	var held *etcdclient.LockHeldError
	err = c.poll(ctx, 2*lockTTL, "the lock of an apply that was killed ends", func(ctx context.Context) (bool, string) {
		ctx, cancel := context.WithTimeout(ctx, 2*probeTimeout)
		defer cancel()
		c.lock, err = client.AcquireLock(ctx, request)
		held = nil
		if errors.As(err, &held) && ended(held.Holder) {
			return false, held.Error()
		}
		return true, ""
	})
	if held != nil {
		return fmt.Errorf("another apply is changing cluster %s, and this one has changed nothing: %w", c.Desired.Cluster, held)
	}
	if errors.Is(err, etcdclient.ErrNoSpace) || errors.Is(err, etcdclient.ErrCorrupt) {
		return nil // what repairs it can be done all the same, without a lock
	}
	return err
}

// unlocked is an error that names the holder while another apply is at work.
func (c *Cluster) unlocked(ctx context.Context, m etcd.Membership) error {
	client, err := c.voter(look{Observed: etcd.Observed{Membership: m}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	held, err := client.LockHolder(ctx, c.Desired.Cluster)
	if errors.Is(err, etcdclient.ErrCorrupt) {
		return nil // reads fail, too
	}
	if err != nil || held == nil || ended(held.Holder) {
		return err
	}
	return fmt.Errorf("another apply is changing cluster %s: %w", c.Desired.Cluster, held)
}

// connected are the clients of all members that were asked so far: the member
// that the lock was taken through may leave the cluster.
func (c *Cluster) connected() []*etcdclient.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	var clients []*etcdclient.Client
	for _, client := range c.clients {
		clients = append(clients, client)
	}
	return clients
}

// self tells another apply who holds the lock.
func self() etcdclient.Holder {
	h := etcdclient.Holder{Who: "somebody", Host: "an unknown machine", PID: os.Getpid(), Since: time.Now()}
	if u, err := user.Current(); err == nil {
		h.Who = u.Username
	}
	if name, err := os.Hostname(); err == nil {
		h.Host = name
	}
	return h
}

// ended reports whether a holder was a process of this machine that is gone:
// then the lock is that of an apply that was killed, and ends by itself soon.
func ended(h etcdclient.Holder) bool {
	if h.Host != self().Host {
		return false
	}
	process, err := os.FindProcess(h.PID)
	return err == nil && (errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone) || zombie(h.PID))
}

// zombie reports whether a process has ended and nobody has asked for its exit
// code, as in containers of CI systems whose first process never does. Only
// Linux tells.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	// The name of the program, in parentheses, may itself contain any of them.
	state := bytes.LastIndex(stat, []byte(") Z"))
	return err == nil && state >= 0 && state == bytes.LastIndexByte(stat, ')')
}

// release gives the lock back. When that fails it ends by itself.
func (c *Cluster) release(ctx context.Context) {
	if c.lock == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	_ = c.lock.Release(ctx)
	c.lock = nil
}

// abandon ends the lock of a cluster that is no longer there.
func (c *Cluster) abandon(ctx context.Context) {
	if c.lock == nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel() // nobody is left to give it back to
	_ = c.lock.Release(ctx)
	c.lock = nil
}

// labelHolder says on a container of a bootstrap who made it: a cluster that is
// not there yet cannot keep a lock.
const labelHolder = container.LabelPrefix + "etcd-bootstrap-by"

// bootstrapTime is how long the containers of a bootstrap are left alone that
// another machine made, of whose processes nothing is known.
const bootstrapTime = 2 * time.Minute

// signed is a bootstrap's container with its holder.
func signed(spec container.Spec) container.Spec {
	holder, _ := json.Marshal(self()) // strings and numbers can always be encoded
	spec.Labels = maps.Clone(spec.Labels)
	spec.Labels[labelHolder] = string(holder)
	return spec
}

// unclaimed is an error that names the holder while another apply bootstraps
// the cluster.
func (c *Cluster) unclaimed(s survey.Survey) error {
	for _, m := range c.Desired.Members {
		found, present := c.find(s, m)
		var h etcdclient.Holder
		if !present || json.Unmarshal([]byte(found.Labels[labelHolder]), &h) != nil {
			continue
		}
		if left := claim(h, time.Now()); left > 0 {
			return fmt.Errorf("another apply is creating cluster %s, and this one has changed nothing: %s was made on host %s by %s. "+
				"Wait until that has ended; if it was killed, apply again in %s", c.Desired.Cluster, found.Name, m.Host, h, left.Round(time.Second))
		}
	}
	return nil
}

// claim is for how long after now a holder may still be at work.
func claim(h etcdclient.Holder, now time.Time) time.Duration {
	me := self()
	if h.Host == me.Host && h.PID == me.PID || ended(h) {
		return 0
	}
	return h.Since.Add(bootstrapTime).Sub(now)
}
