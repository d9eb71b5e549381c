package dockerhost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	dockercontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Details is all that is known of one container.
type Details struct {
	container.Found
	// ExitCode of its last run; 0 while it has not ended.
	ExitCode int
	// OOMKilled says that the kernel ended it for lack of memory.
	OOMKilled bool
	// Error is the daemon's, when it could not start it.
	Error string
	// StartedAt and FinishedAt are zero when it never did.
	StartedAt, FinishedAt time.Time
	// RestartCount counts restarts by its restart policy.
	RestartCount int
}

// Containers lists all containers of the host, ours and others, running or
// not, sorted by name. It is one API call.
func (h *Host) Containers(ctx context.Context) ([]container.Found, error) {
	var found []container.Found
	err := h.call(ctx, request{"list containers", h.callTimeout}, func(ctx context.Context, s *session) error {
		list, err := s.api.ContainerList(ctx, dockercontainer.ListOptions{All: true})
		for _, c := range list {
			found = append(found, foundInList(c))
		}
		return err
	})
	slices.SortFunc(found, func(a, b container.Found) int { return strings.Compare(a.Name, b.Name) })
	return found, err
}

func foundInList(c dockercontainer.Summary) container.Found {
	f := container.Found{ID: c.ID, Image: c.Image, Status: status(c.State), Detail: c.Status, Labels: c.Labels, Mounts: mounts(c.Mounts)}
	for _, name := range c.Names {
		// Legacy links appear as further names with a slash in the middle.
		if name = strings.TrimPrefix(name, "/"); !strings.Contains(name, "/") {
			f.Name = name
			break
		}
	}
	for _, p := range c.Ports {
		if p.Type == "tcp" && p.PublicPort != 0 {
			f.Ports = append(f.Ports, container.Port{HostIP: p.IP, HostPort: int(p.PublicPort), ContainerPort: int(p.PrivatePort)})
		}
	}
	f.Ports = sortPorts(f.Ports)
	return f
}

// status takes over Docker's words; a container that is being removed is as
// good as dead.
func status(s dockercontainer.ContainerState) container.Status {
	if s == "removing" {
		return container.Dead
	}
	return container.Status(s)
}

func mounts(points []dockercontainer.MountPoint) []container.Mount {
	var all []container.Mount
	for _, p := range points {
		m := container.Mount{Type: container.MountType(p.Type), Source: p.Source, Target: p.Destination, ReadOnly: !p.RW}
		if p.Type == mount.TypeVolume {
			m.Source = p.Name
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b container.Mount) int { return strings.Compare(a.Target, b.Target) })
	return all
}

func sortPorts(ports []container.Port) []container.Port {
	slices.SortFunc(ports, func(a, b container.Port) int {
		if a.HostPort != b.HostPort {
			return a.HostPort - b.HostPort
		}
		return strings.Compare(a.HostIP, b.HostIP)
	})
	return ports
}

// Inspect looks at one container, by ID or name. The error wraps [ErrNotFound]
// when it is not there.
func (h *Host) Inspect(ctx context.Context, id string) (Details, error) {
	var d Details
	err := h.call(ctx, request{"inspect container " + id, h.callTimeout}, func(ctx context.Context, s *session) error {
		c, err := s.api.ContainerInspect(ctx, id)
		if err == nil {
			d = details(c)
		}
		return notFound(err)
	})
	return d, err
}

// notFound makes the daemon's "no such container" recognizable.
func notFound(err error) error {
	if err != nil && errdefs.IsNotFound(err) {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return err
}

func details(c dockercontainer.InspectResponse) Details {
	d := Details{Found: container.Found{Mounts: mounts(c.Mounts)}}
	if c.Config != nil {
		d.Image, d.Labels = c.Config.Image, c.Config.Labels
	}
	if c.ContainerJSONBase == nil {
		return d
	}
	d.ID, d.Name, d.RestartCount = c.ID, strings.TrimPrefix(c.Name, "/"), c.RestartCount
	if c.HostConfig != nil {
		for port, bindings := range c.HostConfig.PortBindings {
			for _, b := range bindings {
				if n, err := strconv.Atoi(b.HostPort); err == nil && port.Proto() == "tcp" {
					d.Ports = append(d.Ports, container.Port{HostIP: b.HostIP, HostPort: n, ContainerPort: port.Int()})
				}
			}
		}
		d.Ports = sortPorts(d.Ports)
	}
	if c.State != nil {
		d.Status, d.ExitCode = status(c.State.Status), c.State.ExitCode
		d.OOMKilled, d.Error = c.State.OOMKilled, c.State.Error
		d.StartedAt, d.FinishedAt = timestamp(c.State.StartedAt), timestamp(c.State.FinishedAt)
		d.Detail = fmt.Sprintf("%s (exit code %d)", c.State.Status, c.State.ExitCode)
	}
	return d
}

// timestamp is zero for Docker's year 1 and for what it does not understand.
func timestamp(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t
}

// StartContainer starts a container; one that runs already is no error.
// Errors are [*PortTakenError] among others.
func (h *Host) StartContainer(ctx context.Context, id string) error {
	return h.call(ctx, request{"start container " + id, h.callTimeout}, func(ctx context.Context, s *session) error {
		err := s.api.ContainerStart(ctx, id, dockercontainer.StartOptions{})
		if port, taken := takenPort(err); taken {
			return &PortTakenError{Host: h.cfg.Name, Port: port, Err: err}
		}
		if isMissingPath(err) {
			return &MissingPathError{Host: h.cfg.Name, Err: err}
		}
		if isUnmountable(err) {
			return &MountError{Host: h.cfg.Name, Err: err}
		}
		return notFound(err)
	})
}

// StopContainer asks a container to end and kills it when it has not after
// grace. One that does not run or is not there is no error.
func (h *Host) StopContainer(ctx context.Context, id string, grace time.Duration) error {
	seconds := int(grace.Round(time.Second) / time.Second)
	limit := grace + h.callTimeout
	return h.call(ctx, request{"stop container " + id, limit}, func(ctx context.Context, s *session) error {
		err := s.api.ContainerStop(ctx, id, dockercontainer.StopOptions{Timeout: &seconds})
		if errdefs.IsNotFound(err) {
			return nil
		}
		return err
	})
}

// EndContainer is [Host.StopContainer] for one of our containers, with the grace
// period that it was made with, 10 s when none was. One without our labels is
// left alone, with [*NotOursError].
func (h *Host) EndContainer(ctx context.Context, id string) error {
	found, grace, err := h.ours(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return h.StopContainer(ctx, found.ID, grace)
}

// RemoveContainer removes one of our containers, stopping it with its own
// grace period when it runs. Its volumes stay. One that is not there is no
// error; one without our labels is left alone, with [*NotOursError].
func (h *Host) RemoveContainer(ctx context.Context, id string) error {
	return h.removeWithin(ctx, id, math.MaxInt64)
}

// discardGrace is how long a container that serves nobody has for ending by
// itself.
const discardGrace = 2 * time.Second

// DiscardContainer is [Host.RemoveContainer] for one that serves nobody, whose
// place is needed: it gets 2 s for ending, whatever its own grace period.
func (h *Host) DiscardContainer(ctx context.Context, id string) error {
	return h.removeWithin(ctx, id, discardGrace)
}

func (h *Host) removeWithin(ctx context.Context, id string, limit time.Duration) error {
	found, grace, err := h.ours(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if found.Status == container.Running || found.Status == container.Restarting || found.Status == container.Paused {
		if err := h.StopContainer(ctx, found.ID, min(grace, limit)); err != nil {
			return err
		}
	}
	return h.call(ctx, request{"remove container " + found.Name, h.callTimeout}, func(ctx context.Context, s *session) error {
		// Force, because a restart policy may have started it again.
		err := s.api.ContainerRemove(ctx, found.ID, dockercontainer.RemoveOptions{Force: true})
		if errdefs.IsNotFound(err) {
			return nil
		}
		if errdefs.IsConflict(err) {
			return awaitRemoval(ctx, s, found.ID, err)
		}
		return err
	})
}

// awaitRemoval waits until a removal that was already under way is over, so
// that the name is free afterwards.
func awaitRemoval(ctx context.Context, s *session, id string, conflict error) error {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		switch _, err := s.api.ContainerInspect(ctx, id); {
		case errdefs.IsNotFound(err):
			return nil
		case err != nil:
			return errors.Join(conflict, err)
		}
		select {
		case <-ctx.Done():
			return errors.Join(conflict, ctx.Err())
		case <-ticker.C:
		}
	}
}

// defaultGrace is Docker's own stop grace period.
const defaultGrace = 10 * time.Second

// ours looks at a container and refuses one without our labels.
func (h *Host) ours(ctx context.Context, id string) (container.Found, time.Duration, error) {
	var found container.Found
	grace := defaultGrace
	err := h.call(ctx, request{"inspect container " + id, h.callTimeout}, func(ctx context.Context, s *session) error {
		c, err := s.api.ContainerInspect(ctx, id)
		if err != nil {
			return notFound(err)
		}
		found = details(c).Found
		if _, ok := found.Identity(); !ok {
			return &NotOursError{Host: h.cfg.Name, Name: found.Name, Kind: "container"}
		}
		if c.Config.StopTimeout != nil {
			grace = time.Duration(*c.Config.StopTimeout) * time.Second
		}
		return nil
	})
	return found, grace, err
}

// RenameContainer gives a container another name. Errors are
// [*NameTakenError] and [ErrNotFound] among others.
func (h *Host) RenameContainer(ctx context.Context, id, name string) error {
	return h.call(ctx, request{"rename container " + id + " to " + name, h.callTimeout}, func(ctx context.Context, s *session) error {
		err := s.api.ContainerRename(ctx, id, name)
		if errdefs.IsConflict(err) {
			return &NameTakenError{Host: h.cfg.Name, Name: name, Kind: "container"}
		}
		return notFound(err)
	})
}

// maxLogBytes bounds what Logs reads, whatever the length of the lines.
const maxLogBytes = 1 << 20

// Logs gives the last lines a container wrote, both streams in order.
func (h *Host) Logs(ctx context.Context, id string, lines int) (string, error) {
	return h.LogsSince(ctx, id, time.Time{}, lines)
}

// LogsSince is Logs of what was written since a time of the host's clock, such as
// Details.StartedAt.
func (h *Host) LogsSince(ctx context.Context, id string, since time.Time, lines int) (string, error) {
	options := dockercontainer.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(lines)}
	if !since.IsZero() {
		options.Since = since.Format(time.RFC3339Nano)
	}
	var out bytes.Buffer
	err := h.call(ctx, request{"read the log of container " + id, h.callTimeout}, func(ctx context.Context, s *session) error {
		stream, err := s.api.ContainerLogs(ctx, id, options)
		if err != nil {
			return notFound(err)
		}
		defer func() { _ = stream.Close() }()
		_, err = stdcopy.StdCopy(&out, &out, io.LimitReader(stream, maxLogBytes))
		if errors.Is(err, io.ErrUnexpectedEOF) && out.Len() > 0 {
			// Cut off by the limit in mid-frame; what came is still a log.
			return nil
		}
		return err
	})
	return out.String(), err
}
