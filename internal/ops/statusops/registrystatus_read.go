package statusops

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/replicationops"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// reachedAt is the URL of the registry in a container; false when none can be,
// because it does not run.
func reachedAt(host *dockerhost.Host, found container.Found) (string, bool) {
	port, published := registry.Published(found)
	if !published {
		return "", false
	}
	address := host.Address()
	if ip := port.HostIP; ip != "" && ip != "0.0.0.0" && ip != "::" {
		address = ip
	}
	scheme := found.Labels[container.LabelScheme]
	if scheme == "" { // made by a version that did not say
		scheme = "http"
	}
	return service.URL(scheme, address, port.HostPort), true
}

// fill asks for everything. What one answer lacks does not keep the others from
// being asked, as long as there are any.
func (a *ReplicaAnswer) fill(ctx context.Context, client *ankaapi.Client) {
	status, err := client.RegistryStatus(ctx)
	if err != nil {
		a.Reachable, a.Failure = reached(err), err.Error()
		return
	}
	a.Reachable, a.Status, a.Version = true, status.Status, status.Version
	var failures []string
	note := func(err error) bool {
		if err != nil {
			failures = append(failures, err.Error())
		}
		return err == nil
	}
	if disk, err := client.Disk(ctx); note(err) {
		a.Total, a.Free, a.Used = disk.Total, disk.Free, disk.Total-disk.Free
	}
	if templates, err := client.Templates(ctx); note(err) {
		a.Templates = int64(len(templates))
		if tags, err := countTags(ctx, client, templates); note(err) {
			a.Tags = tags
		}
	}
	a.Failure = strings.Join(failures, "; ")
}

const (
	// countTime bounds the count of tags, which takes a request per template.
	countTime = time.Minute
	// countRequests is how many are made of one registry at the same time.
	countRequests = 4
)

func countTags(ctx context.Context, client *ankaapi.Client, templates []ankaapi.Template) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	var (
		mu     sync.Mutex
		wg     sync.WaitGroup
		total  int64
		failed error
	)
	queue := make(chan string)
	for range countRequests {
		wg.Go(func() {
			for id := range queue {
				n, err := client.Tags(ctx, id)
				mu.Lock()
				total += int64(n)
				if err != nil && failed == nil {
					failed = err
					cancel() // one that is not counted makes the number wrong
				}
				mu.Unlock()
			}
		})
	}
	for _, template := range templates {
		if ctx.Err() != nil {
			break
		}
		queue <- template.ID
	}
	close(queue)
	wg.Wait()
	if failed == nil {
		failed = ctx.Err()
	}
	return total, failed
}

// readReplicator looks at the replication container of a sight.
func readReplicator(ctx context.Context, s sight) registry.Replicator {
	switch {
	case s.failure != "":
		return registry.Replicator{Failure: s.failure}
	case !s.hasCopier:
		return registry.Replicator{}
	}
	return replicationops.ReadReplicator(ctx, s.host, s.replicator)
}
