package etcdclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// lockPrefix is where locks are kept.
const lockPrefix = "/io.github.anka-ha/lock/"

// renewals is how often a lock is renewed within its TTL: losing two in a row
// does not lose the lock.
const renewals = 3

// Holder says who holds a lock, for the person who meets it.
type Holder struct {
	// Who is the user, or what else tells two runs apart.
	Who string `json:"who"`
	// Host and PID are the machine and the process that applies.
	Host string `json:"host"`
	PID  int    `json:"pid"`
	// Since is when the lock was taken, by the clock of Host.
	Since time.Time `json:"since"`
}

// String tells the holder in words.
func (h Holder) String() string {
	return fmt.Sprintf("%s on %s (process %d) since %s", h.Who, h.Host, h.PID, h.Since.UTC().Format(time.RFC3339))
}

// LockHeldError is returned for a lock that somebody else holds.
type LockHeldError struct {
	// Name of the lock.
	Name string
	// Holder as it described itself.
	Holder Holder
	// Left is how long the lock lasts at most if its holder is gone.
	Left time.Duration
}

// Error names the holder and says how the lock ends.
func (e *LockHeldError) Error() string {
	return fmt.Sprintf("lock %s is held by %s. Wait until that has ended; if it was killed, the lock ends by itself within %s",
		e.Name, e.Holder, e.Left)
}

// LockRequest asks for a lock.
type LockRequest struct {
	// Name of the lock, which is that of the cluster.
	Name   string
	Holder Holder
	// TTL is how long the lock lasts when it is no longer renewed, in whole
	// seconds. It has to outlast a restart of any member.
	TTL time.Duration
	// Members, when set, gives the members through which to renew and release,
	// because the one that the lock was taken through may leave the cluster.
	Members func() []*Client
}

// Lock keeps two applies on one cluster apart. It does not protect data: a
// holder that stalls for longer than the TTL goes on without the lock, as
// Jepsen found of every lock of etcd (https://jepsen.io/analyses/etcd-3.4.3).
// Every step therefore has to be safe on its own.
type Lock struct {
	request LockRequest
	first   *Client
	lease   clientv3.LeaseID
	stop    context.CancelFunc
	ended   chan struct{}
	lost    chan struct{}
	once    sync.Once
}

// AcquireLock takes a lock through this member, or returns [*LockHeldError] at
// once. The lock is renewed in the background, independent of ctx, until
// [Lock.Release]. While the cluster is over its quota no lock can be taken:
// [ErrNoSpace].
func (c *Client) AcquireLock(ctx context.Context, request LockRequest) (*Lock, error) {
	what := "lock " + request.Name
	value, err := json.Marshal(request.Holder)
	if err != nil {
		return nil, c.failed(what, err)
	}
	lease, err := c.client.Grant(ctx, max(1, int64(request.TTL/time.Second)))
	if err != nil {
		return nil, c.failed(what, err)
	}
	key := lockPrefix + request.Name
	answer, err := c.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
		Then(clientv3.OpPut(key, string(value), clientv3.WithLease(lease.ID))).
		Else(clientv3.OpGet(key)).Commit()
	if err != nil {
		// Whether the lock was taken is not known; without its lease it ends.
		c.forget(ctx, lease.ID)
		return nil, c.failed(what, err)
	}
	if !answer.Succeeded {
		c.forget(ctx, lease.ID)
		return nil, c.held(ctx, request.Name, answer.Responses[0].GetResponseRange().Kvs)
	}
	// The lock outlives the call, and so does what renews it.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	lock := &Lock{
		request: request, first: c, lease: lease.ID, stop: stop,
		ended: make(chan struct{}), lost: make(chan struct{}),
	}
	go lock.renew(background, time.Duration(lease.TTL)*time.Second)
	return lock, nil
}

// LockHolder tells who holds a lock, nil when nobody does.
func (c *Client) LockHolder(ctx context.Context, name string) (*LockHeldError, error) {
	answer, err := c.client.Get(ctx, lockPrefix+name)
	if err != nil {
		return nil, c.failed("look at lock "+name, err)
	}
	if len(answer.Kvs) == 0 {
		return nil, nil
	}
	return c.held(ctx, name, answer.Kvs), nil
}

// held describes who has the lock.
func (c *Client) held(ctx context.Context, name string, kvs []*mvccpb.KeyValue) *LockHeldError {
	held := &LockHeldError{Name: name, Holder: Holder{Who: "an unknown holder", Host: "an unknown machine"}}
	for _, kv := range kvs {
		// Whatever stands there holds the lock, readable or not.
		_ = json.Unmarshal(kv.Value, &held.Holder)
		if left, err := c.client.TimeToLive(ctx, clientv3.LeaseID(kv.Lease)); err == nil {
			held.Left = time.Duration(max(0, left.TTL)) * time.Second
		}
	}
	return held
}

// forget ends a lease that is not needed. When that fails it ends by itself.
func (c *Client) forget(ctx context.Context, lease clientv3.LeaseID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_, _ = c.client.Revoke(ctx, lease)
}

// members are those to renew and release through, the first one first.
func (l *Lock) members() []*Client {
	clients := []*Client{l.first}
	if l.request.Members != nil {
		for _, c := range l.request.Members() {
			if !slices.Contains(clients, c) {
				clients = append(clients, c)
			}
		}
	}
	return clients
}

// renew renews the lease until the lock is released or lost.
func (l *Lock) renew(ctx context.Context, ttl time.Duration) {
	defer close(l.ended)
	tick := time.NewTicker(ttl / renewals)
	defer tick.Stop()
	renewed := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asked := time.Now()
		switch err := l.renewOnce(ctx, ttl/renewals); {
		case ctx.Err() != nil:
			return
		case err == nil:
			renewed = asked
		case errors.Is(err, rpctypes.ErrLeaseNotFound), time.Since(renewed) > ttl:
			close(l.lost)
			return
		}
	}
}

// renewOnce asks members one after the other until one has renewed the lease.
func (l *Lock) renewOnce(ctx context.Context, within time.Duration) error {
	clients := l.members()
	var last error
	for _, c := range clients {
		err := func() error {
			ctx, cancel := context.WithTimeout(ctx, within/time.Duration(len(clients)))
			defer cancel()
			// Asked first, because KeepAliveOnce tries without a pause while the
			// member is down.
			left, err := c.client.TimeToLive(ctx, l.lease)
			if err == nil && left.TTL <= 0 {
				err = rpctypes.ErrLeaseNotFound
			}
			if err == nil {
				_, err = c.client.KeepAliveOnce(ctx, l.lease)
			}
			return err
		}()
		if err == nil || errors.Is(err, rpctypes.ErrLeaseNotFound) || ctx.Err() != nil {
			return err
		}
		last = err
	}
	return last
}

// Lost is closed when the lock ended without being released, because the
// cluster could not be reached for longer than the TTL. Somebody else may hold
// it then.
func (l *Lock) Lost() <-chan struct{} { return l.lost }

// Release gives the lock back, through the first member that answers within
// the deadline of ctx. That it was lost before is no error. After an error the
// lock ends by itself within its TTL. Only the first call does anything.
func (l *Lock) Release(ctx context.Context) error {
	var failure error
	l.once.Do(func() {
		l.stop()
		<-l.ended
		for _, c := range l.members() {
			err := func() error {
				ctx, cancel := context.WithTimeout(ctx, l.request.TTL/renewals)
				defer cancel()
				_, err := c.client.Revoke(ctx, l.lease)
				return err
			}()
			if err == nil || errors.Is(err, rpctypes.ErrLeaseNotFound) {
				failure = nil
				return
			}
			failure = fmt.Errorf("%w; it ends by itself within %s", c.failed("release lock "+l.request.Name, err), l.request.TTL)
		}
	})
	return failure
}
