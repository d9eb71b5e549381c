package etcdcluster

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/etcdops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// Create bootstraps the cluster, or finishes a bootstrap that was interrupted.
func (r *clusterResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diagnostics := plan.Timeouts.Create(ctx, createTimeout)
	resp.Diagnostics.Append(diagnostics...)
	members, diagnostics := plan.members(ctx)
	resp.Diagnostics.Append(diagnostics...)
	resp.Diagnostics.Append(r.checkHosts(members)...)
	desired, diagnostics := r.desired(ctx, plan)
	resp.Diagnostics.Append(diagnostics...)
	resp.Diagnostics.Append(addressProblems(desired)...)
	if resp.Diagnostics.HasError() {
		return
	}
	desired.Token = newToken()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cluster := r.cluster(desired)
	defer cluster.Close()
	result, err := cluster.Apply(ctx)
	if err != nil && !result.Quorum {
		resp.Diagnostics.Append(failure("Unable to bootstrap etcd cluster", result.Survey, err))
		return
	}
	if err != nil {
		// The cluster exists and takes writes. An error from here would taint
		// it, and the next apply would destroy it.
		resp.Diagnostics.AddWarning("Etcd cluster is not whole yet",
			fmt.Sprintf("The cluster %s exists and accepts writes, but not all of it is in order. The next apply goes on from here.\n\n%s", desired.Cluster, err))
	}
	resp.Diagnostics.Append(plan.settle(ctx, desired, result)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// newToken is the text that makes a bootstrap's cluster ID unlike any other's.
func newToken() string {
	token := make([]byte, 16)
	rand.Read(token) // never fails, by its documentation
	return hex.EncodeToString(token)
}

// Read looks at the cluster. Hosts that do not answer leave the state as it is.
func (r *clusterResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diagnostics := state.Timeouts.Read(ctx, readTimeout)
	resp.Diagnostics.Append(diagnostics...)
	desired, diagnostics := r.desired(ctx, state)
	resp.Diagnostics.Append(diagnostics...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cluster := r.cluster(desired)
	defer cluster.Close()
	report, err := cluster.Look(ctx)
	if err != nil {
		resp.Diagnostics.Append(failure("Unable to read etcd cluster", report.Survey, err))
		return
	}
	for _, host := range report.Survey.SilentHosts() {
		resp.Diagnostics.Append(diags.HostUnreachable(host, report.Survey.Silent[host]))
	}
	if !report.Survey.Complete() {
		return
	}
	if report.Gone {
		resp.State.RemoveResource(ctx)
		return
	}
	verdict := report.Verdict
	if known := state.ClusterID.ValueString(); verdict.Quorum && known != "" && known != etcd.HexID(verdict.ClusterID) {
		resp.Diagnostics.AddError("Another etcd cluster answers",
			fmt.Sprintf("The members of %s belong to cluster %s, but the state knows cluster %s. Somebody has made the cluster anew on these hosts. "+
				"Nothing was changed. Find out which data is the right one; terraform state rm makes Terraform forget the old cluster.",
				desired.Cluster, etcd.HexID(verdict.ClusterID), known))
		return
	}
	state.Ready, state.DegradedReason = types.BoolValue(verdict.Ailing == ""), textOrNull(verdict.Ailing)
	if verdict.Ailing != "" {
		resp.Diagnostics.AddWarning("Etcd cluster is not whole", fmt.Sprintf("Cluster %s: %s.", desired.Cluster, verdict.Ailing))
	}
	if verdict.Version != "" {
		state.Version = types.StringValue(verdict.Version)
	}
	resp.Diagnostics.Append(state.learn(ctx, desired, report)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
}

// learn takes over what the members say of themselves: one that was late had
// no ID yet when the state was saved, and one that was replaced by an apply
// that was interrupted has another ID and other data than the state knows.
func (m *model) learn(ctx context.Context, desired etcd.Desired, report etcdops.Report) diag.Diagnostics {
	if m.ClusterID.IsNull() && report.Verdict.Quorum {
		m.ClusterID = types.StringValue(etcd.HexID(report.Verdict.ClusterID))
	}
	members, all := m.members(ctx)
	for _, d := range desired.Members {
		member := members[d.Name]
		if id, known := report.Verdict.IDs[d.Name]; known {
			member.ID = types.StringValue(etcd.HexID(id))
		}
		if incarnation := report.Incarnations[d.Name]; incarnation != "" {
			member.Data = types.StringValue(desired.Data(d, incarnation).Source)
		}
		members[d.Name] = member
	}
	all.Append(m.setMembers(ctx, members)...)
	return all
}

// Update carries out the steps that the plan has told, one member at a time.
// An error leaves everything as far as it got, and the state says so: the next
// apply goes on from there.
func (r *clusterResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diagnostics := plan.Timeouts.Update(ctx, updateTimeout)
	resp.Diagnostics.Append(diagnostics...)
	members, diagnostics := plan.members(ctx)
	resp.Diagnostics.Append(diagnostics...)
	resp.Diagnostics.Append(r.checkHosts(members)...)
	desired, diagnostics := r.desiredUpdate(ctx, plan, state, req.Private)
	resp.Diagnostics.Append(diagnostics...)
	// With hosts that were not known at plan, what the plan would have refused
	// is refused here.
	resp.Diagnostics.Append(refuseMovedHosts(ctx, desired, state)...)
	resp.Diagnostics.Append(addressProblems(desired)...)
	if resp.Diagnostics.HasError() {
		return
	}
	desired.Token = newToken()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cluster := r.cluster(desired)
	cluster.Proven = state.Ready.ValueBool()
	resp.Diagnostics.Append(plan.snapshots(ctx, cluster)...)
	defer cluster.Close()
	result, err := cluster.Apply(ctx)
	if alarmed := errors.Is(err, etcdops.ErrAlarm) && result.Quorum && len(result.Verdict.Alarms) > 0; err != nil && !alarmed {
		resp.Diagnostics.Append(failure("Unable to change etcd cluster", result.Survey, err))
	}
	resp.Diagnostics.Append(warnAlarms(desired, result.Verdict.Alarms)...)
	resp.Diagnostics.Append(warnLeft(result)...)
	resp.Diagnostics.Append(remember(ctx, resp.Private, result.Left)...)
	if plan.Version.IsUnknown() && !result.Quorum {
		plan.Version = state.Version
	}
	resp.Diagnostics.Append(plan.settle(ctx, desired, result)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// warnAlarms tells of alarms, which keep the cluster from being ready whatever
// is applied.
func warnAlarms(d etcd.Desired, alarms []string) diag.Diagnostics {
	if len(alarms) == 0 {
		return nil
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic("Etcd cluster has an active alarm",
		fmt.Sprintf("Cluster %s is not ready: %s", d.Cluster, etcd.Alarmed(alarms)))}
}

// warnLeft tells of members on silent hosts that are not configured any more.
func warnLeft(result etcdops.Result) diag.Diagnostics {
	var all diag.Diagnostics
	for _, m := range result.Left {
		switch {
		case result.Survey.Silent[m.Host] == nil:
		case !m.Out:
			all.AddWarning("An etcd member that is not configured may still be in the cluster",
				fmt.Sprintf("Member %s was not removed, and there is no answer from host %s, where it is. Apply again.", m.Name, m.Host))
		default:
			all.AddWarning("A removed etcd member may still have a container",
				fmt.Sprintf("Member %s is no longer part of the cluster, but there is no answer from host %s, where its container is. "+
					"When the host answers again, the next plan proposes to remove it; its data stays.", m.Name, m.Host))
		}
	}
	return all
}

// Delete removes the containers. Data stays, unless purge_data_on_destroy.
func (r *clusterResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diagnostics := state.Timeouts.Delete(ctx, deleteTimeout)
	resp.Diagnostics.Append(diagnostics...)
	desired, diagnostics := r.desired(ctx, state)
	resp.Diagnostics.Append(diagnostics...)
	if resp.Diagnostics.HasError() {
		return
	}
	desired.Former, diagnostics = former(ctx, req.Private, nil, desired.Members)
	resp.Diagnostics.Append(diagnostics...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cluster := r.cluster(desired)
	defer cluster.Close()
	left, s, err := cluster.Destroy(ctx, state.PurgeDataOnDestroy.ValueBool())
	if err != nil {
		resp.Diagnostics.Append(failure("Unable to destroy etcd cluster", s, err))
		return
	}
	if len(left) > 0 {
		resp.Diagnostics.AddWarning("Data of the etcd cluster was kept",
			fmt.Sprintf("The containers of cluster %s are gone; its data was not deleted:\n\n%s", desired.Cluster, strings.Join(left, "\n")))
	}
}

// settle fills in what the plan left open, once steps were carried out. What
// the plan has promised stays as it is.
func (m *model) settle(ctx context.Context, desired etcd.Desired, result etcdops.Result) diag.Diagnostics {
	m.ID = m.Name
	if m.Ready.IsUnknown() {
		m.Ready = types.BoolValue(result.Whole)
	}
	if m.DegradedReason.IsUnknown() {
		m.DegradedReason = degraded(result)
	}
	endpoints, all := types.ListValueFrom(ctx, types.StringType, desired.Endpoints())
	m.Endpoints = endpoints
	if result.Quorum && m.ClusterID.IsUnknown() {
		m.ClusterID = types.StringValue(etcd.HexID(result.Verdict.ClusterID))
	}
	if result.Quorum && m.Version.IsUnknown() {
		m.Version = types.StringValue(result.Verdict.Version)
	}
	members, diagnostics := m.members(ctx)
	all.Append(diagnostics...)
	for _, d := range desired.Members {
		member := members[d.Name]
		member.ClientURL, member.PeerURL = types.StringValue(d.ClientURL()), types.StringValue(d.PeerURL())
		if member.ID.IsUnknown() {
			member.ID = types.StringNull()
			if id, known := result.Verdict.IDs[d.Name]; known {
				member.ID = types.StringValue(etcd.HexID(id))
			}
		}
		if member.Data.IsUnknown() {
			member.Data = types.StringNull()
			if incarnation := result.Incarnations[d.Name]; incarnation != "" {
				member.Data = types.StringValue(desired.Data(d, incarnation).Source)
			}
		}
		members[d.Name] = member
	}
	all.Append(m.setMembers(ctx, members)...)
	return all
}

// degraded tells why the cluster is not ready after an operation.
func degraded(result etcdops.Result) types.String {
	switch {
	case result.Whole:
		return types.StringNull()
	case result.Verdict.Ailing == "":
		return types.StringValue("the last apply did not finish")
	default:
		return types.StringValue(result.Verdict.Ailing)
	}
}

// attributeOf points at the attribute that is at fault, as far as ops could
// tell.
func attributeOf(err error) path.Path {
	var member *etcdops.MemberError
	if errors.As(err, &member) {
		return memberPath(member.Member, member.Attribute)
	}
	return path.Empty()
}
