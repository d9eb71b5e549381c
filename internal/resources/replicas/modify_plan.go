package replicas

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
)

// planTimeout bounds looking at the hosts for a plan.
const planTimeout = time.Minute

// ModifyPlan looks at the hosts, tells the steps that apply will take, and
// settles which computed values are known already.
func (r *Resource[M]) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.data == nil || req.Plan.Raw.IsNull() {
		return
	}
	var plan M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	var state *M
	if !req.State.Raw.IsNull() {
		state = new(M)
		resp.Diagnostics.Append(req.State.Get(ctx, state)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	shared := r.Shared(&plan)
	if state != nil && !shared.Name.Equal(r.Shared(state).Name) {
		return // replaced: this plan is made once more, without the state
	}
	resp.Diagnostics.Append(shared.checkPlacement(ctx, r.data)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ahead, diagnostics := r.look(ctx, &plan, state, req)
	resp.Diagnostics.Append(diagnostics...)
	if resp.Diagnostics.HasError() {
		return
	}
	ahead.partial = !settled(req.Plan, computedOnly)
	resp.Diagnostics.Append(r.foresee(ctx, &plan, state, ahead)...)
	resp.Diagnostics.Append(r.checkPlanned(ctx, req.Config, &plan, state, ahead)...)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// look observes the hosts and plans. Without a look, because hosts or replicas
// are not known yet, there are no steps and nothing is said.
func (r *Resource[M]) look(ctx context.Context, plan, state *M, req resource.ModifyPlanRequest) (foreseen, diag.Diagnostics) {
	var ahead foreseen
	shared := r.Shared(plan)
	hosts := shared.Hosts()
	if state != nil {
		hosts = append(hosts, r.Shared(state).Hosts()...)
	}
	if shared.Replicas.IsUnknown() || shared.Name.IsUnknown() || !known(r.data, hosts) {
		return ahead, nil
	}
	s, all := r.service(ctx, plan, nil)
	if all.HasError() {
		return ahead, all
	}
	if state != nil {
		var diagnostics diag.Diagnostics
		s.Known = r.Shared(state).Hosts()
		s.Recorded, diagnostics = recorded(ctx, req.Private, s.Known)
		all.Append(diagnostics...)
	}
	s.Desired.Partial = !settled(req.Plan, computedOnly)
	s.Replacing = state == nil
	ctx, cancel := context.WithTimeout(ctx, planTimeout)
	defer cancel()
	defer s.Close()
	steps, view, err := s.Plan(ctx)
	if err != nil {
		if state != nil {
			err = fmt.Errorf("%w%s", err, wayOut)
		}
		all.Append(r.failure("plan", view, err))
		return ahead, all
	}
	at := r.occasion(plan, state, s)
	at.View, at.Private = view, req.Private
	beside, diagnostics := r.beside(ctx, at)
	all.Append(diagnostics...)
	if all.HasError() {
		return ahead, all
	}
	ahead.steps, ahead.beside = steps, len(beside.Before)+len(beside.After) > 0
	var notes []string
	if s.Desired.Partial && len(view.Ours(s.Desired)) > 0 {
		notes = append(notes, stepsAtApply)
	}
	if warning, some := diags.PlannedSteps(fmt.Sprintf("anka_%s %s", r.Role, s.Desired.Owner), slices.Concat(beside.Before, steps, beside.After), notes...); some {
		all.Append(warning)
	}
	if state == nil {
		all.Append(r.takeover(s, view)...)
		return ahead, all
	}
	all.Append(r.skipped(view)...)
	all.Append(r.relocation(ctx, state, s, view)...)
	return ahead, all
}

// stepsAtApply is said where it cannot be told yet which containers have to be
// replaced.
const stepsAtApply = "Further steps depend on values that are known only at apply: a container whose configuration they change is " +
	"replaced, one host at a time."

// wayOut is said when the plan for something that exists is refused: terraform
// destroy makes the same plan first.
const wayOut = "\n\nAs long as this plan is refused, terraform destroy is refused with it; terraform destroy -refresh=false is not"

// computedOnly are the attributes that only the provider sets.
var computedOnly = []string{"id", "urls", "ready", "join_urls", "primary_url"}

// settled reports whether everything is known but for the attributes except.
func settled(plan tfsdk.Plan, except []string) bool {
	var values map[string]tftypes.Value
	if err := plan.Raw.As(&values); err != nil {
		return false
	}
	for name, value := range values {
		if !slices.Contains(except, name) && !value.IsFullyKnown() {
			return false
		}
	}
	return true
}

// foreseen is what is going to happen: the steps of the service, whether others
// follow beside it and, when partial, steps that cannot be told yet.
type foreseen struct {
	steps   []topology.Step
	beside  bool
	partial bool
}

// foresee plans the computed values.
func (r *Resource[M]) foresee(ctx context.Context, plan, state *M, ahead foreseen) diag.Diagnostics {
	shared := r.Shared(plan)
	shared.ID = shared.Name
	if state == nil {
		shared.setURLs(nil)
		r.Derive(plan)
		return nil
	}
	before := r.Shared(state)
	old := Strings(before.URLs)
	planned, diagnostics := r.addresses(ctx, plan)
	touched := touched(ahead.steps)
	if ahead.partial && known(r.data, shared.Hosts()) {
		touched = shared.Hosts() // any of them may be
	}
	for host, url := range planned {
		// A URL that is new or changes is not there yet, and what reads it
		// must wait for the apply.
		if old[host] != url || (r.Deferred && slices.Contains(touched, host)) {
			delete(planned, host)
		}
	}
	if !known(r.data, shared.Hosts()) {
		// What cannot be computed yet stays what it was.
		for host, url := range old {
			if declared, known := r.data.Hosts.Declares(host); declared && !known {
				planned[host] = url
			}
		}
	}
	shared.setURLs(planned)
	r.Derive(plan)
	switch {
	case len(ahead.steps) > 0 || ahead.beside || ahead.partial:
		shared.Ready = types.BoolUnknown()
	case shared.Ready.IsUnknown() && before.Ready.ValueBool() && known(r.data, shared.Hosts()):
		shared.Ready = before.Ready
	}
	return diagnostics
}

func touched(steps []topology.Step) []string {
	var hosts []string
	for _, step := range steps {
		if acting, ok := step.(interface{ On() []string }); ok {
			hosts = append(hosts, acting.On()...)
		}
	}
	return hosts
}
