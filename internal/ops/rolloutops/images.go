package rolloutops

import (
	"context"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// findImages asks the hosts on which something is going to be created whether
// they have the image already, once each, so that only pulls are shown and
// done that transfer something. Where nothing is created it costs no call. A
// host that gives no answer keeps its pull, which looks again.
func (s *Service) findImages(ctx context.Context, view *View) {
	steps, err := rollout.Plan(s.Desired, view.Observed)
	if err != nil {
		return
	}
	for _, step := range steps {
		pull, is := step.(rollout.Pull)
		if !is {
			continue
		}
		_ = survey.Each(ctx, pull.Hosts, func(ctx context.Context, name string) error {
			return s.findImage(ctx, name, pull.Image)
		})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, host := range view.Hosts {
		host.Pulled = slices.Clone(s.pulled[name])
		view.Hosts[name] = host
	}
}

func (s *Service) findImage(ctx context.Context, name, image string) error {
	key := name + " " + image
	s.mu.Lock()
	again := s.asked[key]
	if s.asked == nil {
		s.asked = map[string]bool{}
	}
	s.asked[key] = true
	s.mu.Unlock()
	if again {
		return nil
	}
	host, err := s.Fleet.Host(name)
	if err != nil {
		return err
	}
	has, err := host.HasImage(ctx, image)
	if err == nil && has {
		s.hasImage(name, image)
	}
	return err
}

// hasImage remembers that an image is on a host.
func (s *Service) hasImage(host, image string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pulled == nil {
		s.pulled = map[string][]string{}
	}
	s.pulled[host] = append(s.pulled[host], image)
}
