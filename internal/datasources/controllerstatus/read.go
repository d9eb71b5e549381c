package controllerstatus

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/controllerattr"
)

// Read asks the controller.
func (d *statusDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if warning, pending := m.Pending(d.Data); pending {
		resp.Diagnostics.Append(warning)
		m.settle(statusops.Answer{Failure: controllerattr.PendingFailure})
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
		return
	}
	question := m.Question(d.Data)
	question.Wait = m.WaitFor.wait()
	answer, err := statusops.Ask(ctx, question)
	if err != nil {
		resp.Diagnostics.Append(controllerattr.Failure(err, d.Data.CredentialsUnknown))
		return
	}
	m.settle(answer)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// wait is what to wait for, nil for nothing.
func (w *waitFor) wait() *statusops.Wait {
	if w == nil {
		return nil
	}
	timeout, _ := time.ParseDuration(w.Timeout.ValueString()) // validated; 0 when not given
	return &statusops.Wait{
		Ready: w.Ready.IsNull() || w.Ready.ValueBool(), RegistryRunning: w.RegistryRunning.ValueBool(), Timeout: timeout,
	}
}

// settle fills in what the controller answered. Texts are empty and never
// null, because Terraform evaluates the error_message of a check even while
// its condition holds, and null in one is an error.
func (m *model) settle(answer statusops.Answer) {
	m.Ready, m.Reachable = types.BoolValue(answer.Ready), types.BoolValue(answer.Reachable)
	m.Error = types.StringValue(answer.Failure)
	var status statusops.Status
	if answer.Status != nil {
		status = *answer.Status
	}
	m.Status, m.Version = types.StringValue(status.Status), types.StringValue(status.Version)
	m.RegistryAddress, m.RegistryStatus = types.StringValue(status.RegistryAddress), types.StringValue(status.RegistryStatus)
	m.License = types.StringValue(status.License)
}
