package rolloutops

import (
	"context"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// findVolumes asks the hosts on which a container with a named volume is going
// to be created for their volumes, once each, so that one of somebody else is
// found before anything is touched. Where nothing is created it costs no call.
// What a host that gives no answer has is found when the volume is needed.
func (s *Service) findVolumes(ctx context.Context, view *View) {
	steps, err := rollout.Plan(s.Desired, view.Observed)
	if err != nil {
		return // the planner says so again
	}
	hosts := slices.DeleteFunc(rollout.NeedVolumes(s.Desired, steps), func(name string) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		_, again := s.volumes[name]
		return again
	})
	_ = s.listVolumes(ctx, hosts)
	s.addVolumes(view)
}

// listVolumes remembers what volumes hosts have.
func (s *Service) listVolumes(ctx context.Context, hosts []string) error {
	return survey.Each(ctx, hosts, func(ctx context.Context, name string) error {
		host, err := s.Fleet.Host(name)
		if err != nil {
			return err
		}
		found, err := host.Volumes(ctx, nil)
		if err != nil {
			return err
		}
		volumes := make([]rollout.Volume, 0, len(found))
		for _, v := range found {
			volumes = append(volumes, rollout.Volume{Name: v.Name, Labels: v.Labels, Options: v.Options})
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.volumes == nil {
			s.volumes = map[string][]rollout.Volume{}
		}
		s.volumes[name] = volumes
		return nil
	})
}

// addVolumes puts into the view what is known of volumes.
func (s *Service) addVolumes(view *View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, host := range view.Hosts {
		host.Volumes = s.volumes[name]
		view.Hosts[name] = host
	}
}

// keepsData reports whether replicas have data outside their containers.
func (s *Service) keepsData() bool {
	return slices.ContainsFunc(s.Desired.Replicas, func(r rollout.Replica) bool { return len(r.Spec.Mounts) > 0 })
}

// Kept tells where data stays on the hosts of the desired replicas when their
// containers are gone, see [rollout.Kept]. Beside an error it is what is known
// without the volumes that could not be listed.
func (s *Service) Kept(ctx context.Context) ([]string, error) {
	if !s.keepsData() {
		return nil, nil
	}
	err := s.listVolumes(ctx, s.hosts())
	view := View{Observed: rollout.Observed{Hosts: map[string]rollout.Host{}}}
	for _, name := range s.hosts() {
		view.Hosts[name] = rollout.Host{}
	}
	s.addVolumes(&view)
	return rollout.Kept(s.Desired, view.Observed), err
}

// purge deletes volumes of one host and the data in them. One that is not ours
// is left alone, with [*dockerhost.NotOursError].
func purge(ctx context.Context, host *dockerhost.Host, names []string) error {
	for _, name := range names {
		if err := host.RemoveVolume(ctx, name); err != nil {
			return err
		}
	}
	return nil
}
