package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

const (
	// proofInterval is how often a member is asked while it starts.
	proofInterval = 10 * time.Millisecond
	// questionTimeout bounds one question.
	questionTimeout = 2 * time.Second
	// proofTimeout bounds the wait for a cluster.
	proofTimeout = 2 * time.Minute
)

// endpoint is one etcd member as clients reach it.
type endpoint struct {
	address string
	dial    func(ctx context.Context, address string) (net.Conn, error)
}

func dialDirectly(ctx context.Context, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}

// view is what one member says of its cluster.
type view struct {
	cluster, leader uint64
	// started are the members of its list that have a name.
	started, listed int
}

// prove waits until all endpoints are one cluster of that many started members
// with one leader, and a write and a linearizable read through each succeed.
func prove(ctx context.Context, endpoints []endpoint) error {
	ctx, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	clients := make([]*clientv3.Client, len(endpoints))
	for i, e := range endpoints {
		client, err := newClient(e)
		if err != nil {
			return err
		}
		defer func() { _ = client.Close() }()
		clients[i] = client
	}
	views := make([]view, len(endpoints))
	asking, askCtx := errgroup.WithContext(ctx)
	for i, client := range clients {
		asking.Go(func() error {
			var err error
			views[i], err = await(askCtx, client, len(endpoints))
			return err
		})
	}
	if err := asking.Wait(); err != nil {
		return err
	}
	if err := agree(views); err != nil {
		return err
	}
	writing, writeCtx := errgroup.WithContext(ctx)
	for i, client := range clients {
		writing.Go(func() error {
			key := fmt.Sprintf("/bench/%d", i)
			if _, err := client.Put(writeCtx, key, endpoints[i].address); err != nil {
				return fmt.Errorf("write through %s: %w", endpoints[i].address, err)
			}
			got, err := client.Get(writeCtx, key)
			if err != nil || len(got.Kvs) != 1 {
				return fmt.Errorf("read through %s: %w", endpoints[i].address, errors.Join(err, errors.New("not what was written")))
			}
			return nil
		})
	}
	return writing.Wait()
}

func newClient(e endpoint) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints: []string{"http://" + e.address}, Logger: zap.NewNop(),
		DialOptions: []grpc.DialOption{
			grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) { return e.dial(ctx, address) }),
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff: backoff.Config{BaseDelay: proofInterval, Multiplier: 1, MaxDelay: proofInterval}, MinConnectTimeout: questionTimeout,
			}),
		},
	})
}

// await asks one member until it knows a leader and all members have started.
func await(ctx context.Context, client *clientv3.Client, members int) (view, error) {
	ticker := time.NewTicker(proofInterval)
	defer ticker.Stop()
	for {
		v, err := ask(ctx, client)
		if err == nil && v.leader != 0 && v.started == members && v.listed == members {
			return v, nil
		}
		select {
		case <-ctx.Done():
			return v, fmt.Errorf("etcd at %v: %d of %d members started, leader %x: %w",
				client.Endpoints(), v.started, members, v.leader, errors.Join(ctx.Err(), err))
		case <-ticker.C:
		}
	}
}

func ask(ctx context.Context, client *clientv3.Client) (view, error) {
	ctx, cancel := context.WithTimeout(ctx, questionTimeout)
	defer cancel()
	var status *clientv3.StatusResponse
	var list *clientv3.MemberListResponse
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		status, err = client.Status(ctx, client.Endpoints()[0])
		return err
	})
	group.Go(func() (err error) {
		list, err = client.MemberList(ctx, clientv3.WithSerializable())
		return err
	})
	if err := group.Wait(); err != nil {
		return view{}, err
	}
	v := view{cluster: status.Header.ClusterId, leader: status.Leader, listed: len(list.Members)}
	for _, member := range list.Members {
		if member.Name != "" {
			v.started++
		}
	}
	return v, nil
}

// agree is an error unless all members are in one cluster. Leaders are not
// compared: the views were not taken at one moment, and a write through every
// member follows.
func agree(views []view) error {
	for _, v := range views {
		if v.cluster != views[0].cluster {
			return fmt.Errorf("two clusters: %x and %x", views[0].cluster, v.cluster)
		}
	}
	return nil
}
