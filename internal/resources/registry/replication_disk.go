package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/rolloutops"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// steps are those of the plan.
func (s *stage) steps(ctx context.Context) ([]topology.Step, diag.Diagnostics) {
	var (
		all   diag.Diagnostics
		steps []topology.Step
	)
	lost, err := s.withoutDisks(func() (err error) {
		steps, _, err = s.service.Plan(ctx)
		return err
	})
	if err != nil {
		all.Append(failed("plan", err))
	}
	all.Append(leftOut(lost)...)
	return steps, all
}

// apply carries the steps out, and tells which hosts were left out.
func (s *stage) apply(ctx context.Context) (result rolloutops.Result, lost *rollout.MissingPathError, err error) {
	lost, err = s.withoutDisks(func() (err error) {
		result, err = s.service.Apply(ctx)
		return err
	})
	return result, lost, err
}

// withoutDisks does act and, when paths of followers' hosts are not there, does
// it once more without those hosts: a disk that died would keep the others from
// being replicated, and a primary that died from being moved away from. Nothing
// was changed the first time, since paths come before everything else. There is
// no replication without the primary's.
func (s *stage) withoutDisks(act func() error) (lost *rollout.MissingPathError, err error) {
	err = act()
	if !errors.As(err, &lost) || slices.Contains(lost.Hosts, s.source) {
		return nil, err
	}
	s.service.Desired.Replicas = slices.DeleteFunc(s.service.Desired.Replicas, func(r rollout.Replica) bool { return slices.Contains(lost.Hosts, r.Host) })
	return lost, act()
}

// leftOut warns of them.
func leftOut(lost *rollout.MissingPathError) diag.Diagnostics {
	var all diag.Diagnostics
	if lost != nil {
		all.AddWarning("Replicas are left out of the replication", fmt.Sprintf("Storage is not there, and nothing is replicated to it: %s. Everything else goes on. "+
			"The first plan after it is back proposes to take it in again. If its data is lost for good, take the host out of replicas, apply, and add it again.",
			strings.Join(lost.Paths, ", ")))
	}
	return all
}
