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
	s.findPaths(ctx, &view)
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
	// Left says which containers that serve nobody could not be removed, and
	// why. They are in nobody's way; the next plan removes them.
	Left []string
}

// NotReadyError says which replicas did not get ready in time.
type NotReadyError struct {
	Hosts []string // sorted
	// Why has, by host, the last answer and the last lines of the log.
	Why map[string]string
	// Within is how long was waited.
	Within time.Duration
	// Early: waiting longer was pointless, because a container kept ending.
	Early bool
}

// Error tells hosts, how long was waited, and what was last seen there.
func (e *NotReadyError) Error() string {
	var text strings.Builder
	within, hosts := e.Within.Round(time.Second), topology.Hosts(e.Hosts)
	if e.Early {
		fmt.Fprintf(&text, "given up after %s, because the container on %s keeps ending", within, hosts)
	} else {
		fmt.Fprintf(&text, "not ready within %s on %s", within, hosts)
	}
	for _, host := range e.Hosts {
		fmt.Fprintf(&text, "\n\n%s: %s", host, e.Why[host])
	}
	return text.String()
}

// Apply carries out steps until the planner says that nothing is left. The
// result is meaningful beside an error, too. When a replacement fails or is
// interrupted, the old container of that host is put back and no other host is
// touched.
func (s *Service) Apply(ctx context.Context) (Result, error) {
	var result Result
	task := runner.Task[rollout.Observed]{
		Observe: func(ctx context.Context) (rollout.Observed, error) {
			view, err := s.Observe(ctx)
			if err == nil {
				s.findVolumes(ctx, &view)
				s.findPaths(ctx, &view)
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
	result.Left = s.left()
	var failed *runner.StepError
	if !errors.As(err, &failed) {
		err = progress(done, err)
		if ctx.Err() != nil {
			err = s.interrupted(ctx, err)
		}
		return result, s.masked(err)
	}
	var waiting *NotReadyError
	if errors.As(err, &waiting) && s.last(failed.Step, result.View.Observed) {
		result.Waiting = waiting
		// Those that are ready are proven, whatever the others are.
		if view, err := s.Observe(ctx); err == nil {
			result.View = view
		}
		return result, nil
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return result, s.masked(s.interrupted(ctx, failed))
	}
	return result, s.masked(s.rollback(ctx, failed))
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
