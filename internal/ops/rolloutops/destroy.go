package rolloutops

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// Destroy removes all containers of the service, on all hosts at the same
// time. Nothing is removed when one of the hosts cannot be reached: the error
// is then a [*rollout.UnreachableError]. It tells where data was left, as
// "volume NAME on HOST" or "PATH on HOST", sorted.
func (s *Service) Destroy(ctx context.Context) (left []string, err error) {
	view, err := s.Observe(ctx)
	if err != nil {
		return nil, err
	}
	if silent := view.SilentHosts(); len(silent) > 0 {
		errs := []error{&rollout.UnreachableError{Role: s.Desired.Role, Hosts: silent, Why: "it is to be destroyed"}}
		for _, host := range silent {
			errs = append(errs, view.Silent[host])
		}
		return nil, errors.Join(errs...)
	}
	var mu sync.Mutex
	err = s.each(ctx, s.hosts(), view.Observed, func(ctx context.Context, at site) error {
		if err := s.remove(ctx, at); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		left = append(left, data(at.now, s.Desired.Identity(at.name))...)
		return nil
	})
	slices.Sort(left)
	return left, err
}

// data lists what a container kept outside itself.
func data(host rollout.Host, id container.Identity) []string {
	var places []string
	if !owned(host.Container, id) {
		return nil
	}
	for _, m := range host.Container.Mounts {
		place := m.Source + " on " + id.Instance
		if m.Type == container.Volume {
			place = "volume " + place
		}
		places = append(places, place)
	}
	return places
}

// PurgeVolumes deletes the named volumes of the service and the data in them.
// Only volumes with our labels are touched.
func (s *Service) PurgeVolumes(ctx context.Context) error {
	selector := container.Selector(s.Desired.Owner, s.Desired.Role)
	return survey.Each(ctx, s.hosts(), func(ctx context.Context, name string) error {
		host, err := s.Fleet.Host(name)
		if err != nil {
			return err
		}
		return s.purge(ctx, host, selector)
	})
}

func (s *Service) purge(ctx context.Context, host *dockerhost.Host, selector map[string]string) error {
	volumes, err := host.Volumes(ctx, selector)
	if err != nil {
		return err
	}
	for _, volume := range volumes {
		if err := host.RemoveVolume(ctx, volume.Name); err != nil {
			return err
		}
	}
	return nil
}
