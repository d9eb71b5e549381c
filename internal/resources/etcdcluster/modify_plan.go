package etcdcluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// ModifyPlan looks at the hosts, tells the steps that apply will take, and
// settles which computed values the steps leave as they are.
func (r *clusterResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.data == nil || req.Plan.Raw.IsNull() {
		return
	}
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	var state *model
	if !req.State.Raw.IsNull() {
		state = &model{}
		resp.Diagnostics.Append(req.State.Get(ctx, state)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if state != nil && !plan.Name.Equal(state.Name) {
		return // replaced: this plan is made once more, without the state
	}
	members, diagnostics := plan.members(ctx)
	resp.Diagnostics.Append(diagnostics...)
	resp.Diagnostics.Append(r.checkHosts(members)...)
	if state != nil {
		resp.Diagnostics.Append(refuseChanges(ctx, *state, plan)...)
	}
	if resp.Diagnostics.HasError() || !plan.known(members) || !r.hostsKnown(members) {
		return
	}
	if state == nil {
		resp.Diagnostics.Append(r.planCreate(ctx, &plan)...)
	} else {
		resp.Diagnostics.Append(r.planUpdate(ctx, &plan, *state)...)
	}
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
	}
}

// hostsKnown reports whether the provider block knows all hosts already.
func (r *clusterResource) hostsKnown(members map[string]memberModel) bool {
	for _, m := range members {
		if _, known := r.data.Hosts.Declares(m.Host.ValueString()); !known {
			return false
		}
	}
	return true
}

func (r *clusterResource) planCreate(ctx context.Context, plan *model) diag.Diagnostics {
	desired, all := r.desired(ctx, *plan)
	if all.HasError() {
		return all
	}
	all.Append(addressProblems(desired)...)
	if all.HasError() {
		return all
	}
	all.Append(r.tellSteps(ctx, desired, false, nil)...)
	return all
}

func (r *clusterResource) planUpdate(ctx context.Context, plan *model, state model) diag.Diagnostics {
	// Unchanged members keep what the state knows of them.
	plan.Members, plan.ID, plan.Endpoints = state.Members, state.ID, state.Endpoints
	plan.ClusterID, plan.Version, plan.Ready = state.ClusterID, state.Version, state.Ready
	desired, all := r.desired(ctx, *plan)
	if all.HasError() {
		return all
	}
	desired.Born = true
	all.Append(refuseMovedHosts(ctx, desired, state)...)
	if all.HasError() {
		return all
	}
	all.Append(r.tellSteps(ctx, desired, state.Ready.ValueBool(), func() { plan.Ready = types.BoolUnknown() })...)
	return all
}

// tellSteps plans and tells the steps as one warning. changes is called when
// there are any.
func (r *clusterResource) tellSteps(ctx context.Context, desired etcd.Desired, proven bool, changes func()) diag.Diagnostics {
	var all diag.Diagnostics
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	cluster := r.cluster(desired)
	cluster.Proven = proven
	defer cluster.Close()
	steps, s, err := cluster.Plan(ctx)
	if err != nil {
		all.Append(failure("Unable to plan etcd cluster", s, err))
		return all
	}
	if warning, any := diags.PlannedSteps("anka_etcd_cluster "+desired.Cluster, steps); any {
		all.Append(warning)
		if changes != nil {
			changes()
		}
	}
	return all
}

// addressProblems are those that only show once the hosts' addresses are known.
func addressProblems(d etcd.Desired) diag.Diagnostics {
	var all diag.Diagnostics
	for _, found := range problems(d) {
		// The warnings have been given by ValidateConfig.
		if found.Severity() == diag.SeverityError {
			all.Append(found)
		}
	}
	return all
}

// refuseChanges says of every change that needs the containers made anew that
// this version cannot do it. Silently replacing the cluster would lose it.
func refuseChanges(ctx context.Context, state, plan model) diag.Diagnostics {
	var all diag.Diagnostics
	for _, frozen := range []struct {
		attribute string
		from, to  attr.Value
	}{
		{"image", state.Image, plan.Image},
		{"data_path", state.DataPath, plan.DataPath},
		{"auto_compaction_mode", state.AutoCompactionMode, plan.AutoCompactionMode},
		{"auto_compaction_retention", state.AutoCompactionRetention, plan.AutoCompactionRetention},
		{"quota_backend_bytes", state.QuotaBackendBytes, plan.QuotaBackendBytes},
		{"bind_ip", state.BindIP, plan.BindIP},
		{"env", state.Env, plan.Env},
		{"extra_args", state.ExtraArgs, plan.ExtraArgs},
		{"restart_policy", state.RestartPolicy, plan.RestartPolicy},
		{"log", state.Log, plan.Log},
	} {
		if !frozen.to.IsUnknown() && !frozen.from.Equal(frozen.to) {
			all.Append(refusedChange(path.Root(frozen.attribute), frozen.attribute))
		}
	}
	before, diagnostics := state.members(ctx)
	all.Append(diagnostics...)
	after, diagnostics := plan.members(ctx)
	all.Append(diagnostics...)
	if plan.Members.IsUnknown() {
		return all
	}
	var names []string
	for name := range after {
		names = append(names, name)
	}
	for name := range before {
		if _, kept := after[name]; !kept {
			all.Append(refusedChange(memberPath("", ""), "members: removing "+name))
		}
	}
	slices.Sort(names)
	for _, name := range names {
		old, existed := before[name]
		if !existed {
			all.Append(refusedChange(memberPath(name, ""), "members: adding "+name))
			continue
		}
		for _, frozen := range []struct {
			attribute string
			from, to  attr.Value
		}{
			{"host", old.Host, after[name].Host},
			{"client_port", old.ClientPort, after[name].ClientPort},
			{"peer_port", old.PeerPort, after[name].PeerPort},
			{"bind_ip", old.BindIP, after[name].BindIP},
		} {
			if !frozen.to.IsUnknown() && !frozen.from.Equal(frozen.to) {
				all.Append(refusedChange(memberPath(name, frozen.attribute), frozen.attribute+" of "+name))
			}
		}
	}
	return all
}

func refusedChange(at path.Path, what string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "Change of a running etcd cluster",
		fmt.Sprintf("Changing %s on a running cluster is not supported by this version of the provider. Nothing was changed. "+
			"Restore the previous value; the cluster is never replaced to carry out such a change.", what))
}

// refuseMovedHosts refuses to go on when a host got another address in the
// provider block: members know each other by address.
func refuseMovedHosts(ctx context.Context, d etcd.Desired, state model) diag.Diagnostics {
	var all diag.Diagnostics
	members, diagnostics := state.members(ctx)
	all.Append(diagnostics...)
	for _, m := range d.Members {
		was := members[m.Name].ClientURL.ValueString()
		if m.Address != "" && was != "" && was != m.ClientURL() {
			all.AddAttributeError(memberPath(m.Name, "host"), "Address of etcd member changed",
				fmt.Sprintf("Member %s was made to be reached at %s; with the address that host %s has now it would be %s. "+
					"Changing the address of a running member is not supported by this version. Nothing was changed. Restore the address of the host in the provider block.",
					m.Name, was, m.Host, m.ClientURL()))
		}
	}
	return all
}

// failure turns an error of ops into a diagnostic: at the attribute that is at
// fault where there is one, and with what silent hosts had to say.
func failure(summary string, s survey.Survey, err error) diag.Diagnostic {
	detail := err.Error()
	at := path.Empty()
	var refusal *etcd.Refusal
	if errors.As(err, &refusal) {
		summary, detail = refusal.Summary, refusal.Detail
		switch {
		case refusal.Member != "":
			at = memberPath(refusal.Member, refusal.Attribute)
		case refusal.Attribute != "":
			at = path.Root(refusal.Attribute)
		}
	} else {
		at = attributeOf(err)
	}
	var reasons []string
	for _, host := range s.SilentHosts() {
		reasons = append(reasons, s.Silent[host].Error())
	}
	if len(reasons) > 0 {
		detail += "\n\n" + strings.Join(reasons, "\n\n")
	}
	if at.Equal(path.Empty()) {
		return diag.NewErrorDiagnostic(summary, detail)
	}
	return diag.NewAttributeErrorDiagnostic(at, summary, detail)
}
