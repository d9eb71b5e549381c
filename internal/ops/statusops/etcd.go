package statusops

import (
	"context"
	"sync"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// EtcdMember is where to ask a member of an etcd cluster.
type EtcdMember struct {
	// Host, when set, is the key of the host to go through.
	Host string
	// URL for clients.
	URL string
}

// EtcdQuestion is which members to ask, and how.
type EtcdQuestion struct {
	// Members by name.
	Members map[string]EtcdMember
	// Fleet has the hosts.
	Fleet *dockerhost.Fleet
	// Timeout for all that one member is asked; 0 means [DefaultTimeout].
	Timeout time.Duration
}

// PendingHost is the answer of a member on a host that the provider block does
// not know yet.
const PendingHost = "the host is not known yet"

// UnaskableError is about a member that cannot be asked the way it is
// configured. It wraps [*dockerhost.NoHostError] or what is wrong with the URL.
type UnaskableError struct {
	Member string
	Err    error
}

// Error names the member.
func (e *UnaskableError) Error() string { return "etcd member " + e.Member + ": " + e.Err.Error() }

// Unwrap gives the original error.
func (e *UnaskableError) Unwrap() error { return e.Err }

// AskEtcd asks all members at the same time, only reading, and judges what
// they say. Members that do not answer are part of the result. Errors are
// [*UnaskableError] and the end of ctx.
func AskEtcd(ctx context.Context, q EtcdQuestion) (etcd.Status, error) {
	if q.Timeout <= 0 {
		q.Timeout = DefaultTimeout
	}
	answers := map[string]etcd.Answer{}
	clients := map[string]*etcdclient.Client{}
	for name, m := range q.Members {
		client, err := q.client(m)
		if err != nil {
			return etcd.Status{}, &UnaskableError{Member: name, Err: err}
		}
		if client == nil {
			answers[name] = etcd.Answer{Err: PendingHost}
			continue
		}
		defer client.Close()
		clients[name] = client
	}
	var (
		mu sync.Mutex
		wg sync.WaitGroup
	)
	for name, client := range clients {
		wg.Go(func() {
			answer := ask(ctx, client, q.Timeout)
			mu.Lock()
			defer mu.Unlock()
			answers[name] = answer
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return etcd.Status{}, err
	}
	return etcd.Assess(answers), nil
}

// client is nil for a member on a host that is not known yet.
func (q EtcdQuestion) client(m EtcdMember) (*etcdclient.Client, error) {
	var dial etcdclient.Dialer
	if m.Host != "" {
		if declared, known := q.Fleet.Declares(m.Host); declared && !known {
			return nil, nil
		}
		host, err := q.Fleet.Host(m.Host)
		if err != nil {
			return nil, err
		}
		dial = host.DialService
	}
	return etcdclient.New(m.URL, dial)
}

// ask asks one member for its status, and whether it serves.
func ask(ctx context.Context, client *etcdclient.Client, timeout time.Duration) etcd.Answer {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	status, err := client.Status(ctx)
	if err != nil {
		return etcd.Answer{Err: err.Error()}
	}
	answer := etcd.Answer{
		ClusterID: status.ClusterID, MemberID: status.MemberID, Leader: status.Leader,
		Version: status.Version, Learner: status.Learner, Index: status.RaftIndex, Applied: status.RaftApplied,
		Size: status.DBSize, InUse: status.DBSizeInUse, Quota: status.DBSizeQuota,
	}
	for _, p := range status.Members {
		answer.Peers = append(answer.Peers, etcd.Peer{ID: p.ID, Name: p.Name, PeerURLs: p.PeerURLs, Learner: p.Learner})
	}
	for _, a := range status.Alarms {
		answer.Alarms = append(answer.Alarms, etcd.Alarm{MemberID: a.MemberID, Kind: a.Kind})
	}
	// Without a leader a read is not answered, and the wait would tell nothing
	// new. Learners have no reads to offer.
	if status.Leader != 0 && !status.Learner {
		if err := client.CheckQuorum(ctx); err != nil {
			answer.Fault = err.Error()
		}
	}
	return answer
}
