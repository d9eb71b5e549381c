package replicas

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/rolloutops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// skipped warns of hosts that did not answer and on which nothing has to
// change, so that the change goes on without them.
func (r *Resource[M]) skipped(view rolloutops.View) diag.Diagnostics {
	var all diag.Diagnostics
	for _, host := range view.SilentHosts() {
		all.AddWarning(fmt.Sprintf("Host %s is left out", host), fmt.Sprintf("Nothing has to change on host %q, as far as the state tells, so this "+
			"goes on without it. Whether its %s serves is not known. Bring the host back and plan again.\n\n%s",
			host, r.Role, diags.Sentence(view.Silent[host])))
	}
	return all
}

// takeover warns of containers that a new resource finds and will call its
// own.
func (r *Resource[M]) takeover(s *rolloutops.Service, view rolloutops.View) diag.Diagnostics {
	var all diag.Diagnostics
	var found []string
	for _, host := range view.Ours(s.Desired) {
		for _, c := range []container.Found{view.Hosts[host].Container, view.Hosts[host].Previous} {
			if c.Status != container.Absent {
				found = append(found, fmt.Sprintf("%s on %s (%s, %s)", c.Name, host, c.Image, c.Status))
			}
		}
	}
	if len(found) > 0 {
		all.AddWarning("Existing containers are taken over", fmt.Sprintf("This apply takes over what carries the labels of %s %q already, "+
			"from an apply that was interrupted or whose state was lost:\n\n%s\n\n"+
			"If another state still manages them, both would change and destroy the same containers from now on: choose another name "+
			"here instead, or remove the resource from the other state first (terraform state rm), which touches no container.",
			r.Role, s.Desired.Owner, strings.Join(found, "\n")))
	}
	return all
}

// relocation warns of data that stays behind: what was found on the hosts or,
// where no container is left, what the state says.
func (r *Resource[M]) relocation(ctx context.Context, state *M, s *rolloutops.Service, view rolloutops.View) diag.Diagnostics {
	before := map[string][]container.Mount{}
	prior, all := r.Desired(ctx, state, r.data)
	for _, replica := range prior.Replicas {
		before[replica.Host] = replica.Spec.Mounts
	}
	for _, host := range view.Ours(s.Desired) {
		if c := view.Hosts[host].Container; c.Status != container.Absent {
			before[host] = c.Storage()
		}
	}
	var moved []string
	for _, each := range rollout.Relocations(s.Desired, before) {
		moved = append(moved, fmt.Sprintf("%s: from %s to %s", each.Host, each.From, each.To))
	}
	if len(moved) > 0 {
		all.AddWarning(fmt.Sprintf("Storage of the %s changes", r.Role), fmt.Sprintf("The data stays where it was and is not moved. "+
			"Each %s starts with what is at the new place, which may be nothing. Copy the data there before the apply, "+
			"while nothing is pushed, or leave storage as it was:\n\n%s", r.Role, strings.Join(moved, "\n")))
	}
	return all
}
