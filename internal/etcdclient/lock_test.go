package etcdclient_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

func request(cluster []*server, ttl time.Duration) etcdclient.LockRequest {
	return etcdclient.LockRequest{
		Name: "anka", TTL: ttl,
		Holder: etcdclient.Holder{Who: "ops", Host: "runner-1", PID: 4711, Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		Members: func() []*etcdclient.Client {
			var clients []*etcdclient.Client
			for _, s := range cluster {
				clients = append(clients, s.api)
			}
			return clients
		},
	}
}

func TestLock_isHeldByOneAtATime(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t, images.Etcd35, 1)
	api := cluster[0].api
	first, err := api.AcquireLock(within(t, 5*time.Second), request(cluster, 30*time.Second))
	must(t, err)

	started := time.Now()
	_, err = api.AcquireLock(within(t, 5*time.Second), request(cluster, 30*time.Second))
	var held *etcdclient.LockHeldError
	if !errors.As(err, &held) {
		t.Fatalf("got %v", err)
	}
	if held.Holder != request(nil, 0).Holder || held.Left < 20*time.Second || time.Since(started) > 2*time.Second {
		t.Errorf("after %s: %+v", time.Since(started), held)
	}
	for _, text := range []string{"ops", "runner-1", "4711", "2026-01-02T03:04:05Z"} {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error does not say %q: %v", text, err)
		}
	}
	seen, err := api.LockHolder(within(t, 5*time.Second), "anka")
	if err != nil || seen == nil || seen.Holder != held.Holder {
		t.Errorf("the holder that is looked up: %+v, %v", seen, err)
	}
	if nobody, err := api.LockHolder(within(t, 5*time.Second), "free"); err != nil || nobody != nil {
		t.Errorf("a free lock is held by %+v, %v", nobody, err)
	}
	other := request(cluster, 30*time.Second)
	other.Name = "other"
	beside, err := api.AcquireLock(within(t, 5*time.Second), other)
	must(t, err)
	must(t, beside.Release(within(t, 5*time.Second)))

	must(t, first.Release(within(t, 5*time.Second)))
	must(t, first.Release(within(t, 5*time.Second)))
	second, err := api.AcquireLock(within(t, 5*time.Second), request(cluster, 30*time.Second))
	must(t, err)
	must(t, second.Release(within(t, 5*time.Second)))
}

func TestLock_outlivesTheMemberItWasTakenThrough(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t, images.Etcd35, 3)
	_, follows := leader(t, cluster)
	ctx, cancel := context.WithCancel(t.Context())
	lock, err := follows.api.AcquireLock(ctx, request(cluster, 2*time.Second))
	must(t, err)
	cancel() // the call's context is not the lock's
	follows.kill()
	_ = follows.api.Close()
	var through *server
	for _, s := range cluster {
		if s != follows {
			through = s
		}
	}
	stillHeld(t, lock, through, 4*time.Second)
	must(t, lock.Release(within(t, 10*time.Second)))
	again, err := through.api.AcquireLock(within(t, 5*time.Second), request(cluster, 30*time.Second))
	must(t, err)
	must(t, again.Release(within(t, 10*time.Second)))
}

// stillHeld watches for so long that nobody gets the lock.
func stillHeld(t *testing.T, lock *etcdclient.Lock, through *server, during time.Duration) {
	t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(during); ; {
		select {
		case <-end:
			return
		case <-lock.Lost():
			t.Fatal("the lock was lost")
		case <-tick.C:
		}
		_, err := through.api.AcquireLock(within(t, 5*time.Second), request(nil, time.Second))
		var held *etcdclient.LockHeldError
		if !errors.As(err, &held) {
			t.Fatalf("the lock is not held any more: %v", err)
		}
	}
}

func TestLock_endsWithItsHolder(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t, images.Etcd35, 1)
	lock, err := cluster[0].api.AcquireLock(within(t, 5*time.Second), request(cluster, 2*time.Second))
	must(t, err)
	cluster[0].kill()
	select {
	case <-lock.Lost():
	case <-time.After(15 * time.Second):
		t.Fatal("a lock that cannot be renewed is not lost")
	}
	if err := lock.Release(within(t, time.Second)); err == nil || !strings.Contains(err.Error(), "ends by itself") {
		t.Errorf("release without a cluster: %v", err)
	}
}
