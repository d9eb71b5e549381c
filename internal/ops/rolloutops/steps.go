package rolloutops

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
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
		r, _ := s.replica(name)
		if err := do(ctx, site{name, docker, o.Hosts[name], r}); err != nil {
			return &HostError{Host: name, Err: err}
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
			return at.docker.RemoveContainer(ctx, at.now.Container.ID)
		})
	case rollout.Create:
		return s.each(ctx, step.Hosts, o, func(ctx context.Context, at site) error {
			id, err := at.docker.CreateContainer(ctx, at.replica.Spec)
			if err == nil {
				s.remember(at.name, id)
			}
			return err
		})
	case rollout.Start:
		return s.each(ctx, step.Hosts, o, func(ctx context.Context, at site) error {
			return at.docker.StartContainer(ctx, at.now.Container.ID)
		})
	case rollout.Wait:
		err := s.wait(ctx, step.Hosts, o)
		if err == nil {
			s.proven()
		}
		return err
	case rollout.Replace:
		return s.each(ctx, step.Hosts, o, s.replace)
	case rollout.Drop:
		return s.each(ctx, step.Hosts, o, func(ctx context.Context, at site) error {
			return at.docker.RemoveContainer(ctx, at.now.Previous.ID)
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
func (s *Service) proven() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.created = nil
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
		created, err := at.docker.CreateContainer(ctx, at.replica.Spec)
		if err != nil {
			return err
		}
		fresh.ID = created
	}
	if err := at.docker.StopContainer(ctx, old.ID, at.replica.Spec.StopGrace); err != nil {
		return err
	}
	return at.docker.StartContainer(ctx, fresh.ID)
}

func (s *Service) restore(ctx context.Context, at site) error {
	if err := at.docker.RenameContainer(ctx, at.now.Previous.ID, s.Desired.Identity(at.name).Name()); err != nil {
		return err
	}
	return at.docker.StartContainer(ctx, at.now.Previous.ID)
}

// remove removes what is ours of a host, its successor or predecessor too.
func (s *Service) remove(ctx context.Context, at site) error {
	id := s.Desired.Identity(at.name)
	for _, found := range []container.Found{at.now.Container, at.now.Previous} {
		if !owned(found, id) {
			continue
		}
		if err := at.docker.RemoveContainer(ctx, found.ID); err != nil {
			return err
		}
	}
	return nil
}

// pollInterval is how often a started service is asked whether it is ready.
const pollInterval = 250 * time.Millisecond

// wait waits until the services on all hosts are ready. The error is a
// [*NotReadyError].
func (s *Service) wait(ctx context.Context, hosts []string, o rollout.Observed) error {
	began := time.Now()
	waitCtx, cancel := context.WithTimeout(ctx, s.ReadyTimeout)
	defer cancel()
	// Where an old container is kept, a successor that keeps ending is given
	// up at once: the sooner the old one serves again.
	var replacing []string
	for _, host := range hosts {
		if owned(o.Hosts[host].Previous, s.Desired.Identity(host)) {
			replacing = append(replacing, host)
		}
	}
	err := s.poll(waitCtx, hosts, replacing)
	if err == nil || errors.Is(ctx.Err(), context.Canceled) {
		return errors.Join(ctx.Err(), err)
	}
	failed := &NotReadyError{Why: map[string]string{}, Within: time.Since(began)}
	logCtx, cancelLog := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancelLog()
	for _, host := range hosts {
		if reason := s.probe(logCtx, host); reason != nil {
			failed.Hosts = append(failed.Hosts, host)
			failed.Why[host] = s.evidence(logCtx, host, reason)
		}
	}
	if len(failed.Hosts) == 0 {
		return nil // at the last moment
	}
	return failed
}

// poll asks until all hosts are ready. It ends early when a container of
// fragile hosts keeps ending.
func (s *Service) poll(ctx context.Context, hosts, fragile []string) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for round := 1; ; round++ {
		var mu sync.Mutex
		var pending []string
		err := survey.Each(ctx, hosts, func(ctx context.Context, name string) error {
			err := s.probe(ctx, name)
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				pending = append(pending, name)
			}
			return err
		})
		if err == nil {
			return nil
		}
		hosts = pending
		if round%8 == 0 {
			if err := s.ending(ctx, fragile); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return err
		case <-ticker.C:
		}
	}
}

// maxRestarts is the number of restarts after which a container is considered
// broken.
const maxRestarts = 3

// ending is an error when a container of one of the hosts has ended, or is
// restarted again and again.
func (s *Service) ending(ctx context.Context, hosts []string) error {
	return s.each(ctx, hosts, rollout.Observed{}, func(ctx context.Context, at site) error {
		d, err := at.docker.Inspect(ctx, at.replica.Spec.Name)
		if err == nil && (d.Status == container.Exited || d.RestartCount >= maxRestarts) {
			return fmt.Errorf("container %s ended with exit code %d, restarted %d times", d.Name, d.ExitCode, d.RestartCount)
		}
		return nil
	})
}

// logLines is how much of a log is shown beside an error.
const logLines = 15

// evidence tells why the service on a host is not ready: its answer, the state
// of its container and the end of its log, without secrets.
func (s *Service) evidence(ctx context.Context, name string, reason error) string {
	text := reason.Error()
	r, _ := s.replica(name)
	host, err := s.Fleet.Host(name)
	if err != nil {
		return text
	}
	if d, err := host.Inspect(ctx, r.Spec.Name); err == nil {
		text += fmt.Sprintf("\ncontainer %s is %s, exit code %d, restarted %d times", d.Name, d.Status, d.ExitCode, d.RestartCount)
	}
	if log, err := host.Logs(ctx, r.Spec.Name, logLines); err == nil && strings.TrimSpace(log) != "" {
		text += "\nlast lines of its log:\n" + strings.TrimSpace(log)
	}
	return s.mask(text)
}
