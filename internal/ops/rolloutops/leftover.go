package rolloutops

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// discarded judges the error of removing a container that serves nobody. It is
// none where the host has what is desired, because nothing depends on the
// removal there: the container is remembered, and not seen any more by this
// run.
func (s *Service) discarded(ctx context.Context, at site, leftover container.Found, err error) error {
	current := at.now.Container
	done := owned(current, s.Desired.Identity(at.name)) && current.Hash() == at.replica.Spec.Labels[container.LabelHash]
	if err == nil || !done || ctx.Err() != nil || dockerhost.IsUnreachable(err) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leftover == nil {
		s.leftover = map[string]string{}
	}
	s.leftover[leftover.ID] = s.mask(fmt.Sprintf("%s on %s: %v", leftover.Name, at.name, err))
	return nil
}

// left tells of the containers that could not be removed, sorted.
func (s *Service) left() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Values(s.leftover))
}
