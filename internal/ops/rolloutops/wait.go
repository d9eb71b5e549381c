package rolloutops

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// pollInterval is how often a started service is asked whether it is ready.
const pollInterval = 250 * time.Millisecond

// leastWait is how long is waited at least, however long it took to look at the
// hosts since the start.
const leastWait = 2 * pollInterval

// deadline is when a service that was started then has to be ready.
func (s *Service) deadline(started time.Time) time.Time {
	until, least := started.Add(s.ReadyTimeout), time.Now().Add(leastWait)
	if until.Before(least) {
		return least
	}
	return until
}

// wait waits until the services on all hosts are ready. The error is a
// [*NotReadyError].
func (s *Service) wait(ctx context.Context, hosts []string, o rollout.Observed) error {
	// The time counts from the start, because that is when the host was left
	// without the service.
	var began time.Time
	// Where an old container is kept, a successor that keeps ending is given
	// up at once: the sooner the old one serves again.
	containers := map[string]container.Found{}
	var replacing []string
	for _, host := range hosts {
		containers[host] = o.Hosts[host].Container
		if owned(o.Hosts[host].Previous, s.Desired.Identity(host)) {
			replacing = append(replacing, host)
		}
		started, ok := s.start(host)
		if !ok {
			started = time.Now()
		}
		if started.After(began) {
			began = started
		}
	}
	waitCtx, cancel := context.WithDeadline(ctx, s.deadline(began))
	defer cancel()
	reasons, err := s.poll(waitCtx, containers, replacing)
	if err == nil || errors.Is(ctx.Err(), context.Canceled) {
		return errors.Join(ctx.Err(), err)
	}
	failed := &NotReadyError{
		Hosts: slices.Sorted(maps.Keys(reasons)), Why: map[string]string{}, Within: time.Since(began), Early: waitCtx.Err() == nil,
	}
	logCtx, cancelLog := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancelLog()
	for _, host := range failed.Hosts {
		failed.Why[host] = s.evidence(logCtx, host, reasons[host])
	}
	return failed
}

// start is when this run has started the container of a host, ok when it has and
// it is not proven yet.
func (s *Service) start(host string) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	started, ok := s.starts[host]
	return started, ok
}

// endingRounds is after how many questions it is looked whether a container
// has ended, which costs a call to its daemon.
const endingRounds = 4

// poll asks the containers on hosts until all are ready, those on fragile hosts
// for as long as they have to settle. It ends early when one on a fragile host
// keeps ending. Beside an error it tells by host why those that are not ready
// are not.
func (s *Service) poll(ctx context.Context, containers map[string]container.Found, fragile []string) (map[string]error, error) {
	hosts := slices.Sorted(maps.Keys(containers))
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	reasons, since := map[string]error{}, map[string]time.Time{}
	var mu sync.Mutex
	for round := 1; ; round++ {
		err := survey.Each(ctx, hosts, func(ctx context.Context, name string) error {
			err := s.probe(ctx, name, containers[name])
			mu.Lock()
			defer mu.Unlock()
			switch _, was := since[name]; {
			case err == nil && was:
			case err == nil:
				delete(reasons, name)
				since[name] = time.Now()
			case ctx.Err() != nil && was:
				return nil // it was in time, and has not failed since
			case ctx.Err() == nil || reasons[name] == nil:
				delete(since, name)
				reasons[name] = err // that the time is over says less than the last answer
			}
			return err
		})
		hosts = slices.DeleteFunc(hosts, func(name string) bool {
			began, is := since[name]
			return is && (!slices.Contains(fragile, name) || time.Since(began) >= s.Settle)
		})
		if len(hosts) == 0 {
			return nil, nil
		}
		if round%endingRounds == 0 && len(reasons) > 0 {
			if err := s.ending(ctx, fragile); err != nil {
				return reasons, err
			}
		}
		select {
		case <-ctx.Done():
			return reasons, err // none where all that is left has still to settle
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

// restPatience is how long a container that keeps ending is waited for to end.
const restPatience = 3 * time.Second

// atRest looks at a container. One that is restarted again and again is looked
// at between two restarts, for while it runs Docker does not tell how it ended.
func atRest(ctx context.Context, host *dockerhost.Host, name string) (dockerhost.Details, error) {
	ctx, cancel := context.WithTimeout(ctx, restPatience)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	d, err := host.Inspect(ctx, name)
	for err == nil && d.Status == container.Running && d.RestartCount >= maxRestarts {
		select {
		case <-ctx.Done():
			return d, nil
		case <-ticker.C:
		}
		if again, err := host.Inspect(ctx, name); err == nil {
			d = again
		}
	}
	return d, err
}

// evidence tells why the service on a host is not ready: its answer, the state
// of its container and the end of its log, without secrets.
func (s *Service) evidence(ctx context.Context, name string, reason error) string {
	text := reason.Error()
	r := s.replica(name)
	host, err := s.Fleet.Host(name)
	if err != nil {
		return text
	}
	if d, err := atRest(ctx, host, r.Spec.Name); err == nil {
		text += fmt.Sprintf("\ncontainer %s is %s", d.Name, d.Status)
		if d.Status != container.Running { // between two restarts it tells
			text += fmt.Sprintf(", exit code %d", d.ExitCode)
		}
		text += fmt.Sprintf(", restarted %d times", d.RestartCount)
	}
	if log, err := host.Logs(ctx, r.Spec.Name, logLines); err == nil && strings.TrimSpace(log) != "" {
		text += "\nlast lines of its log:\n" + strings.TrimSpace(log)
	}
	return s.mask(text)
}
