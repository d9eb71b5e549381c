package etcdops

import (
	"context"
	"sync"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// Daemons are the IDs that the members' Docker daemons give themselves, by
// host. Those that do not answer are left out.
func (c *Cluster) Daemons(ctx context.Context) map[string]string {
	ids := map[string]string{}
	var mu sync.Mutex
	// The error is always nil: who does not answer is left out.
	_ = c.each(ctx, c.Desired.Members, func(ctx context.Context, m etcd.Member, host *dockerhost.Host) error {
		if daemon, err := host.Daemon(ctx); err == nil {
			mu.Lock()
			defer mu.Unlock()
			ids[m.Host] = daemon.ID
		}
		return nil
	})
	return ids
}
