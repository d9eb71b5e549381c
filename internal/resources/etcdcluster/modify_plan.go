package etcdcluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
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
		resp.Diagnostics.Append(r.planUpdate(ctx, &plan, *state, privateState{req.Private, resp.Private})...)
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
	steps, _, diagnostics := r.tellSteps(ctx, desired, false)
	all.Append(diagnostics...)
	r.announce(desired, steps)
	return all
}

// privateState is read as it was and written as the apply will find it.
type privateState struct {
	privateReader
	privateWriter
}

func (r *clusterResource) planUpdate(ctx context.Context, plan *model, state model, private privateState) diag.Diagnostics {
	desired, all := r.desiredUpdate(ctx, *plan, state, private)
	if all.HasError() {
		return all
	}
	all.Append(addressProblems(desired)...)
	all.Append(refuseMovedHosts(ctx, desired, state)...)
	if all.HasError() {
		return all
	}
	plan.ID, plan.ClusterID, plan.Version = state.ID, state.ClusterID, state.Version
	plan.Ready, plan.DegradedReason = state.Ready, state.DegradedReason
	steps, adopted, diagnostics := r.tellSteps(ctx, desired, state.Ready.ValueBool())
	all.Append(diagnostics...)
	r.announce(desired, steps)
	if len(adopted) > 0 {
		all.Append(remember(ctx, private, append(slices.Clone(desired.Former), adopted...))...)
	}
	if len(steps) > 0 {
		plan.Ready, plan.DegradedReason = types.BoolUnknown(), types.StringUnknown()
		if state.ClusterID.IsNull() {
			plan.ClusterID = types.StringUnknown()
		}
		if slices.ContainsFunc(steps, func(s topology.Step) bool { r, is := s.(etcd.Replace); return is && !r.Flush }) {
			plan.Version = types.StringUnknown()
		}
	}
	all.Append(plan.foresee(ctx, desired, state, steps)...)
	return all
}

// desiredUpdate is what is desired of a cluster that exists: members keep the
// data that the state knows, and those that are no longer configured are on
// their way out.
func (r *clusterResource) desiredUpdate(ctx context.Context, plan, state model, private privateReader) (etcd.Desired, diag.Diagnostics) {
	before, all := r.desired(ctx, state)
	known, diagnostics := state.members(ctx)
	all.Append(diagnostics...)
	for i, m := range before.Members {
		if m.Address == "" {
			// The host was taken out of the provider block; the cluster still
			// knows the member by this address.
			before.Members[i].Address = hostOf(known[m.Name].PeerURL.ValueString())
		}
	}
	desired, diagnostics := r.desired(ctx, plan)
	all.Append(diagnostics...)
	desired.Born, desired.Ran = true, state.Version.ValueString()
	for i, m := range desired.Members {
		desired.Members[i].Incarnation = ""
		for _, old := range before.Members {
			if old.Key() == m.Key() {
				desired.Members[i].Incarnation = old.Incarnation
			}
		}
	}
	desired.Former, diagnostics = former(ctx, private, before.Members, desired.Members)
	all.Append(diagnostics...)
	return desired, all
}

// foresee plans the computed values of members and endpoints: known where the
// steps leave them as they are.
func (m *model) foresee(ctx context.Context, desired etcd.Desired, state model, steps []topology.Step) diag.Diagnostics {
	before, all := state.members(ctx)
	after, diagnostics := m.members(ctx)
	all.Append(diagnostics...)
	fresh := map[string]bool{}
	for _, step := range steps {
		switch s := step.(type) {
		case etcd.AddLearner:
			fresh[s.Member.Name] = true
		case etcd.Recreate:
			// Should its data turn out to be gone, the member is replaced.
			fresh[s.Member.Name] = true
		}
	}
	for _, d := range desired.Members {
		member := after[d.Name]
		member.ClientURL, member.PeerURL = types.StringValue(d.ClientURL()), types.StringValue(d.PeerURL())
		old, existed := before[d.Name]
		member.ID, member.Data = old.ID, old.Data
		// Another key of the same host does not move the member.
		moved := !old.Host.Equal(member.Host) && !old.PeerURL.Equal(member.PeerURL)
		anew := !existed || fresh[d.Name] || moved
		if anew || member.ID.IsNull() && len(steps) > 0 {
			member.ID = types.StringUnknown()
		}
		if anew || member.Data.IsNull() && len(steps) > 0 {
			member.Data = types.StringUnknown()
		}
		after[d.Name] = member
	}
	all.Append(m.setMembers(ctx, after)...)
	endpoints, diagnostics := types.ListValueFrom(ctx, types.StringType, desired.Endpoints())
	all.Append(diagnostics...)
	m.Endpoints = endpoints
	return all
}

// tellSteps plans and tells the steps, and how near they come to losing the
// quorum, as one warning. It returns members that an apply which was killed has
// left, too: the apply of this plan takes out those and no others.
func (r *clusterResource) tellSteps(ctx context.Context, desired etcd.Desired, proven bool) ([]topology.Step, []etcd.Member, diag.Diagnostics) {
	var all diag.Diagnostics
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	cluster := r.cluster(desired)
	cluster.Proven, cluster.Planning = proven, true
	defer cluster.Close()
	steps, s, err := cluster.Plan(ctx)
	if err != nil {
		if desired.Born {
			// Terraform plans before a destroy, too, and a refused plan ends it.
			err = &hinted{err, "To destroy the cluster as it is, use terraform destroy -refresh=false."}
		}
		all.Append(failure("Unable to plan etcd cluster", s, err))
		return nil, nil, all
	}
	for _, sentence := range cluster.Warnings {
		all.AddAttributeWarning(path.Root("image"), "Version of etcd", sentence)
	}
	all.Append(warnAlarms(desired, cluster.Alarms)...)
	if len(cluster.Adopted) > 0 {
		all.AddWarning("Etcd members that neither configuration nor state has", fmt.Sprintf("The cluster %s has %s. "+
			"An apply that was killed has added them, or one with another state. This plan takes them out of the cluster again, and their data stays. "+
			"If they are wanted, do not apply this plan: add them to members.", desired.Cluster, etcd.Places(cluster.Adopted)))
	}
	if warning, any := diags.PlannedSteps("anka_etcd_cluster "+desired.Cluster, steps); any {
		all.AddWarning(warning.Summary(), warning.Detail()+etcd.Narrowest(steps))
		if p, shared := desired.SameDaemon(cluster.Daemons(ctx)); shared {
			all.AddAttributeWarning(path.Root("members"), p.Summary, p.Detail)
		}
	}
	return steps, cluster.Adopted, all
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

// refuseChanges says of every change that cannot be made in place that this
// version cannot make it. Silently replacing the cluster would lose it.
func refuseChanges(ctx context.Context, state, plan model) diag.Diagnostics {
	var all diag.Diagnostics
	if !plan.DataPath.IsUnknown() && !state.DataPath.Equal(plan.DataPath) {
		all.Append(refusedChange(path.Root("data_path"), "data_path",
			"To move a member's data, add a member under another name on the new path of another cluster, or restore a snapshot there."))
	}
	before, diagnostics := state.members(ctx)
	all.Append(diagnostics...)
	after, diagnostics := plan.members(ctx)
	all.Append(diagnostics...)
	for _, name := range slices.Sorted(maps.Keys(after)) {
		old, existed := before[name]
		port := after[name].PeerPort
		if existed && !port.IsUnknown() && old.Host.Equal(after[name].Host) && !old.PeerPort.Equal(port) {
			all.Append(refusedChange(memberPath(name, "peer_port"), "peer_port of "+name,
				"Members know each other by this port. Add a member under another name with the port that is wanted, and remove "+name+"."))
		}
	}
	return all
}

func refusedChange(at path.Path, what, instead string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "Change of a running etcd cluster",
		fmt.Sprintf("%s cannot be changed on a running cluster, which is never replaced for it. Nothing was changed. %s", what, instead))
}

// refuseMovedHosts refuses to go on when a host got another address in the
// provider block: members know each other by address.
func refuseMovedHosts(ctx context.Context, d etcd.Desired, state model) diag.Diagnostics {
	members, all := state.members(ctx)
	for _, m := range d.Members {
		old, existed := members[m.Name]
		was := old.PeerURL.ValueString()
		if existed && old.Host.ValueString() == m.Host && m.Address != "" && was != "" && was != m.PeerURL() {
			all.AddAttributeError(memberPath(m.Name, "host"), "Address of etcd member changed",
				fmt.Sprintf("Member %s was made to be reached at %s; with the address that host %s has now it would be %s. "+
					"Nothing was changed. Restore the address of the host in the provider block, or give the host another key and move the member there.",
					m.Name, was, m.Host, m.PeerURL()))
		}
	}
	return all
}

// hostOf is the host part of a member's URL.
func hostOf(memberURL string) string {
	parsed, err := url.Parse(memberURL)
	if err != nil {
		return ""
	}
	return parsed.Hostname()
}

// hinted is an error with what else can be done about it.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

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
	var more *hinted
	if errors.As(err, &more) {
		detail += " " + more.hint
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
