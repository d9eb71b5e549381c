package dockerhost

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Volume is a named volume of a host.
type Volume struct {
	Name    string
	Labels  map[string]string
	Options container.VolumeOptions
}

// Volumes lists the volumes that carry all labels of selector, sorted by name.
func (h *Host) Volumes(ctx context.Context, selector map[string]string) ([]Volume, error) {
	args := filters.NewArgs()
	for name, value := range selector {
		args.Add("label", name+"="+value)
	}
	var found []Volume
	err := h.call(ctx, request{"list volumes", h.callTimeout}, func(ctx context.Context, s *session) error {
		list, err := s.api.VolumeList(ctx, volume.ListOptions{Filters: args})
		for _, v := range list.Volumes {
			found = append(found, Volume{Name: v.Name, Labels: v.Labels, Options: container.VolumeOptionsOf(v.Options)})
		}
		return err
	})
	slices.SortFunc(found, func(a, b Volume) int { return strings.Compare(a.Name, b.Name) })
	return found, err
}

// EnsureVolume makes a volume unless it exists. An existing one with other
// owner, role or instance is left as it is, with [*NameTakenError], and so is
// one with other options, with [*VolumeOptionsError]: the daemon would take it
// without a word.
func (h *Host) EnsureVolume(ctx context.Context, want Volume) error {
	name := want.Name
	return h.call(ctx, request{"make sure of volume " + name, h.callTimeout}, func(ctx context.Context, s *session) error {
		// The daemon answers with the existing volume when there is one, so
		// this looks and creates in one step.
		v, err := s.api.VolumeCreate(ctx, volume.CreateOptions{Name: name, Labels: want.Labels, DriverOpts: want.Options.Driver()})
		if errdefs.IsConflict(err) {
			return &NameTakenError{Host: h.cfg.Name, Name: name, Kind: "volume"}
		}
		if err != nil {
			return err
		}
		existing, ours := container.Found{Labels: v.Labels}.Identity()
		wanted, _ := container.Found{Labels: want.Labels}.Identity()
		if !ours || existing != wanted {
			return &NameTakenError{Host: h.cfg.Name, Name: name, Kind: "volume"}
		}
		if has := container.VolumeOptionsOf(v.Options); has != want.Options {
			return &VolumeOptionsError{Host: h.cfg.Name, Name: name, Has: has, Wanted: want.Options}
		}
		return nil
	})
}

// findVolume makes sure that a volume exists. The error wraps [ErrNotFound]
// when it does not.
func (h *Host) findVolume(ctx context.Context, name string) error {
	return h.call(ctx, request{"find volume " + name, h.callTimeout}, func(ctx context.Context, s *session) error {
		_, err := s.api.VolumeInspect(ctx, name)
		return notFound(err)
	})
}

// RemoveVolume deletes one of our volumes and the data in it. One that is not
// there is no error; one without our labels is left alone, with
// [*NotOursError].
func (h *Host) RemoveVolume(ctx context.Context, name string) error {
	err := h.call(ctx, request{"inspect volume " + name, h.callTimeout}, func(ctx context.Context, s *session) error {
		v, err := s.api.VolumeInspect(ctx, name)
		if err != nil {
			return notFound(err)
		}
		if _, ours := (container.Found{Labels: v.Labels}).Identity(); !ours {
			return &NotOursError{Host: h.cfg.Name, Name: name, Kind: "volume"}
		}
		return nil
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return h.call(ctx, request{"remove volume " + name, h.callTimeout}, func(ctx context.Context, s *session) error {
		err := s.api.VolumeRemove(ctx, name, false)
		switch {
		case errdefs.IsNotFound(err):
			return nil
		case errdefs.IsConflict(err):
			return fmt.Errorf("it is in use by a container: %w", err)
		}
		return err
	})
}
