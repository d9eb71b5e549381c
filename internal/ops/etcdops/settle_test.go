package etcdops

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// TestSettle: a change of members comes 5 s after the last one at the earliest,
// and not while one does not work that did. The first of a run waits for nothing.
func TestSettle(t *testing.T) {
	const most = 4 * time.Second
	began := time.Now()
	if err := (&Cluster{}).settle(t.Context(), look{}); err != nil || time.Since(began) > most {
		t.Errorf("without a change it took %s: %v", time.Since(began), err)
	}
	changed := time.Now().Add(300*time.Millisecond - settleTime)
	if err := (&Cluster{changed: changed}).settle(t.Context(), look{}); err != nil || time.Since(changed) < settleTime {
		t.Errorf("it ended %s after the change: %v", time.Since(changed), err)
	}

	m := memberOn("h1", "etcd-1")
	l := look{Observed: etcd.Observed{Membership: etcd.Membership{Healthy: map[string]bool{m.PeerURL(): true}}}}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err := (&Cluster{changed: time.Now().Add(-time.Minute)}).settle(ctx, l)
	if err == nil || !strings.Contains(err.Error(), m.PeerURL()+" does not follow the leader") {
		t.Errorf("while a member that worked is mute: %v", err)
	}
}
