package replicas

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/rolloutops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// undoTimeout bounds the cleaning up after a creation that failed.
const undoTimeout = time.Minute

// Create makes the service, or finishes a creation that was interrupted.
func (r *Resource[M]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan, config M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	shared := r.Shared(&plan)
	timeout, diagnostics := shared.Timeouts.Create(ctx, createTimeout)
	resp.Diagnostics.Append(diagnostics...)
	resp.Diagnostics.Append(shared.checkPlacement(ctx, r.data)...)
	resp.Diagnostics.Append(r.checkSettings(&config)...) // by now all is known
	s, diagnostics := r.service(ctx, &plan, &config)
	resp.Diagnostics.Append(diagnostics...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer s.Close()
	resp.Diagnostics.Append(r.checkApplied(ctx, &plan, &config, nil)...)
	if resp.Diagnostics.HasError() {
		return
	}
	result, err := s.Apply(ctx)
	if err != nil {
		// Nothing goes into state, so nothing may be left to be forgotten.
		resp.Diagnostics.Append(r.failure("create", result.View, undo(ctx, s, err)))
		return
	}
	resp.Diagnostics.Append(r.settle(ctx, &plan, result)...)
	at := r.occasion(&plan, nil, s)
	at.View, at.Save = result.View, resp.Private
	resp.Diagnostics.Append(r.accompany(ctx, at)...)
	resp.Diagnostics.Append(record(ctx, resp.Private, result.View.Hashes(s.Desired))...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// undo removes what a failed creation has made. An interrupted one is left for
// the next apply to go on with.
func undo(ctx context.Context, s *rolloutops.Service, failure error) error {
	if ctx.Err() != nil {
		return failure
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	if err := s.Undo(ctx); err != nil {
		return fmt.Errorf("%w\n\nThe containers that this apply had made could not all be removed again; "+
			"the next apply takes them over: %w", failure, err)
	}
	return failure
}

// Read looks at the service. Hosts that do not answer leave what the state says
// of them as it is.
func (r *Resource[M]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state M
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	shared := r.Shared(&state)
	if !known(r.data, shared.Hosts()) {
		return
	}
	timeout, diagnostics := shared.Timeouts.Read(ctx, readTimeout)
	resp.Diagnostics.Append(diagnostics...)
	s, diagnostics := r.service(ctx, &state, nil)
	resp.Diagnostics.Append(diagnostics...)
	s.Recorded, diagnostics = recorded(ctx, req.Private, shared.Hosts())
	resp.Diagnostics.Append(diagnostics...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer s.Close()
	view, err := s.Observe(ctx)
	if err != nil {
		resp.Diagnostics.Append(r.failure("read", view, err))
		return
	}
	for _, host := range view.SilentHosts() {
		resp.Diagnostics.Append(diags.HostUnreachable(host, view.Silent[host]))
	}
	if view.Gone(s.Desired) {
		resp.State.RemoveResource(ctx)
		return
	}
	shared.Ready = readiness(shared.Ready, view, view.Ready(s.Desired))
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	// What has got ready since the last apply is proven now.
	resp.Diagnostics.Append(record(ctx, resp.Private, view.Hashes(s.Desired))...)
	if r.Companion != nil {
		at := r.occasion(&state, &state, s)
		at.View, at.Private = view, req.Private
		resp.Diagnostics.Append(r.Companion.Refresh(ctx, at)...)
	}
}

// readiness is whether all replicas are ready, from whether those that answered
// are. Hosts that did not answer leave it as it was, unless one that did tells
// that it is not so.
func readiness(before types.Bool, view rolloutops.View, answered bool) types.Bool {
	if len(view.Silent) > 0 {
		return types.BoolValue(answered && before.ValueBool())
	}
	return types.BoolValue(answered)
}

// Update brings the service to what is planned, one host at a time.
func (r *Resource[M]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, config, state M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	shared, before := r.Shared(&plan), r.Shared(&state)
	timeout, diagnostics := shared.Timeouts.Update(ctx, updateTimeout)
	resp.Diagnostics.Append(diagnostics...)
	resp.Diagnostics.Append(shared.checkPlacement(ctx, r.data)...)
	resp.Diagnostics.Append(r.checkSettings(&config)...) // by now all is known
	s, diagnostics := r.service(ctx, &plan, &config)
	resp.Diagnostics.Append(diagnostics...)
	s.Known = before.Hosts()
	s.Recorded, diagnostics = recorded(ctx, req.Private, s.Known)
	resp.Diagnostics.Append(diagnostics...)
	if resp.Diagnostics.HasError() {
		resp.State.Raw = req.State.Raw
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer s.Close()
	resp.Diagnostics.Append(r.checkApplied(ctx, &plan, &config, &state)...)
	if resp.Diagnostics.HasError() {
		resp.State.Raw = req.State.Raw
		return
	}
	at := r.occasion(&plan, &state, s)
	at.Private, at.Save = req.Private, resp.Private
	if r.Companion != nil {
		resp.Diagnostics.Append(r.Companion.Prepare(ctx, at)...)
	}
	if resp.Diagnostics.HasError() {
		resp.State.Raw = req.State.Raw
		return
	}
	result, err := s.Apply(ctx)
	if err == nil {
		at.View = result.View
		resp.Diagnostics.Append(r.accompany(ctx, at)...)
	} else {
		resp.Diagnostics.Append(r.failure("update", result.View, err))
	}
	if resp.Diagnostics.HasError() {
		// What was before, and all hosts that may have something by now.
		before.Replicas = union(ctx, before.Replicas, shared.Replicas)
		before.Ready = types.BoolValue(false)
		resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
		if hashes := result.View.Hashes(s.Desired); len(hashes) > 0 {
			resp.Diagnostics.Append(record(ctx, resp.Private, hashes)...)
		}
		return
	}
	if shared.Ready.IsUnknown() {
		shared.Ready = readiness(before.Ready, result.View, result.Waiting == nil)
	}
	resp.Diagnostics.Append(r.settle(ctx, &plan, result)...)
	resp.Diagnostics.Append(r.skipped(result.View)...)
	resp.Diagnostics.Append(r.dropped(ctx, &state, shared.Hosts())...)
	resp.Diagnostics.Append(record(ctx, resp.Private, result.View.Hashes(s.Desired))...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

func union(ctx context.Context, before, after types.Map) types.Map {
	all := map[string]attr.Value{}
	for _, m := range []types.Map{after, before} {
		for key, value := range m.Elements() {
			all[key] = value
		}
	}
	return types.MapValueMust(before.ElementType(ctx), all)
}

// Delete removes the containers. Data stays, unless it is to be purged.
func (r *Resource[M]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state M
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	shared := r.Shared(&state)
	timeout, diagnostics := shared.Timeouts.Delete(ctx, deleteTimeout)
	resp.Diagnostics.Append(diagnostics...)
	s, diagnostics := r.service(ctx, &state, nil)
	resp.Diagnostics.Append(diagnostics...)
	if resp.Diagnostics.HasError() {
		return
	}
	s.Known = shared.Hosts()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer s.Close()
	if r.Companion != nil {
		at := r.occasion(&state, &state, s)
		at.Private = req.Private
		resp.Diagnostics.Append(r.Companion.Remove(ctx, at)...)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	left, err := s.Destroy(ctx, r.Purge != nil && r.Purge(&state))
	if err != nil {
		resp.Diagnostics.Append(r.failure("destroy", rolloutops.View{}, err))
		return
	}
	resp.Diagnostics.Append(r.kept(fmt.Sprintf("The containers of %s are gone", shared.Name.ValueString()), left)...)
}

// kept warns of data that stays where no container is left.
func (r *Resource[M]) kept(because string, places []string) diag.Diagnostics {
	var all diag.Diagnostics
	if len(places) > 0 {
		all.AddWarning(fmt.Sprintf("Data of the %s was kept", r.Role),
			fmt.Sprintf("%s; the data was not deleted:\n\n%s", because, strings.Join(places, "\n")))
	}
	return all
}

// dropped warns of data on hosts that an update has taken the replica from.
func (r *Resource[M]) dropped(ctx context.Context, state *M, hosts []string) diag.Diagnostics {
	s, all := r.service(ctx, state, nil)
	if all.HasError() {
		return nil // the update has told
	}
	defer s.Close()
	s.Desired.Replicas = slices.DeleteFunc(s.Desired.Replicas, func(replica rollout.Replica) bool { return slices.Contains(hosts, replica.Host) })
	places, err := s.Kept(ctx)
	if err != nil {
		places = append(places, fmt.Sprintf("Volumes could not be listed everywhere: %v", err))
	}
	return r.kept(fmt.Sprintf("Hosts have left the replicas of %s", s.Desired.Owner), places)
}

// settle fills in what is known once steps were carried out. A service that is
// up but not ready yet is no error, because that would taint it.
func (r *Resource[M]) settle(ctx context.Context, m *M, result rolloutops.Result) diag.Diagnostics {
	shared := r.Shared(m)
	shared.ID = shared.Name
	urls, all := r.addresses(ctx, m)
	shared.setURLs(urls)
	r.Derive(m)
	if shared.Ready.IsUnknown() {
		shared.Ready = types.BoolValue(result.Waiting == nil)
	}
	if result.Waiting != nil {
		all.AddWarning(fmt.Sprintf("Not every %s is ready", r.Role),
			fmt.Sprintf("All containers of %s run, but not all answer as ready. The next plan proposes to wait for them again.\n\n%s",
				shared.Name.ValueString(), result.Waiting))
	}
	if len(result.Left) > 0 {
		all.AddWarning(fmt.Sprintf("Unused containers of the %s could not be removed", r.Role),
			fmt.Sprintf("They serve nobody, and everything else is done. The next plan proposes to remove them again:\n\n%s",
				strings.Join(result.Left, "\n")))
	}
	return all
}
