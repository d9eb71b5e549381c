package rolloutops

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/runner"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

const (
	// rollbackTimeout bounds putting back one container, beside its stop grace.
	rollbackTimeout = 2 * time.Minute
	// interruptedTimeout bounds the same after an interruption: terraform waits
	// for it, and whoever interrupted waits for terraform.
	interruptedTimeout = 20 * time.Second
)

// rollback puts back what the failed step was about to replace. Steps that only
// clean up take nothing away that serves, so nothing is put back after them.
func (s *Service) rollback(ctx context.Context, failed *runner.StepError) error {
	var hosts []string
	waited := false
	switch step := failed.Step.(type) {
	case rollout.Replace:
		hosts = step.Hosts
	case rollout.Start:
		hosts = step.Hosts
	case rollout.Wait:
		hosts, waited = step.Hosts, true
	default:
		return failed
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	view, err := s.lookBack(ctx, hosts, !waited)
	if err != nil {
		return fmt.Errorf("%w\n\nWhat state that host is in now could not be seen: %w", failed, err)
	}
	for _, host := range hosts {
		if silent := view.Silent[host]; silent != nil {
			return fmt.Errorf("%w\n\nHost %s cannot be reached any more, so nothing was put back there, and no other host was touched. "+
				"An old container is kept until its successor is ready: apply again when the host is back: %w", failed, host, silent)
		}
		back, err := s.putBack(ctx, view, host)
		if err != nil {
			return fmt.Errorf("%w\n\nThe old container on %s could not be put back: %w", failed, host, err)
		}
		if back {
			return fmt.Errorf("%w\n\nThe old container on %s has been put back and started; %s. Hosts that had been updated "+
				"before stay so, no other host was touched. Correct the configuration and apply again", failed, host, s.proof(ctx, host))
		}
	}
	if waited {
		return fmt.Errorf("%w\n\nNothing is kept there that could be put back. No further host is changed: as long as one does not serve, "+
			"none that serves is taken down. Repair it and apply again; if that has to wait, take the host out of replicas until then", failed)
	}
	return failed
}

// interrupted puts back what an apply that is told to end, or whose time is
// over, has set aside: a host is not left without the service until somebody
// applies again.
func (s *Service) interrupted(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), interruptedTimeout)
	defer cancel()
	var mu sync.Mutex
	var back []string
	// Each host by itself, because another one may hang.
	err := survey.Each(ctx, s.hosts(), func(ctx context.Context, host string) error {
		view, err := s.lookBack(ctx, []string{host}, true)
		if err != nil {
			return nil // as much as a process that was killed could do
		}
		done, err := s.putBack(ctx, view, host)
		if err != nil {
			return fmt.Errorf("the old container on %s could not be put back: %w", host, err)
		}
		if done {
			mu.Lock()
			defer mu.Unlock()
			back = append(back, host)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w\n\nApplying again goes on from here: %w", cause, err)
	}
	if len(back) == 0 {
		return cause
	}
	slices.Sort(back)
	return fmt.Errorf("%w\n\nIt was interrupted before the successor was ready: the old container on %s has been put back and started. "+
		"Apply again to go on", cause, strings.Join(back, ", "))
}

// lookBack looks at hosts and, when asked, at whether successors there are ready
// by now, which are not to be taken back. It looks at no other host: one that
// hangs would cost the time in which the old container has to be back.
func (s *Service) lookBack(ctx context.Context, hosts []string, ask bool) (View, error) {
	view, err := s.look(ctx, hosts)
	if err != nil || !ask {
		return view, err
	}
	var doubtful []string
	for _, host := range hosts {
		if owned(view.Hosts[host].Previous, s.Desired.Identity(host)) {
			doubtful = append(doubtful, host)
		}
	}
	return view, s.probeAll(ctx, &view, doubtful)
}

// putBack puts the old container of a host in the place of a successor that is
// not ready. It reports whether there was one.
func (s *Service) putBack(ctx context.Context, view View, host string) (bool, error) {
	steps := rollout.Rollback(s.Desired, view.Observed, host)
	if len(steps) == 0 || view.Hosts[host].Ready {
		return false, nil
	}
	for _, step := range steps {
		if s.Log != nil {
			s.Log(ctx, step)
		}
		if err := s.do(ctx, step, view.Observed); err != nil {
			return false, err
		}
	}
	return true, nil
}

// proof says whether the service that was put back answers again.
func (s *Service) proof(ctx context.Context, host string) string {
	ctx, cancel := context.WithTimeout(ctx, min(s.ReadyTimeout, rollbackTimeout))
	defer cancel()
	// What it was made of, and so how it is reached, may not be what is desired.
	view, err := s.look(ctx, []string{host})
	if err == nil {
		_, err = s.poll(ctx, map[string]container.Found{host: view.Hosts[host].Container}, nil)
	}
	if err != nil {
		return "it does not answer as ready yet"
	}
	return "it answers as ready"
}
