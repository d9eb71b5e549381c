package dockerhost

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	dockercontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/go-connections/nat"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// cleanupTimeout bounds taking back a container whose files could not be
// written.
const cleanupTimeout = 10 * time.Second

// CreateContainer makes a container and its volumes and writes its files, and
// never starts it. Missing directories of host paths are made by the daemon,
// or, where they have to exist, are a [*MissingPathError].
// Until the files are written it is called [container.IncompleteName]; what an
// earlier call has left under that name is made anew.
// When the name is taken by what this very call has made before, as after a
// connection that dropped in mid-create, its ID is returned; by anything else,
// the error is [*NameTakenError].
func (h *Host) CreateContainer(ctx context.Context, spec container.Spec) (string, error) {
	config, hostConfig, err := render(spec)
	if err != nil {
		return "", fmt.Errorf("host %q: unable to create container %q: %w", h.cfg.Name, spec.Name, err)
	}
	for _, m := range spec.Mounts {
		if m.Type == container.Volume && m.Borrowed {
			// The daemon would make it, and without the labels of its owner.
			if err := h.findVolume(ctx, m.Source); err != nil {
				return "", err
			}
		} else if m.Type == container.Volume {
			if err := h.EnsureVolume(ctx, Volume{Name: m.Source, Labels: volumeLabels(spec), Options: m.Options}); err != nil {
				return "", err
			}
		}
	}
	if len(spec.Files) == 0 {
		return h.createNamed(ctx, creation{spec.Name, spec, config, hostConfig})
	}
	if id, err := h.lookAgain(ctx, spec.Name, spec); !errors.Is(err, ErrNotFound) {
		return id, err
	}
	incomplete := creation{container.IncompleteName(spec.Name), spec, config, hostConfig}
	// Not taken over: its secrets may be older than those of spec, which no
	// fingerprint tells.
	if err := h.discardIncomplete(ctx, incomplete); err != nil {
		return "", err
	}
	id, err := h.createNamed(ctx, incomplete)
	if err != nil {
		return "", err
	}
	err = h.CopyTo(ctx, id, spec.Files)
	if err == nil {
		err = h.RenameContainer(ctx, id, spec.Name)
	}
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		// Where this fails too, the next call does it.
		_ = h.discardIncomplete(ctx, incomplete)
		return "", err
	}
	return id, nil
}

// discardIncomplete removes what a call for the same instance has left
// unfinished. It was never started and holds nothing. The error is
// [*NameTakenError] when it is something else.
func (h *Host) discardIncomplete(ctx context.Context, c creation) error {
	d, err := h.Inspect(ctx, c.name)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	id, ours := d.Identity()
	wanted, _ := container.Found{Labels: c.spec.Labels}.Identity()
	if !ours || id != wanted || d.Status != container.Created {
		return &NameTakenError{Host: h.cfg.Name, Name: c.name, Kind: "container"}
	}
	return h.RemoveContainer(ctx, d.ID)
}

type creation struct {
	name       string
	spec       container.Spec
	config     *dockercontainer.Config
	hostConfig *dockercontainer.HostConfig
}

// createNamed makes the container. A connection that breaks leaves open
// whether it was made, so it looks, and only then tries a second time.
func (h *Host) createNamed(ctx context.Context, c creation) (string, error) {
	id, err := h.createOnce(ctx, c)
	if err == nil || !IsUnreachable(err) || ctx.Err() != nil {
		return id, err
	}
	found, lookErr := h.lookAgain(ctx, c.name, c.spec)
	switch {
	case errors.Is(lookErr, ErrNotFound):
		return h.createOnce(ctx, c)
	case IsUnreachable(lookErr):
		return "", err
	default:
		return found, lookErr
	}
}

func (h *Host) createOnce(ctx context.Context, c creation) (string, error) {
	var id string
	taken := false
	err := h.call(ctx, request{"create container " + c.name, h.callTimeout}, func(ctx context.Context, s *session) error {
		created, err := s.api.ContainerCreate(ctx, c.config, c.hostConfig, nil, nil, c.name)
		id = created.ID
		switch {
		case errdefs.IsConflict(err):
			taken = true
			return nil
		case isMissingPath(err):
			return &MissingPathError{Host: h.cfg.Name, Err: err}
		case errdefs.IsNotFound(err):
			return &ImageError{Host: h.cfg.Name, Image: c.spec.Image, Err: err}
		}
		return err
	})
	if err != nil || !taken {
		return id, err
	}
	return h.lookAgain(ctx, c.name, c.spec)
}

// lookAgain gives the ID of the container of that name when it is what spec
// asks for. The error is [*NameTakenError] when it is another one, and wraps
// [ErrNotFound] when there is none.
func (h *Host) lookAgain(ctx context.Context, name string, spec container.Spec) (string, error) {
	d, err := h.Inspect(ctx, name)
	if err != nil {
		return "", err
	}
	id, ours := d.Identity()
	wanted, _ := container.Found{Labels: spec.Labels}.Identity()
	if d.Name != name || !ours || id != wanted || d.Hash() != spec.Labels[container.LabelHash] ||
		d.Labels[container.LabelIncarnation] != spec.Labels[container.LabelIncarnation] {
		return "", &NameTakenError{Host: h.cfg.Name, Name: name, Kind: "container"}
	}
	return d.ID, nil
}

// volumeLabels are those that make a volume ours: whose it is, and not how the
// container that uses it is set.
func volumeLabels(spec container.Spec) map[string]string {
	labels := map[string]string{}
	for _, name := range []string{container.LabelOwner, container.LabelRole, container.LabelInstance, container.LabelIncarnation} {
		if value, set := spec.Labels[name]; set {
			labels[name] = value
		}
	}
	return labels
}

// render translates a Spec into what API 1.41 understands.
func render(spec container.Spec) (*dockercontainer.Config, *dockercontainer.HostConfig, error) {
	config := &dockercontainer.Config{
		Image: spec.Image, Labels: spec.Labels, Env: environment(spec), ExposedPorts: nat.PortSet{},
	}
	if len(spec.Entrypoint) > 0 {
		config.Entrypoint = spec.Entrypoint
	}
	if args := slices.Concat(spec.Command, spec.BirthArgs); len(args) > 0 {
		config.Cmd = args
	}
	if spec.StopGrace > 0 {
		seconds := int(spec.StopGrace.Round(time.Second) / time.Second)
		config.StopTimeout = &seconds
	}
	hostConfig := &dockercontainer.HostConfig{
		PortBindings:  nat.PortMap{},
		RestartPolicy: dockercontainer.RestartPolicy{Name: dockercontainer.RestartPolicyMode(spec.Restart)},
		LogConfig:     logConfig(spec.Log),
		Resources:     dockercontainer.Resources{Memory: spec.Memory, NanoCPUs: spec.CPUs},
		DNS:           spec.DNS,
	}
	config.Healthcheck = healthcheck(spec.Healthcheck)
	for _, name := range slices.Sorted(maps.Keys(spec.ExtraHosts)) {
		hostConfig.ExtraHosts = append(hostConfig.ExtraHosts, name+":"+spec.ExtraHosts[name])
	}
	for _, p := range spec.Ports {
		port := nat.Port(strconv.Itoa(p.ContainerPort) + "/tcp")
		config.ExposedPorts[port] = struct{}{}
		hostConfig.PortBindings[port] = append(hostConfig.PortBindings[port],
			nat.PortBinding{HostIP: p.HostIP, HostPort: strconv.Itoa(p.HostPort)})
	}
	for _, m := range spec.Mounts {
		if m.Type == container.External {
			continue
		}
		// Binds have no escape for the colon.
		if strings.Contains(m.Source+m.Target, ":") || m.Source == "" || !strings.HasPrefix(m.Target, "/") {
			return nil, nil, fmt.Errorf("cannot mount %q at %q", m.Source, m.Target)
		}
		if m.Type == container.Bind && !strings.HasPrefix(m.Source, "/") {
			return nil, nil, fmt.Errorf("host path %q is not absolute", m.Source)
		}
		if m.Existing {
			hostConfig.Mounts = append(hostConfig.Mounts, mount.Mount{
				Type: mount.TypeBind, Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly,
			})
			continue
		}
		// Binds, not Mounts: only these make missing directories of host
		// paths in API 1.41.
		bind := m.Source + ":" + m.Target
		if m.ReadOnly {
			bind += ":ro"
		}
		hostConfig.Binds = append(hostConfig.Binds, bind)
	}
	return config, hostConfig, nil
}

// healthcheck is nil for the image's own check.
func healthcheck(h *container.Healthcheck) *dockercontainer.HealthConfig {
	if h == nil {
		return nil
	}
	if h.Disabled {
		return &dockercontainer.HealthConfig{Test: []string{"NONE"}}
	}
	return &dockercontainer.HealthConfig{
		Test: append([]string{"CMD"}, h.Command...), Interval: h.Interval, Timeout: h.Timeout, StartPeriod: h.StartPeriod, Retries: h.Retries,
	}
}

func environment(spec container.Spec) []string {
	all := maps.Clone(spec.Env)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, spec.SecretEnv)
	var env []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		env = append(env, name+"="+all[name])
	}
	return env
}

func logConfig(l container.Log) dockercontainer.LogConfig {
	config := dockercontainer.LogConfig{Type: l.Driver, Config: map[string]string{}}
	if l.MaxSize != "" {
		config.Config["max-size"] = l.MaxSize
	}
	if l.MaxFile > 0 {
		config.Config["max-file"] = strconv.Itoa(l.MaxFile)
	}
	return config
}

// boundAddress finds the address in what daemons of various ages say when a
// port is in use: "Bind for 0.0.0.0:80 failed: port is already allocated",
// "listen tcp4 0.0.0.0:80: bind: address already in use", "failed to bind host
// port for 0.0.0.0:80:172.17.0.2:80/tcp: address already in use".
var boundAddress = regexp.MustCompile(`(?:Bind for|listen tcp[46]?|bind host port(?: for)?) (\[[0-9a-fA-F:]*\]|[0-9.]*|::):([0-9]+)`)

// takenPort reports whether err says that a port is in use, and which one.
func takenPort(err error) (int, bool) {
	if err == nil {
		return 0, false
	}
	text := err.Error()
	if !strings.Contains(text, "port is already allocated") && !strings.Contains(text, "address already in use") {
		return 0, false
	}
	match := boundAddress.FindStringSubmatch(text)
	if match == nil {
		return 0, true
	}
	port, err := strconv.Atoi(match[2])
	if err != nil {
		return 0, true
	}
	return port, true
}
