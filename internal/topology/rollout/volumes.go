package rollout

import (
	"fmt"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Volume is a named volume that was found on a host.
type Volume struct {
	Name    string
	Labels  map[string]string
	Options container.VolumeOptions
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

// VolumeOptionsError says that a volume of ours exists with options other than
// those that are asked for. It would keep them.
type VolumeOptionsError struct {
	Role         container.Role
	Host, Volume string
	Has, Wanted  container.VolumeOptions
}

// Error names host, volume, the options and the way out.
func (e *VolumeOptionsError) Error() string {
	return fmt.Sprintf("host %s already has the volume %s of its %s with the options %v, and a volume keeps those that it was made with: %v would not be used. "+
		"Remove the volume (docker volume rm %s) once no container uses it; what is on a file server stays there. Or choose another volume",
		e.Host, e.Volume, e.Role, e.Has.Driver(), e.Wanted.Driver(), e.Volume)
}

// checkVolumes refuses volumes of others and with other options, as far as volumes were looked at.
func checkVolumes(d Desired, r Replica, host Host) error {
	for _, m := range r.Spec.Mounts {
		if m.Type != container.Volume || m.Borrowed {
			continue
		}
		if slices.ContainsFunc(host.Volumes, func(v Volume) bool { return v.Name == m.Source && !v.of(d.Identity(r.Host)) }) {
			return &VolumeTakenError{Role: d.Role, Host: r.Host, Volume: m.Source}
		}
		at := slices.IndexFunc(host.Volumes, func(v Volume) bool { return v.Name == m.Source && v.Options != m.Options })
		if at >= 0 {
			return &VolumeOptionsError{Role: d.Role, Host: r.Host, Volume: m.Source, Has: host.Volumes[at].Options, Wanted: m.Options}
		}
	}
	return nil
}

// NeedVolumes are the hosts on which steps create a container that uses a named
// volume, sorted: the only ones whose volumes have to be looked at.
func NeedVolumes(d Desired, steps []topology.Step) []string {
	var hosts []string
	for _, step := range steps {
		hosts = append(hosts, creating(step)...)
	}
	slices.Sort(hosts)
	return slices.DeleteFunc(slices.Compact(hosts), func(host string) bool {
		return !slices.ContainsFunc(d.replica(host).Spec.Mounts, func(m container.Mount) bool { return m.Type == container.Volume && !m.Borrowed })
	})
}
