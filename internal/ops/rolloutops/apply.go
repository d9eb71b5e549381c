package rolloutops

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/runner"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// Plan tells the steps that Apply would take now.
func (s *Service) Plan(ctx context.Context) ([]topology.Step, View, error) {
	view, err := s.Observe(ctx)
	if err != nil {
		return nil, view, err
	}
	s.findVolumes(ctx, &view)
	s.findImages(ctx, &view)
	steps, err := rollout.Plan(s.Desired, view.Observed)
	return steps, view, err
}

// Result is where Apply has brought the service.
type Result struct {
	// View is the last look at the hosts.
	View View
	// Waiting is set when everything is done, and some replicas did not get
	// ready in time.
	Waiting *NotReadyError
}

// NotReadyError says which replicas did not get ready in time.
type NotReadyError struct {
	Hosts []string // sorted
	// Why has, by host, the last answer and the last lines of the log.
	Why map[string]string
	// Within is how long was waited.
	Within time.Duration
}

// Error tells hosts, how long was waited, and what was last seen there.
func (e *NotReadyError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "not ready within %s on %s", e.Within.Round(time.Second), rollout.Hosts(e.Hosts))
	for _, host := range e.Hosts {
		fmt.Fprintf(&text, "\n\n%s: %s", host, e.Why[host])
	}
	return text.String()
}

// Apply carries out steps until the planner says that nothing is left. The
// result is meaningful beside an error, too. When a replacement fails, the old
// container of that host is put back and no other host is touched.
func (s *Service) Apply(ctx context.Context) (Result, error) {
	var result Result
	task := runner.Task[rollout.Observed]{
		Observe: func(ctx context.Context) (rollout.Observed, error) {
			view, err := s.Observe(ctx)
			if err == nil {
				s.findVolumes(ctx, &view)
				s.findImages(ctx, &view)
				result.View = view
			}
			return view.Observed, err
		},
		Next: func(o rollout.Observed) (topology.Step, error) { return rollout.Next(s.Desired, o) },
		Do:   s.do,
		Log:  s.Log,
	}
	_, done, err := task.Run(ctx)
	var failed *runner.StepError
	if !errors.As(err, &failed) {
		return result, progress(done, err)
	}
	var waiting *NotReadyError
	if errors.As(err, &waiting) && s.last(failed.Step, result.View.Observed) {
		result.Waiting = waiting
		return result, nil
	}
	return result, s.rollback(ctx, failed)
}

// progress says beside an error between steps what has been done before it.
func progress(done []topology.Step, err error) error {
	if err == nil {
		return nil
	}
	if len(done) == 0 {
		return fmt.Errorf("%w\n\nNothing has been changed on any host", err)
	}
	var text strings.Builder
	for _, step := range done {
		fmt.Fprintf(&text, "\n%s", step)
	}
	return fmt.Errorf("%w\n\nApplying again goes on from here. Done before:%s", err, text.String())
}

// last reports whether nothing is left to do but step, and nothing is kept
// that could be put back.
func (s *Service) last(step topology.Step, o rollout.Observed) bool {
	after, err := rollout.Plan(s.Desired, o)
	if err != nil || len(after) != 1 {
		return false
	}
	_, waits := step.(rollout.Wait)
	return waits
}

// rollbackTimeout bounds putting back one container, beside its stop grace.
const rollbackTimeout = 2 * time.Minute

// rollback puts back what the failed step was about to replace.
func (s *Service) rollback(ctx context.Context, failed *runner.StepError) error {
	acting, ok := failed.Step.(interface{ On() []string })
	if !ok || errors.Is(ctx.Err(), context.Canceled) {
		// Interrupted, not failed: the next apply goes on from here.
		return failed
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	view, err := s.Observe(ctx)
	if err != nil {
		return fmt.Errorf("%w\n\nWhat state that host is in now could not be seen: %w", failed, err)
	}
	for _, host := range acting.On() {
		if silent := view.Silent[host]; silent != nil {
			return fmt.Errorf("%w\n\nHost %s cannot be reached any more, so nothing was put back there, and no other host was touched. "+
				"An old container is kept until its successor is ready: apply again when the host is back: %w", failed, host, silent)
		}
		steps := rollout.Rollback(s.Desired, view.Observed, host)
		if len(steps) == 0 {
			continue
		}
		for _, step := range steps {
			if s.Log != nil {
				s.Log(ctx, step)
			}
			if err := s.do(ctx, step, view.Observed); err != nil {
				return fmt.Errorf("%w\n\nThe old container on %s could not be put back: %w", failed, host, err)
			}
		}
		return fmt.Errorf("%w\n\nThe old container on %s has been put back and started; %s. Hosts that had been updated "+
			"before stay so, no other host was touched. Correct the configuration and apply again", failed, host, s.proof(ctx, host))
	}
	return failed
}

// proof says whether the service that was put back answers again.
func (s *Service) proof(ctx context.Context, host string) string {
	ctx, cancel := context.WithTimeout(ctx, min(s.ReadyTimeout, rollbackTimeout))
	defer cancel()
	if err := s.poll(ctx, []string{host}, nil); err != nil {
		return "it does not answer as ready yet"
	}
	return "it answers as ready"
}

// Undo removes the containers that this run has created, after a creation that
// failed before anything was ready. Data stays.
func (s *Service) Undo(ctx context.Context) error {
	s.mu.Lock()
	hosts := make([]string, 0, len(s.created))
	for host := range s.created {
		hosts = append(hosts, host)
	}
	s.mu.Unlock()
	return survey.Each(ctx, hosts, func(ctx context.Context, name string) error {
		host, err := s.Fleet.Host(name)
		if err != nil {
			return err
		}
		s.mu.Lock()
		id := s.created[name]
		s.mu.Unlock()
		return host.RemoveContainer(ctx, id)
	})
}
