package replicas

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/rolloutops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
)

// Companion is what a kind runs beside its service: further containers on the
// same hosts, which follow the service and never change it.
type Companion[M any] interface {
	// Plan tells the steps that come before and after those of the service.
	Plan(context.Context, Occasion[M]) (Beside, diag.Diagnostics)
	// Prepare is called before an update changes the service, and may refuse it
	// by an error.
	Prepare(context.Context, Occasion[M]) diag.Diagnostics
	// Apply carries out the steps, once the service is as planned.
	Apply(context.Context, Occasion[M]) diag.Diagnostics
	// Refresh tells what is wrong. It changes nothing.
	Refresh(context.Context, Occasion[M]) diag.Diagnostics
	// Remove removes the containers, before those of the service.
	Remove(context.Context, Occasion[M]) diag.Diagnostics
}

// Beside are the steps of a [Companion].
type Beside struct{ Before, After []topology.Step }

// Occasion is what a [Companion] is called for.
type Occasion[M any] struct {
	// Model is what is desired or, for Refresh and Remove, what is there.
	Model *M
	// Before is the state, nil for a new resource.
	Before *M
	Data   *providerdata.Data
	// Service is that of Model, and View the last look at it. There is no look
	// yet for Prepare and Remove.
	Service *rolloutops.Service
	View    rolloutops.View
	// Private is the private state; Save changes it where that is possible.
	Private privateReader
	Save    privateWriter
}

// occasion binds what is the same for all of them.
func (r *Resource[M]) occasion(m, before *M, s *rolloutops.Service) Occasion[M] {
	return Occasion[M]{Model: m, Before: before, Data: r.data, Service: s}
}

// beside tells the steps of the companion.
func (r *Resource[M]) beside(ctx context.Context, at Occasion[M]) (Beside, diag.Diagnostics) {
	if r.Companion == nil {
		return Beside{}, nil
	}
	return r.Companion.Plan(ctx, at)
}

// accompany brings the companion to what is planned. A new service is there
// and would be tainted by an error, so that the next apply would destroy it:
// what is left to do is a warning, and not ready.
func (r *Resource[M]) accompany(ctx context.Context, at Occasion[M]) diag.Diagnostics {
	if r.Companion == nil {
		return nil
	}
	all := r.Companion.Apply(ctx, at)
	if at.Before != nil || !all.HasError() {
		return all
	}
	r.Shared(at.Model).Ready = types.BoolValue(false)
	var told diag.Diagnostics
	for _, each := range all {
		told.AddWarning(each.Summary(), each.Detail()+"\n\nThe next plan proposes to do what is left.")
	}
	return told
}
