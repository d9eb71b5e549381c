package rolloutops

import (
	"context"
	"maps"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// Finding is what the hosts have of one service.
type Finding struct {
	// Replicas are the containers of the service by host: the one in its
	// place, and the one that is kept while it is replaced.
	Replicas map[string][]container.Found
	// Asked are the hosts that answered, sorted.
	Asked []string
	// Silent tells by host why there was no answer.
	Silent map[string]error
	// Unknown are hosts whose configuration is not known yet, sorted.
	Unknown []string
}

// SilentHosts are the hosts that did not answer, sorted.
func (f Finding) SilentHosts() []string { return slices.Sorted(maps.Keys(f.Silent)) }

// Hosts are those that have containers of the service, sorted.
func (f Finding) Hosts() []string { return slices.Sorted(maps.Keys(f.Replicas)) }

// Find looks for the service of this role and owner on all hosts of the fleet.
// A container is found whatever instance its labels say it is; that it is on
// the host of that key is for the caller to judge.
func Find(ctx context.Context, fleet *dockerhost.Fleet, role container.Role, owner string) (Finding, error) {
	s, err := survey.Take(ctx, fleet, fleet.Names())
	if err != nil {
		return Finding{}, err
	}
	f := Finding{Replicas: map[string][]container.Found{}, Silent: s.Silent}
	for _, host := range fleet.Names() {
		switch s.Reach[host] {
		case topology.Reachable:
			f.Asked = append(f.Asked, host)
		case topology.Unknown:
			f.Unknown = append(f.Unknown, host)
		}
		for _, found := range s.Containers[host] {
			id, ours := found.Identity()
			if ours && id.Owner == owner && id.Role == role && (found.Name == id.Name() || found.Name == rollout.PreviousName(id)) {
				f.Replicas[host] = append(f.Replicas[host], found)
			}
		}
	}
	return f, nil
}
