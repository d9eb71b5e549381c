// Package etcdclient talks to single members of an etcd cluster. It belongs to
// the layer of I/O, is the only package that imports etcd's client, and never
// balances between members: every question is one to a certain member, because
// the health of an endpoint is not the health of the cluster.
package etcdclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// Dialer opens a connection to a member, directly or through a tunnel.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// reconnect bounds how fast a member that is starting is tried again. etcd's
// own default backs off to minutes, which would make a bootstrap wait for
// nothing.
var reconnect = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.3, Jitter: 0.1, MaxDelay: 300 * time.Millisecond},
	MinConnectTimeout: 5 * time.Second,
}

// Client is a connection to one member. It is safe for concurrent use.
type Client struct {
	url    string
	client *clientv3.Client
	// dialled is why the last connection could not be opened, nil when it
	// could: gRPC tries again until the deadline, and then forgets why.
	dialled atomic.Pointer[error]
}

// New prepares a client of the member at the client URL; nothing is dialled
// before the first call. Without a dialer it connects directly. The error is
// about the URL.
func New(url string, dial Dialer) (*Client, error) {
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	c := &Client{url: url}
	client, err := clientv3.New(clientv3.Config{
		Endpoints:            []string{url},
		DialKeepAliveTime:    10 * time.Second,
		DialKeepAliveTimeout: 10 * time.Second,
		Logger:               zap.NewNop(),
		DialOptions: []grpc.DialOption{
			grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
				conn, err := dial(ctx, "tcp", address)
				if err != nil {
					c.dialled.Store(&err)
					return nil, err
				}
				c.dialled.Store(nil)
				return conn, nil
			}),
			grpc.WithConnectParams(reconnect),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("etcd client for %s: %w", url, err)
	}
	c.client = client
	return c, nil
}

// URL is the client URL the client was made for.
func (c *Client) URL() string { return c.url }

// Close ends the connection.
func (c *Client) Close() error { return c.client.Close() }

// Member is one entry of a member list.
type Member struct {
	ID         uint64
	Name       string
	PeerURLs   []string
	ClientURLs []string
	Learner    bool
}

// Started reports whether the member has ever joined: etcd knows its name only
// from then on.
func (m Member) Started() bool { return m.Name != "" }

// Status is what one member says of itself and of its cluster.
type Status struct {
	ClusterID uint64
	MemberID  uint64
	// Leader is the member ID of the leader, 0 when there is none.
	Leader  uint64
	Version string
	Learner bool
	// RaftIndex and RaftApplied are log positions; applied lags behind.
	RaftIndex   uint64
	RaftApplied uint64
	// RaftTerm grows with every election.
	RaftTerm uint64
	// DBSize and DBSizeInUse are in bytes.
	DBSize      int64
	DBSizeInUse int64
	// DBSizeQuota is the limit of DBSize in bytes, 0 when the member does not
	// tell, as before 3.6.
	DBSizeQuota int64
	// DowngradeTarget is the version to which a downgrade is in progress, such
	// as 3.6.0, "" when none is or the member does not tell, as before 3.6.
	DowngradeTarget string
	// StorageVersion is the version that the member's data is written for, such
	// as 3.6.0. A binary of an older minor does not start on it. "" before 3.6.
	StorageVersion string
	// Members is the member list, sorted by ID. A learner gives none: etcd does
	// not let learners answer that.
	Members []Member
	// Alarms are those of the whole cluster, as this member knows them. Other
	// than [Client.Alarms] this needs no quorum.
	Alarms []Alarm
	// Errors are alarms and faults that the member reports, in its own words.
	Errors []string
}

// Status asks the member for its status and its member list. The list is the
// member's own view (not linearizable), because the views are to be compared.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var list *clientv3.MemberListResponse
	var listErr error
	var asked sync.WaitGroup
	// Both at once: through a tunnel each costs a round trip.
	asked.Go(func() { list, listErr = c.client.MemberList(ctx, clientv3.WithSerializable()) })
	status, err := c.client.Status(ctx, c.url)
	asked.Wait()
	if err != nil {
		return Status{}, c.failed("status", err)
	}
	answer := Status{
		ClusterID: status.Header.ClusterId, MemberID: status.Header.MemberId, Leader: status.Leader,
		Version: status.Version, Learner: status.IsLearner,
		RaftIndex: status.RaftIndex, RaftApplied: status.RaftAppliedIndex, RaftTerm: status.RaftTerm,
		DBSize: status.DbSize, DBSizeInUse: status.DbSizeInUse, DBSizeQuota: status.DbSizeQuota, Alarms: parseAlarms(status.Errors), Errors: status.Errors,
		StorageVersion: status.StorageVersion,
	}
	if info := status.DowngradeInfo; info.GetEnabled() {
		answer.DowngradeTarget = info.GetTargetVersion()
	}
	switch {
	case listErr == nil:
		answer.Members = members(list.Members)
	case answer.Learner && errors.Is(clarify(listErr), ErrUnsupportedByLearner):
	default:
		return Status{}, c.failed("member list", listErr)
	}
	return answer, nil
}

// keyOfNothing is read to see whether reads work. It need not exist.
const keyOfNothing = "/io.github.anka-ha/health"

// CheckQuorum reads through the member what only a quorum can answer, and
// changes nothing. Learners return [ErrUnsupportedByLearner].
func (c *Client) CheckQuorum(ctx context.Context) error {
	_, err := c.client.Get(ctx, keyOfNothing)
	// Somebody who is told that he may not read was told so by a quorum.
	if err == nil || errors.Is(rpctypes.Error(err), rpctypes.ErrPermissionDenied) || errors.Is(rpctypes.Error(err), rpctypes.ErrUserEmpty) {
		return nil
	}
	return c.failed("read", err)
}

// Prove writes value under key through this member, and reads it back and
// deletes it through it in one transaction. It succeeds only while the member
// is part of a quorum.
func (c *Client) Prove(ctx context.Context, key, value string) error {
	if _, err := c.client.Put(ctx, key, value); err != nil {
		return c.failed("write", err)
	}
	// One transaction, which is agreed upon like a write: it reads what every
	// member has to agree is there, and spares a round trip.
	got, err := c.client.Txn(ctx).Then(clientv3.OpGet(key), clientv3.OpDelete(key)).Commit()
	if err != nil {
		return c.failed("read", err)
	}
	if kvs := got.Responses[0].GetResponseRange().Kvs; len(kvs) != 1 || string(kvs[0].Value) != value {
		return fmt.Errorf("read through etcd at %s did not return what was written through it", c.url)
	}
	return nil
}
