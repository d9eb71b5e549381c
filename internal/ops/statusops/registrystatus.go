package statusops

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
)

// RegistriesQuestion is whose replicas to ask for what they hold.
type RegistriesQuestion struct {
	// Name of the anka_registry.
	Name string
	// Hosts are the replicas; none means all hosts with one of this name.
	Hosts []string
	// URLs by host, in place of Hosts, say where registries are reached; else
	// that follows from their containers.
	URLs map[string]string
	// Fleet has the hosts.
	Fleet *dockerhost.Fleet
	// Credentials for the registries.
	Credentials ankaapi.Credentials
	// Timeout of each request to a registry; 0 means [DefaultTimeout].
	Timeout time.Duration
}

// ReplicaAnswer is what one registry says of itself. Numbers that it did not
// tell are -1.
type ReplicaAnswer struct {
	// URL that was asked, "" when it is not known.
	URL string
	// Reachable: it answered at all.
	Reachable bool
	// Failure tells what of the below is missing and why, "" when all is there.
	Failure string
	// Status and Version as it tells them.
	Status, Version string
	// Templates and Tags are how many it lists.
	Templates, Tags int64
	// Total, Free and Used are bytes of the file system of its layers.
	Total, Free, Used int64
}

// RegistriesAnswer is what was found out of all replicas.
type RegistriesAnswer struct {
	// Replicas by host.
	Replicas map[string]ReplicaAnswer
	// Replication by the same hosts.
	Replication registry.ReplicationState
}

// AskReplicas asks all replicas at the same time. What does not answer is part
// of the result: errors are [*dockerhost.NoHostError] for a host that is not in
// the provider block, those of [ankaapi.New], and the end of ctx.
func AskReplicas(ctx context.Context, q RegistriesQuestion) (RegistriesAnswer, error) {
	if q.Timeout <= 0 {
		q.Timeout = DefaultTimeout
	}
	named := q.Hosts
	if len(q.URLs) > 0 {
		named = slices.Collect(maps.Keys(q.URLs))
	}
	hosts := named
	if len(named) == 0 {
		hosts = q.Fleet.Names()
	}
	for _, name := range slices.Sorted(slices.Values(hosts)) {
		var missing *dockerhost.NoHostError
		if _, err := q.Fleet.Host(name); errors.As(err, &missing) {
			return RegistriesAnswer{}, err
		}
	}
	// What is wrong with credentials is so for every replica and for none.
	client, err := ankaapi.New(ankaapi.Config{URL: "http://127.0.0.1", Credentials: q.Credentials})
	if err != nil {
		return RegistriesAnswer{}, err
	}
	client.Close()
	sights := q.look(ctx, hosts)
	if len(named) == 0 {
		hosts = replicaHosts(sights)
	}
	answer := RegistriesAnswer{Replicas: map[string]ReplicaAnswer{}}
	question := registry.ReplicationQuestion{Replicators: map[string]registry.Replicator{}, Primary: primaryHost(sights), Common: records(sights).Common}
	var mu sync.Mutex
	_ = survey.Each(ctx, hosts, func(ctx context.Context, name string) error { // what goes wrong is in the answers
		var (
			replica    ReplicaAnswer
			replicator registry.Replicator
			both       sync.WaitGroup
		)
		both.Go(func() { replica = q.ask(ctx, name, sights[name]) })
		both.Go(func() { replicator = readReplicator(ctx, sights[name]) })
		both.Wait()
		mu.Lock()
		defer mu.Unlock()
		answer.Replicas[name], question.Replicators[name] = replica, replicator
		return nil
	})
	answer.Replication = registry.AssessReplication(question)
	return answer, ctx.Err()
}

// sight is what a host has of one registry.
type sight struct {
	host *dockerhost.Host
	// failure is why nothing is known of it, "" when the host answered.
	failure                string
	registry, replicator   container.Found
	hasRegistry, hasCopier bool
}

// look asks every host for its containers.
func (q RegistriesQuestion) look(ctx context.Context, hosts []string) map[string]sight {
	sights := map[string]sight{}
	var mu sync.Mutex
	_ = survey.Each(ctx, hosts, func(ctx context.Context, name string) error { // a failure is part of the sight
		s := q.lookAt(ctx, name)
		mu.Lock()
		defer mu.Unlock()
		sights[name] = s
		return nil
	})
	return sights
}

func (q RegistriesQuestion) lookAt(ctx context.Context, name string) sight {
	host, err := q.Fleet.Host(name)
	if err != nil {
		return sight{failure: PendingHost}
	}
	found, err := host.Containers(ctx)
	if err != nil {
		return sight{host: host, failure: err.Error()}
	}
	s := sight{host: host}
	for _, each := range found {
		switch each.Name {
		case container.Identity{Owner: q.Name, Role: container.Registry, Instance: name}.Name():
			if id, _ := each.Identity(); id.Role == container.Registry {
				s.registry, s.hasRegistry = each, true
			}
		case container.Identity{Owner: q.Name, Role: container.Replication, Instance: name}.Name():
			if id, _ := each.Identity(); id.Role == container.Replication {
				s.replicator, s.hasCopier = each, true
			}
		}
	}
	return s
}

// records is what the labels of all registries tell.
func records(sights map[string]sight) registry.Recorded {
	var found []container.Found
	for _, s := range sights {
		if s.hasRegistry {
			found = append(found, s.registry)
		}
	}
	return registry.ReadRecords(found)
}

// replicaHosts are the hosts with a replica, and those that do not answer and
// may have one: where labels tell which do, only these.
func replicaHosts(sights map[string]sight) []string {
	recorded := records(sights).Hosts
	var hosts []string
	for name, s := range sights {
		silent := s.failure != "" && (len(recorded) == 0 || slices.Contains(recorded, name))
		if s.hasRegistry || s.hasCopier || silent {
			hosts = append(hosts, name)
		}
	}
	return hosts
}

// primaryHost is what labels tell. Those of replication know every change of
// the primary, those of registries only what was so when they were made.
func primaryHost(sights map[string]sight) string {
	var tenures []registry.Tenure
	for _, s := range sights {
		if t, told := registry.ParseTenure(s.replicator.Labels[container.LabelTenure]); told {
			tenures = append(tenures, t)
		}
	}
	if latest := registry.Latest(tenures...); latest.Primary != "" {
		return latest.Primary
	}
	return records(sights).Primary
}

// unasked is a registry of which nothing is known.
func unasked(format string, args ...any) ReplicaAnswer {
	return ReplicaAnswer{Failure: fmt.Sprintf(format, args...), Templates: -1, Tags: -1, Total: -1, Free: -1, Used: -1}
}

// ask asks the registry on a host.
func (q RegistriesQuestion) ask(ctx context.Context, name string, s sight) ReplicaAnswer {
	cfg := ankaapi.Config{Credentials: q.Credentials, Timeout: q.Timeout}
	given := q.URLs[name]
	switch {
	case s.host == nil || (given == "" && s.failure != ""):
		return unasked("%s", s.failure)
	case given != "":
		cfg.URL = given
	case !s.hasRegistry:
		return unasked("host %q has no container of the registry %s; apply makes it", name, q.Name)
	default:
		at, running := reachedAt(s.host, s.registry)
		if !running {
			return unasked("the container %s on host %q does not run: it is %s (%s); look at its log", s.registry.Name, name, s.registry.Status, s.registry.Detail)
		}
		cfg.URL = at
	}
	if s.hasRegistry && strings.HasPrefix(cfg.URL, "https:") {
		cfg.Pin = s.registry.Pin()
	}
	cfg.Dial = s.host.DialService
	client, err := ankaapi.New(cfg)
	if err != nil {
		return unasked("%v", err)
	}
	defer client.Close()
	answer := unasked("")
	answer.URL = cfg.URL
	answer.fill(ctx, client)
	return answer
}
