// Package survey looks at all hosts of a resource at once. It belongs to the
// layer ops and keeps apart what planners must never confuse: a host that
// answered, one that did not, and one that is not known yet.
package survey

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Survey is what the hosts said.
type Survey struct {
	// Reach of every host that was asked.
	Reach map[string]topology.Reach
	// Containers by host, of the hosts that answered.
	Containers map[string][]container.Found
	// Silent tells by host why there was no answer.
	Silent map[string]error
}

// Take asks every host for its containers, all at the same time, with one call
// each. A host that does not answer is part of the result; the error is for a
// cancelled context and for answers that make no sense.
func Take(ctx context.Context, fleet *dockerhost.Fleet, hosts []string) (Survey, error) {
	s := Survey{Reach: map[string]topology.Reach{}, Containers: map[string][]container.Found{}, Silent: map[string]error{}}
	var mu sync.Mutex
	err := Each(ctx, hosts, func(ctx context.Context, name string) error {
		found, err := containers(ctx, fleet, name)
		mu.Lock()
		defer mu.Unlock()
		var undeclared *dockerhost.NoHostError
		switch {
		case errors.Is(err, errUnknown):
			s.Reach[name] = topology.Unknown
		case dockerhost.IsUnreachable(err) || errors.As(err, &undeclared):
			// A host that was taken out of the provider block is as silent as
			// one that is down: what runs there is not known.
			s.Reach[name], s.Silent[name] = topology.Unreachable, err
		case err != nil:
			return err
		default:
			s.Reach[name], s.Containers[name] = topology.Reachable, found
		}
		return nil
	})
	return s, err
}

var errUnknown = errors.New("host is not known yet")

func containers(ctx context.Context, fleet *dockerhost.Fleet, name string) ([]container.Found, error) {
	if declared, known := fleet.Declares(name); declared && !known {
		return nil, errUnknown
	}
	host, err := fleet.Host(name)
	if err != nil {
		return nil, err
	}
	return host.Containers(ctx)
}

// SilentHosts are the hosts that did not answer, sorted.
func (s Survey) SilentHosts() []string {
	hosts := make([]string, 0, len(s.Silent))
	for name := range s.Silent {
		hosts = append(hosts, name)
	}
	slices.Sort(hosts)
	return hosts
}

// Complete reports whether every host that was asked has answered.
func (s Survey) Complete() bool { return len(s.Reach) == len(s.Containers) }

// Each does something on several hosts, or for several instances, at the same
// time. Names may repeat but are done once. It waits for all of them, and its
// error joins theirs in the order of the names; one that fails does not stop
// the others, because what they do is not undone by stopping half-way.
func Each(ctx context.Context, names []string, do func(ctx context.Context, name string) error) error {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { errs[i] = do(ctx, name) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
