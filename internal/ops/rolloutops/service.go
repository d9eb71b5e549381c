// Package rolloutops looks at services that run as one container on each of
// several hosts, controllers and registries, and carries out the steps that
// topology/rollout decides. It belongs to the layer ops and decides nothing.
package rolloutops

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// Service is a desired service on its hosts. It is used for one operation and
// then closed.
type Service struct {
	Desired rollout.Desired
	Fleet   *dockerhost.Fleet
	// Known are the hosts on which the state has replicas.
	Known []string
	// Recorded is [rollout.Observed.Recorded].
	Recorded map[string]string
	// Credentials are for asking older services whether they are ready.
	Credentials ankaapi.Credentials
	// ReadyTimeout is how long a started service may take until it is ready.
	ReadyTimeout time.Duration
	// Settle is how long the successor of a container has to have been ready,
	// whenever it was asked, before the old one is removed and the next host is
	// touched. One that ends after its first answer is taken back by that, and
	// a client that finds one host without the service finds the next one up:
	// it takes Settle longer than its own patience to be too late there again.
	Settle time.Duration
	// Secrets are masked wherever logs of containers are shown.
	Secrets []string
	// Replacing: this is the plan for a new resource, and ports that another
	// deployment of this provider has may be free by the time of the apply,
	// because that one is being replaced.
	Replacing bool
	// Probe, when set, tells whether the service in a container is ready, in
	// the place of a request to it.
	Probe func(ctx context.Context, host *dockerhost.Host, found container.Found) error
	// Log, when set, is told every step before it is carried out.
	Log func(context.Context, topology.Step)

	mu      sync.Mutex
	pulled  map[string][]string         // images by host
	asked   map[string]bool             // "HOST IMAGE" that were looked for
	volumes map[string][]rollout.Volume // by host, where they were asked for
	missing map[string][]string         // host paths by host, where they were looked for
	created map[string]string           // IDs of containers of this run by host
	clients map[string]*ankaapi.Client  // by where and how they connect
	starts  map[string]time.Time        // by host, of containers of this run that are not proven
	// leftover are containers that could not be removed and are not seen any
	// more, with the reason, by ID.
	leftover map[string]string
}

// Close ends the connections to the services.
func (s *Service) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, client := range s.clients {
		client.Close()
	}
	s.clients = nil
}

// View is what the hosts said.
type View struct {
	rollout.Observed
	// Silent tells by host why there was no answer.
	Silent map[string]error
	// NotReady tells by host why a running service is not ready.
	NotReady map[string]error
}

// SilentHosts are the hosts that did not answer, sorted.
func (v View) SilentHosts() []string { return slices.Sorted(maps.Keys(v.Silent)) }

// Gone reports that every host answered and none has a container of ours.
func (v View) Gone(d rollout.Desired) bool {
	for name, host := range v.Hosts {
		if host.Reach != topology.Reachable || len(all(host, d.Identity(name))) > 0 {
			return false
		}
	}
	return true
}

// Ours are the hosts that have a container of ours, sorted.
func (v View) Ours(d rollout.Desired) []string {
	var hosts []string
	for name, host := range v.Hosts {
		if len(all(host, d.Identity(name))) > 0 {
			hosts = append(hosts, name)
		}
	}
	slices.Sort(hosts)
	return hosts
}

// Ready reports that the replicas of all hosts that answered are ready.
func (v View) Ready(d rollout.Desired) bool {
	for _, r := range d.Replicas {
		host := v.Hosts[r.Host]
		if host.Reach == topology.Reachable && !host.Ready {
			return false
		}
	}
	return true
}

// Hashes are the fingerprints of what is known to serve, by host. Of a host
// that did not answer, or whose container is not proven yet, it is what was
// recorded before: as long as that differs from what is desired, a plan
// without this host is refused.
func (v View) Hashes(d rollout.Desired) map[string]string {
	hashes := map[string]string{}
	for name, host := range v.Hosts {
		id := d.Identity(name)
		recorded, known := v.Recorded[name]
		switch {
		case host.Ready && owned(host.Container, id) && !owned(host.Previous, id):
			hashes[name] = host.Container.Hash()
		case known:
			hashes[name] = recorded
		}
	}
	return hashes
}

func owned(found container.Found, id container.Identity) bool {
	got, ok := found.Identity()
	return ok && got == id
}

// all are the containers of id on a host: the replica, its predecessor and its
// unfinished successor.
func all(host rollout.Host, id container.Identity) []container.Found {
	return slices.DeleteFunc([]container.Found{host.Container, host.Previous, host.Incomplete}, func(found container.Found) bool {
		return !owned(found, id)
	})
}

// hosts are all hosts to look at: those of replicas and those of the state.
func (s *Service) hosts() []string {
	hosts := slices.Clone(s.Known)
	for _, r := range s.Desired.Replicas {
		hosts = append(hosts, r.Host)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// replica is the one on host, empty when none is desired there.
func (s *Service) replica(host string) rollout.Replica {
	at := slices.IndexFunc(s.Desired.Replicas, func(r rollout.Replica) bool { return r.Host == host })
	if at < 0 {
		return rollout.Replica{}
	}
	return s.Desired.Replicas[at]
}

// Observe looks at all hosts at the same time: one call to each daemon, and
// one request to each running replica.
func (s *Service) Observe(ctx context.Context) (View, error) {
	view, err := s.look(ctx, s.hosts())
	if err != nil {
		return view, err
	}
	return view, s.probeAll(ctx, &view, s.hosts())
}

// look is [Service.Observe] of some hosts, without a request to the replicas.
func (s *Service) look(ctx context.Context, hosts []string) (View, error) {
	view := View{
		Observed: rollout.Observed{Hosts: map[string]rollout.Host{}, Recorded: s.Recorded},
		Silent:   map[string]error{}, NotReady: map[string]error{},
	}
	var declared []string
	for _, name := range hosts {
		if is, _ := s.Fleet.Declares(name); is {
			declared = append(declared, name)
			continue
		}
		// A host that has left the provider block may still run its replica.
		_, err := s.Fleet.Host(name)
		view.Silent[name] = err
		view.Hosts[name] = rollout.Host{Reach: topology.Unreachable}
	}
	found, err := survey.Take(ctx, s.Fleet, declared)
	if err != nil {
		return view, err
	}
	maps.Copy(view.Silent, found.Silent)
	for _, name := range declared {
		host := s.host(name, found.Containers[name])
		host.Reach = found.Reach[name]
		view.Hosts[name] = host
	}
	return view, nil
}

// host sorts what was found on one host.
func (s *Service) host(name string, found []container.Found) rollout.Host {
	id := s.Desired.Identity(name)
	s.mu.Lock()
	host := rollout.Host{
		Container:  container.Found{Status: container.Absent},
		Previous:   container.Found{Status: container.Absent},
		Incomplete: container.Found{Status: container.Absent},
		Pulled:     slices.Clone(s.pulled[name]),
		Volumes:    s.volumes[name],
		Missing:    s.missing[name],
	}
	leftover := s.leftover
	_, host.Unsettled = s.starts[name]
	s.mu.Unlock()
	for _, c := range found {
		if _, is := leftover[c.ID]; is {
			continue
		}
		switch {
		case c.Name == id.Name():
			host.Container = c
		case c.Name == rollout.PreviousName(id):
			host.Previous = c
		case c.Name == container.IncompleteName(id.Name()):
			host.Incomplete = c
		case s.Replacing && sibling(c, id):
		case c.Status == container.Running:
			for _, port := range c.Ports {
				host.Taken = append(host.Taken, rollout.TakenPort{Port: port, By: c.Name})
			}
		}
	}
	return host
}

// sibling reports whether found is the same service of another deployment.
func sibling(found container.Found, id container.Identity) bool {
	other, ok := found.Identity()
	return ok && other.Role == id.Role && other.Owner != id.Owner
}
