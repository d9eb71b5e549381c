package controllerstatus

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
)

// Read asks the controller.
func (d *statusDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if d.pending(m) {
		// Not an error: this apply makes the host, and the next read sees it.
		resp.Diagnostics.AddAttributeWarning(path.Root("host"), "Host is not known yet",
			"The provider block does not know this host yet, so the controller was not asked. Refresh when the host is there.")
		m.settle(statusops.Answer{Failure: "the host is not known yet"})
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
		return
	}
	timeout, _ := time.ParseDuration(m.Timeout.ValueString()) // validated; 0 when not given
	answer, err := statusops.Ask(ctx, statusops.Question{
		URL: m.URL.ValueString(), Host: m.Host.ValueString(), Fleet: d.data.Hosts, Credentials: d.data.Credentials,
		Timeout: timeout, AllowUnreachable: m.AllowUnreachable.ValueBool(),
	})
	if err != nil {
		resp.Diagnostics.Append(failure(err, d.data.CredentialsUnknown))
		return
	}
	m.settle(answer)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// pending reports that the provider block does not know the host yet.
func (d *statusDataSource) pending(m model) bool {
	if m.Host.IsNull() {
		return false
	}
	declared, known := d.data.Hosts.Declares(m.Host.ValueString())
	return declared && !known
}

// settle fills in what the controller answered.
func (m *model) settle(answer statusops.Answer) {
	m.Ready, m.Reachable = types.BoolValue(answer.Ready), types.BoolValue(answer.Reachable)
	if answer.Failure != "" {
		m.Error = types.StringValue(answer.Failure)
	}
	if status := answer.Status; status != nil {
		m.Status, m.Version = types.StringValue(status.Status), types.StringValue(status.Version)
		m.RegistryAddress, m.RegistryStatus = types.StringValue(status.RegistryAddress), types.StringValue(status.RegistryStatus)
		m.License = types.StringValue(status.License)
	}
}

// failure tells what went wrong. unsettled: anka_auth was not known while this
// was asked, which explains a refusal.
func failure(err error, unsettled bool) diag.Diagnostic {
	if unknown, is := diags.UnknownHost(path.Root("host"), err); is {
		return unknown
	}
	summary, allowable := statusops.Explain(err)
	detail := err.Error()
	if unsettled && statusops.Refused(err) {
		detail += "\n\nanka_auth of the provider block was not known yet when the controller was asked, because it depends on a resource " +
			"that this apply makes or changes. Add depends_on with that resource to the data source, so that it is read during the apply."
	}
	if allowable {
		detail += "\n\nSet allow_unreachable = true to have this as data instead of an error."
	}
	return diag.NewAttributeErrorDiagnostic(path.Root("url"), summary, detail)
}
