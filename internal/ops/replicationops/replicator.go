package replicationops

import (
	"context"
	"errors"
	"sync"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// ReadReplicator reads the files of a replication container, and then the clock
// that the times in them are of.
func ReadReplicator(ctx context.Context, host *dockerhost.Host, found container.Found) registry.Replicator {
	r := registry.Replicator{Container: found.Name, Status: found.Status, Detail: found.Detail}
	for path, into := range map[string]*[]byte{replication.StatusPath: &r.File, registry.SettingsPath: &r.Settings} {
		content, err := host.ReadFile(ctx, found.ID, path, fileLimit)
		if err != nil && !errors.Is(err, dockerhost.ErrNotFound) {
			return registry.Replicator{Failure: err.Error()}
		}
		*into = content
	}
	clock, err := host.Clock(ctx)
	if err != nil {
		return registry.Replicator{Failure: err.Error()}
	}
	r.Clock = clock
	return r
}

// ReadReplicators does so for containers by host.
func ReadReplicators(ctx context.Context, fleet *dockerhost.Fleet, containers map[string]container.Found) map[string]registry.Replicator {
	all := map[string]registry.Replicator{}
	var mu sync.Mutex
	// What cannot be read says so itself.
	_ = survey.Each(ctx, names(containers), func(ctx context.Context, name string) error {
		host, err := fleet.Host(name)
		if err != nil {
			return err
		}
		r := ReadReplicator(ctx, host, containers[name])
		mu.Lock()
		defer mu.Unlock()
		all[name] = r
		return nil
	})
	return all
}
