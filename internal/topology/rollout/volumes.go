package rollout

import (
	"fmt"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Volume is a named volume that was found on a host.
type Volume struct {
	Name   string
	Labels map[string]string
}

// of reports whether the volume was made for id.
func (v Volume) of(id container.Identity) bool {
	got, ok := container.Found{Labels: v.Labels}.Identity()
	return ok && got == id
}

// VolumeTakenError says that a volume that a replica would use was not made
// for it.
type VolumeTakenError struct {
	Role         container.Role
	Host, Volume string
}

// Error names host and volume and the way out.
func (e *VolumeTakenError) Error() string {
	return fmt.Sprintf("host %s already has a volume named %s that was not made for its %s; it is left alone. "+
		"Choose another volume, or remove that one if nobody needs its data", e.Host, e.Volume, e.Role)
}

// checkVolumes refuses volumes of others, as far as volumes were looked at.
func checkVolumes(d Desired, r Replica, host Host) error {
	for _, m := range r.Spec.Mounts {
		if m.Type != container.Volume {
			continue
		}
		if slices.ContainsFunc(host.Volumes, func(v Volume) bool { return v.Name == m.Source && !v.of(d.Identity(r.Host)) }) {
			return &VolumeTakenError{Role: d.Role, Host: r.Host, Volume: m.Source}
		}
	}
	return nil
}

// NeedVolumes are the hosts on which steps create a container that uses a named
// volume, sorted: the only ones whose volumes have to be looked at.
func NeedVolumes(d Desired, steps []topology.Step) []string {
	var hosts []string
	for _, step := range steps {
		switch step := step.(type) {
		case Create:
			hosts = append(hosts, step.Hosts...)
		case Replace:
			hosts = append(hosts, step.Hosts...)
		}
	}
	slices.Sort(hosts)
	return slices.DeleteFunc(slices.Compact(hosts), func(host string) bool {
		return !slices.ContainsFunc(d.replica(host).Spec.Mounts, func(m container.Mount) bool { return m.Type == container.Volume })
	})
}
