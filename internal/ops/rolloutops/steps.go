package rolloutops

import (
	"context"
	"fmt"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// HostError is a step that failed on one host.
type HostError struct {
	Host string
	Err  error
	// ports are the attributes that ask for published ports there.
	ports map[int]string
}

// Error tells the original error, which names the host.
func (e *HostError) Error() string { return e.Err.Error() }

// Unwrap gives the original error.
func (e *HostError) Unwrap() error { return e.Err }

// site is one host of a step.
type site struct {
	name    string
	docker  *dockerhost.Host
	now     rollout.Host
	replica rollout.Replica
}

// each does something on all hosts of a step at the same time.
func (s *Service) each(ctx context.Context, hosts []string, o rollout.Observed, do func(context.Context, site) error) error {
	return survey.Each(ctx, hosts, func(ctx context.Context, name string) error {
		docker, err := s.Fleet.Host(name)
		if err != nil {
			return err
		}
		r := s.replica(name)
		if err := do(ctx, site{name, docker, o.Hosts[name], r}); err != nil {
			return &HostError{Host: name, Err: err, ports: r.PortAttributes}
		}
		return nil
	})
}

// do carries out one step against what was observed just before it.
func (s *Service) do(ctx context.Context, step topology.Step, o rollout.Observed) error {
	switch step := step.(type) {
	case rollout.Pull:
		return s.each(ctx, step.Hosts, o, func(ctx context.Context, at site) error { return s.pull(ctx, at, step.Image) })
	case rollout.Discard:
		return s.each(ctx, step.Hosts, o, func(ctx context.Context, at site) error {
			return at.docker.DiscardContainer(ctx, at.now.Container.ID)
		})
	case rollout.Clean:
		return s.each(ctx, step.Hosts, o, func(ctx context.Context, at site) error {
			return s.discarded(ctx, at, at.now.Incomplete, at.docker.DiscardContainer(ctx, at.now.Incomplete.ID))
		})
	case rollout.Create:
		return s.each(ctx, step.Hosts, o, func(ctx context.Context, at site) error {
			id, err := at.docker.CreateContainer(ctx, s.told(at.replica.Spec))
			if err == nil {
				s.remember(at.name, id)
			}
			return err
		})
	case rollout.Start:
		return s.each(ctx, step.Hosts, o, func(ctx context.Context, at site) error {
			return s.launch(ctx, at, at.now.Container.ID)
		})
	case rollout.Wait:
		err := s.wait(ctx, step.Hosts, o)
		if err == nil {
			s.proven(step.Hosts)
		}
		return err
	case rollout.Replace:
		return s.each(ctx, step.Hosts, o, s.replace)
	case rollout.Drop:
		return s.each(ctx, step.Hosts, o, func(ctx context.Context, at site) error {
			return s.discarded(ctx, at, at.now.Previous, at.docker.RemoveContainer(ctx, at.now.Previous.ID))
		})
	case rollout.Restore:
		return s.each(ctx, step.Hosts, o, s.restore)
	case rollout.Purge:
		return s.each(ctx, step.Hosts, o, func(ctx context.Context, at site) error {
			return purge(ctx, at.docker, step.Volumes[at.name])
		})
	case rollout.Remove:
		return s.each(ctx, step.Hosts, o, s.remove)
	default:
		return fmt.Errorf("no way to carry out %T: this is a defect of the provider", step)
	}
}

func (s *Service) pull(ctx context.Context, at site, image string) error {
	if err := at.docker.PullImage(ctx, image); err != nil {
		return err
	}
	s.hasImage(at.name, image)
	return nil
}

// remember keeps what was created where nothing was before, for [Service.Undo].
func (s *Service) remember(host, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.created == nil {
		s.created = map[string]string{}
	}
	s.created[host] = id
}

// proven ends the time in which what was created may be undone: it serves.
func (s *Service) proven(hosts []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.created = nil
	for _, host := range hosts {
		delete(s.starts, host)
	}
}

// replace goes on from wherever an earlier attempt ended. The old container
// serves until its successor exists, so that only a stop and a start are felt.
func (s *Service) replace(ctx context.Context, at site) error {
	id := s.Desired.Identity(at.name)
	old, fresh := at.now.Previous, at.now.Container
	if !owned(old, id) {
		if err := at.docker.RenameContainer(ctx, fresh.ID, rollout.PreviousName(id)); err != nil {
			return err
		}
		old, fresh = fresh, container.Found{}
	}
	if !owned(fresh, id) {
		created, err := at.docker.CreateContainer(ctx, s.told(at.replica.Spec))
		if err != nil {
			return err
		}
		fresh.ID = created
	}
	// What it is busy with may need longer than its successor would.
	if err := at.docker.EndContainer(ctx, old.ID); err != nil {
		return err
	}
	return s.launch(ctx, at, fresh.ID)
}

// launch starts a container that this run has not started before.
func (s *Service) launch(ctx context.Context, at site, id string) error {
	if err := s.ended(ctx, at); err != nil {
		return err
	}
	s.launched(at.name)
	return at.docker.StartContainer(ctx, id)
}

// ended is an error when this run has started the container of a host and it
// has ended since: with a restart policy that leaves it so, starting it again
// and again would have no end.
func (s *Service) ended(ctx context.Context, at site) error {
	started, ok := s.start(at.name)
	if !ok || at.now.Container.Status != container.Exited {
		return nil
	}
	reason := fmt.Errorf("container %s has ended", at.now.Container.Name)
	return &NotReadyError{
		Hosts: []string{at.name}, Within: time.Since(started), Early: true,
		Why: map[string]string{at.name: s.evidence(ctx, at.name, reason)},
	}
}

// launched keeps when a container was started: from then on it has its time to
// get ready.
func (s *Service) launched(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.starts == nil {
		s.starts = map[string]time.Time{}
	}
	s.starts[host] = time.Now()
}

func (s *Service) restore(ctx context.Context, at site) error {
	if err := at.docker.RenameContainer(ctx, at.now.Previous.ID, s.Desired.Identity(at.name).Name()); err != nil {
		return err
	}
	s.launched(at.name)
	return at.docker.StartContainer(ctx, at.now.Previous.ID)
}

// remove removes what is ours of a host, successors and predecessors too.
func (s *Service) remove(ctx context.Context, at site) error {
	for _, found := range all(at.now, s.Desired.Identity(at.name)) {
		if err := at.docker.RemoveContainer(ctx, found.ID); err != nil {
			return err
		}
	}
	return nil
}
