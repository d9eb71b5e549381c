package rolloutops

import (
	"context"
	"maps"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// findPaths asks the hosts on which a container is going to be created for the
// host paths that it needs, once each, so that one that is missing is found
// before anything is touched. Where a host gives no answer the daemon says so
// when it makes the container.
func (s *Service) findPaths(ctx context.Context, view *View) {
	steps, err := rollout.Plan(s.Desired, view.Observed)
	if err != nil {
		return // the planner says so again
	}
	needed := rollout.NeedPaths(s.Desired, steps)
	maps.DeleteFunc(needed, func(name string, _ []string) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		_, again := s.missing[name]
		return again
	})
	_ = survey.Each(ctx, slices.Collect(maps.Keys(needed)), func(ctx context.Context, name string) error {
		host, err := s.Fleet.Host(name)
		if err != nil {
			return err
		}
		missing := []string{}
		for _, path := range needed[name] {
			exists, err := host.HasPath(ctx, path)
			if err != nil {
				return err
			}
			if !exists {
				missing = append(missing, path)
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.missing == nil {
			s.missing = map[string][]string{}
		}
		s.missing[name] = missing
		return nil
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, host := range view.Hosts {
		host.Missing = s.missing[name]
		view.Hosts[name] = host
	}
}
