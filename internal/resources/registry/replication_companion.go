package registry

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/replicationops"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/rolloutops"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/replicas"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// companion is the replication beside the registries. It has no state.
type companion struct{}

type occasion = replicas.Occasion[model]

// stage is the replication on the hosts that answer. A host that does not is
// left out: what runs there goes on as it was, and never stands in the way of
// the others. When it is back, the next plan brings it up to date.
type stage struct {
	at      occasion
	saved   saved
	service *rolloutops.Service
	// view is what the hosts had when the stage was set.
	view rolloutops.View
	// latest is the tenure that is known, zero without any.
	latest registry.Tenure
	// source is the primary of what is desired.
	source string
}

// set looks at the hosts. The caller closes nothing: containers of the
// replication are not asked over connections of their own.
func set(ctx context.Context, at occasion) (*stage, diag.Diagnostics) {
	saved, all := recall(ctx, at)
	if all.HasError() {
		return nil, all
	}
	s := &stage{at: at, saved: saved, latest: saved.Tenure}
	hosts := append(at.Model.Hosts(), saved.Left...)
	if at.Before != nil {
		hosts = append(hosts, at.Before.Hosts()...)
	}
	slices.Sort(hosts)
	s.service = &rolloutops.Service{
		Desired: rollout.Desired{Owner: at.Service.Desired.Owner, Role: container.Replication},
		Fleet:   at.Data.Hosts, Known: slices.Compact(hosts), ReadyTimeout: at.Service.ReadyTimeout,
		Probe: replicationops.Probe, Replacing: at.Service.Replacing,
		Log: func(ctx context.Context, step topology.Step) {
			tflog.Info(ctx, "registry replication step", map[string]any{"name": at.Service.Desired.Owner, "step": step.String(), "cause": step.Cause()})
		},
	}
	view, err := s.service.Observe(ctx)
	if err != nil {
		all.AddError("Unable to look at the replication", err.Error())
		return nil, all
	}
	s.view = view
	s.service.Known = slices.DeleteFunc(slices.Clone(s.service.Known), func(host string) bool {
		return view.Hosts[host].Reach != topology.Reachable
	})
	known := []registry.Tenure{saved.Tenure}
	for _, host := range s.service.Known {
		if t, ok := registry.ParseTenure(view.Hosts[host].Container.Labels[container.LabelTenure]); ok {
			known = append(known, t)
		}
	}
	s.latest = registry.Latest(known...)
	return s, all
}

// direction is who follows whom.
type direction struct {
	m          *model
	registries rollout.Desired
	tenure     registry.Tenure
}

// desire renders the containers of a tenure for the hosts that answer.
func (s *stage) desire(ctx context.Context, t registry.Tenure, c replicationops.Credentials) diag.Diagnostics {
	return s.desireFor(ctx, direction{s.at.Model, s.at.Service.Desired, t}, c)
}

func (s *stage) desireFor(ctx context.Context, d direction, c replicationops.Credentials) diag.Diagnostics {
	settings, _, all := d.m.replicationSettings(ctx)
	instances, diagnostics := d.m.Instances(ctx, s.at.Data)
	all.Append(diagnostics...)
	d.tenure.Authority = c.Authority
	desired := registry.Replicated{
		Settings: settings, Tenure: d.tenure, Registries: d.registries, Replicas: instances, Credentials: c.Hosts,
	}.Desired()
	desired.Replicas = slices.DeleteFunc(desired.Replicas, func(r rollout.Replica) bool { return !slices.Contains(s.service.Known, r.Host) })
	s.service.Desired, s.source = desired, d.tenure.Primary
	return all
}

// concerned reports whether the replication has to be looked at: it is asked
// for, or was.
func concerned(at occasion) bool {
	return at.Model.replicates() || (at.Before != nil && !at.Before.Replication.IsNull())
}

// Plan tells the steps of the replication.
func (companion) Plan(ctx context.Context, at occasion) (replicas.Beside, diag.Diagnostics) {
	var beside replicas.Beside
	if _, known, _ := at.Model.storage(ctx); !known || at.Model.Replication.IsUnknown() || at.Model.Primary.IsUnknown() {
		return beside, nil
	}
	remembered, all := recall(ctx, at)
	if all.HasError() {
		return beside, all
	}
	if !concerned(at) {
		all.Append(unchecked(ctx, at)...)
		if len(remembered.Left) == 0 {
			return beside, all
		}
	}
	s, diagnostics := set(ctx, at)
	all.Append(diagnostics...)
	if all.HasError() {
		return beside, all
	}
	if from := s.movingFrom(); from != "" {
		step, diagnostics := s.handoverSteps(from)
		all.Append(diagnostics...)
		beside.Before = append(beside.Before, step)
	} else if concerned(at) && !s.replicated() && !at.Model.replicates() {
		all.Append(unchecked(ctx, at)...)
	} else if at.Before != nil && at.Model.AcceptDataLoss.ValueBool() {
		all.AddAttributeWarning(path.Root("accept_data_loss"), "Data loss is still accepted",
			"The primary does not change in this plan, but the next change of it would not be refused whatever is lost by it. Remove accept_data_loss.")
	}
	if at.Model.replicates() {
		all.Append(s.desire(ctx, s.nextTenure(s.latest.ID), replicationops.Credentials{})...)
	}
	if all.HasError() {
		return beside, all
	}
	all.Append(s.leftBehind()...)
	steps, diagnostics := s.steps(ctx)
	all.Append(diagnostics...)
	beside.After = steps
	return beside, all
}

// Prepare refuses a change of the primary that would lose something. It stands
// before all other changes, since the old primary's registry may be among them.
func (companion) Prepare(ctx context.Context, at occasion) diag.Diagnostics {
	if !concerned(at) {
		return nil
	}
	s, all := set(ctx, at)
	if all.HasError() {
		return all
	}
	if from := s.movingFrom(); from != "" {
		all.Append(s.handOver(ctx, from)...)
	}
	return all
}

// Apply writes marker files where they belong and carries out the steps.
func (companion) Apply(ctx context.Context, at occasion) diag.Diagnostics {
	remembered, all := recall(ctx, at)
	if all.HasError() || !concerned(at) && len(remembered.Left) == 0 && len(remembered.Marked) == 0 {
		return all
	}
	s, all := set(ctx, at)
	if all.HasError() {
		return all
	}
	if !at.Model.replicates() {
		if all.Append(s.compareAgain(ctx)...); !all.HasError() {
			all.Append(s.stop(ctx)...)
		}
		return all
	}
	marking, diagnostics := s.mark(ctx)
	all.Append(diagnostics...)
	if all.HasError() {
		all.Append(s.suspend(ctx)...)
		return all
	}
	if all.Append(s.compareAgain(ctx)...); all.HasError() {
		return all
	}
	tenure := s.nextTenure(marking.ID)
	credentials, err := s.credentials(ctx, tenure)
	if err != nil {
		all.Append(failed("run", err))
		return all
	}
	all.Append(s.desire(ctx, tenure, credentials)...)
	if all.HasError() {
		return all
	}
	if !s.replicatedBefore() {
		// The state of an apply that fails knows of no replication.
		all.Append(s.write(ctx, saved{Tenure: s.saved.Tenure, Marked: s.saved.Marked, Left: s.service.Known})...)
	}
	result, lost, err := s.apply(ctx)
	if err != nil {
		all.Append(failed("run", err))
		return all
	}
	all.Append(leftOut(lost)...)
	all.Append(s.save(ctx, tenure)...)
	if result.Waiting != nil {
		all.AddWarning("Not every container of the replication works", "They run, but not all have begun to work. The next plan proposes to wait for them again.\n\n"+result.Waiting.Error())
	}
	return all
}

// credentials are made for this apply. Those of containers that stay are not
// theirs, see [rollout.Desired.Together].
func (s *stage) credentials(ctx context.Context, t registry.Tenure) (replicationops.Credentials, error) {
	instances, _ := s.at.Model.Instances(ctx, s.at.Data)
	address := ""
	for _, each := range instances {
		if each.Host == t.Primary {
			address = each.Address
		}
	}
	return replicationops.NewCredentials(s.at.Service.Desired.Owner, t.Primary, address, s.at.Model.Hosts())
}

// Refresh tells what keeps the replication from its work.
func (companion) Refresh(ctx context.Context, at occasion) diag.Diagnostics {
	if !at.Model.replicates() {
		return nil
	}
	s, all := set(ctx, at)
	if all.HasError() {
		return all
	}
	running := map[string]container.Found{}
	for _, host := range s.service.Known {
		if c := s.view.Hosts[host].Container; c.Status == container.Running {
			running[host] = c
		}
	}
	replicators := replicationops.ReadReplicators(ctx, at.Data.Hosts, running)
	verdict := registry.AssessReplication(registry.ReplicationQuestion{Replicators: replicators, Primary: s.latest.Primary})
	statuses := map[string]status{}
	for host, r := range replicators {
		// One that has said nothing yet is told of as not ready.
		if said, err := replicationops.Parse(r.File); err == nil {
			statuses[host] = status{said, verdict.Replicas[host].Hangs}
		}
	}
	all.Append(troubles(statuses)...)
	return all
}

// Remove removes the containers, also those of which the state knows nothing
// because the apply that made them was killed. Data stays, marker files too.
func (companion) Remove(ctx context.Context, at occasion) diag.Diagnostics {
	s, all := set(ctx, at)
	if all.HasError() {
		return all
	}
	s.service.Known = append(at.Model.Hosts(), s.saved.Left...)
	if _, err := s.service.Destroy(ctx, false); err != nil {
		act := "remove"
		if !at.Model.replicates() {
			act = "look for what an earlier apply may have left of"
		}
		all.Append(failed(act, err))
	}
	return all
}
