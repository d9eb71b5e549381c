package registry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/replicationops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
)

func acceptDataLossAttribute() schema.BoolAttribute {
	return schema.BoolAttribute{
		Optional: true,
		MarkdownDescription: "Whether `primary` may change to a replica that does not hold everything the old primary has, or of which that is not known because the old primary is gone. " +
			"What is missing is told as a warning; what the old primary still has stays on its disk. Set it for that one apply, and remove it afterwards. Default `false`.",
	}
}

// movingFrom is the primary that there is now, when it is going to be another;
// "" otherwise. That of an interrupted change counts as soon as any container
// of its term was made. Without a replication there is a primary, too, whose
// templates nothing has copied: one that begins together with another primary
// would find them on a replica.
func (s *stage) movingFrom() string {
	before := s.at.Before
	switch {
	case before == nil:
		return ""
	case s.replicated():
		return other(s.latest.Primary, s.at.Model.primary())
	case s.at.Model.replicates():
		return other(before.formerPrimary(), s.at.Model.primary())
	default:
		return ""
	}
}

// replicated reports whether there is a replication that could have copied what
// the primary has.
func (s *stage) replicated() bool {
	return s.at.Before != nil && s.at.Before.replicates() && s.latest.Primary != ""
}

// other is from unless it is the same host as to.
func other(from, to string) string {
	if from == to {
		return ""
	}
	return from
}

// formerPrimary is [model.primary] of a state. One of an interrupted change has
// the hosts of both sides, and tells by its URLs which of them was the only one.
func (m *model) formerPrimary() string {
	if host := m.primary(); host != "" {
		return host
	}
	for _, host := range m.Hosts() {
		if url, is := m.URLs.Elements()[host].(types.String); is && !m.PrimaryURL.IsNull() && url.Equal(m.PrimaryURL) {
			return host
		}
	}
	return ""
}

// handoverSteps tells the check of a change of the primary, and refuses what is
// known to be impossible.
func (s *stage) handoverSteps(from string) (registry.Compare, diag.Diagnostics) {
	var all diag.Diagnostics
	step := registry.Compare{From: from, To: s.at.Model.primary(), Accepted: s.at.Model.AcceptDataLoss.ValueBool()}
	// As long as it is not known whether that is accepted, Prepare decides.
	if why := s.unknowable(from); why != nil && !step.Accepted && !s.at.Model.AcceptDataLoss.IsUnknown() {
		all.Append(refused(why))
	}
	return step, all
}

// unknowable tells why it cannot be known what the next primary lacks.
func (s *stage) unknowable(from string) error {
	to := s.at.Model.primary()
	switch {
	case !s.replicated():
		return fmt.Errorf("nothing has been replicated yet, so the registry on %s has nothing of what was pushed to that on %s. "+
			"Do it in two applies: first with primary = %q, until the replicas are in sync, then with the other primary", to, from, from)
	case !slices.Contains(s.service.Known, from):
		return fmt.Errorf("the old primary on %s cannot be reached, so it is not known whether the registry on %s holds everything it has%s", from, to, reason(s.view.Silent[from]))
	case !slices.Contains(s.service.Known, to):
		return fmt.Errorf("the next primary on %s cannot be reached%s", to, reason(s.view.Silent[to]))
	case s.relocates(to):
		return fmt.Errorf("the storage of the next primary on %s changes, too, and what it will have at the new place is compared with nothing: change storage first, and primary in a later apply", to)
	case !slices.Contains(s.at.Before.Hosts(), to):
		return fmt.Errorf("there has been no replica on %s, so it holds nothing of what the primary on %s has: add the host to replicas first, and change primary in a later apply", to, from)
	default:
		return nil
	}
}

// unchecked warns of a change of the primary that nothing compares.
func unchecked(ctx context.Context, at occasion) diag.Diagnostics {
	var all diag.Diagnostics
	storage, _, _ := at.Model.storage(ctx)
	if at.Before == nil || storage.S3 || storage.Shared || at.Before.primary() == "" || at.Before.primary() == at.Model.primary() {
		return all
	}
	all.AddAttributeWarning(path.Root("primary"), "Primary changes without a replication", fmt.Sprintf("Each registry has its own data, and nothing compares that on %s "+
		"with what was pushed to %s: make sure that it is all there. With replication the provider does.", at.Model.primary(), at.Before.primary()))
	return all
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// refused is the error of a change of the primary that would lose something.
func refused(err error) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("primary"), "Primary cannot change",
		diags.Sentence(err)+"\n\nThe primary stays what it was, and nothing was deleted anywhere. Apply again when the cause is gone. To change the primary nevertheless, set accept_data_loss = true for that one apply.")
}

// handOver makes sure that the next primary holds everything that the old one
// has. What it finds missing is an error or, where that is accepted, a warning.
func (s *stage) handOver(ctx context.Context, from string) diag.Diagnostics {
	var all diag.Diagnostics
	accepted := s.at.Model.AcceptDataLoss.ValueBool()
	err := s.unknowable(from)
	if err == nil {
		err = s.runBefore(ctx)
	}
	if err == nil {
		to := s.at.Model.primary()
		err = replicationops.AwaitHandover(ctx, s.at.Data.Hosts, s.side(from), s.side(to))
	}
	switch {
	case err == nil:
	case ctx.Err() != nil:
		all.Append(failed("compare the primaries of", err))
	case accepted:
		all.AddAttributeWarning(path.Root("accept_data_loss"), "Primary changes without everything that the old one has",
			diags.Sentence(err)+"\n\nWhat only the old primary has stays on its disk. It is reported as ahead once its host is a replica that answers.")
	default:
		all.Append(refused(err))
	}
	return all
}

// compareAgain compares before the old direction ends, which may be for good:
// pushes went on while the registries were changed, after Prepare had compared.
func (s *stage) compareAgain(ctx context.Context) diag.Diagnostics {
	from := s.movingFrom()
	if from == "" || s.at.Model.AcceptDataLoss.ValueBool() {
		return nil
	}
	all := s.handOver(ctx, from)
	// The old direction was desired for that; nothing of it is any more.
	s.service.Desired.Replicas = nil
	return all
}

func (s *stage) side(host string) replicationops.Side {
	return replicationops.Side{Name: host, ID: container.Identity{Owner: s.service.Desired.Owner, Role: container.Replication, Instance: host}.Name()}
}

// runBefore brings up again what is left of the old direction, as it was.
func (s *stage) runBefore(ctx context.Context) error {
	registries, diagnostics := desired(ctx, s.at.Before, s.at.Data)
	address := ""
	tenure := s.lastListed().Next(s.latest.ID, s.latest.Primary, time.Now().Unix())
	instances, more := s.at.Before.Instances(ctx, s.at.Data)
	for _, each := range instances {
		if each.Host == tenure.Primary {
			address = each.Address
		}
	}
	if diagnostics.Append(more...); diagnostics.HasError() {
		return fmt.Errorf("what the replication was cannot be told: %s", diagnostics[0].Detail())
	}
	credentials, err := replicationops.NewCredentials(registries.Owner, tenure.Primary, address, s.at.Before.Hosts())
	if err != nil {
		return err
	}
	if diagnostics := s.desireFor(ctx, direction{s.at.Before, registries, tenure}, credentials); diagnostics.HasError() {
		return fmt.Errorf("what the replication was cannot be told: %s", diagnostics[0].Detail())
	}
	s.latest = tenure // the next one is later than this
	result, _, err := s.apply(ctx)
	if err == nil && result.Waiting != nil {
		err = result.Waiting
	}
	return err
}

// nextTenure is the tenure from now on. A primary with another storage is as
// another primary: what the former storage had is no reason to delete anything.
func (s *stage) nextTenure(id string) registry.Tenure {
	primary, latest := s.at.Model.primary(), s.lastListed()
	if s.relocates(primary) {
		latest.Primary = ""
	}
	return latest.Next(id, primary, time.Now().Unix())
}

// lastListed is the tenure that is known, without its primary when the source
// there is gone: the host may be another machine by now, with a backup for a
// storage, and what the backup lacks was not deleted.
func (s *stage) lastListed() registry.Tenure {
	t := s.latest
	if slices.Contains(s.service.Known, t.Primary) && s.view.Hosts[t.Primary].Container.ID == "" {
		t.Primary = ""
	}
	return t
}

// relocates reports whether a host gets other storage.
func (s *stage) relocates(host string) bool {
	place, known := s.place(host)
	return known && place != s.nextPlace(host)
}
