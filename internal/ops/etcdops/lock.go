package etcdops

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"syscall"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// lockTTL is how long the lock of an apply that was killed stays.
const lockTTL = 15 * time.Second

// hold keeps a second apply on the same cluster out, from before the first
// step on. A cluster that is being bootstrapped, or has no quorum, cannot keep
// a lock: there the names of containers let only one apply through.
func (c *Cluster) hold(ctx context.Context, o etcd.Observed) error {
	if c.lock != nil || !o.Membership.Known {
		return nil
	}
	client, err := c.leader(look{Observed: o})
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
	if errors.Is(err, etcdclient.ErrNoSpace) {
		return nil // what repairs it can be done all the same, without a lock
	}
	return err
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
	return err == nil && errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone)
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
