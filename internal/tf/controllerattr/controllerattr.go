// Package controllerattr is what data sources share that ask a controller: the
// attributes that say which and how, and the diagnostics when it goes wrong.
// It belongs to the layer of the framework.
package controllerattr

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
)

// Credentials says where they come from, for descriptions.
const Credentials = "Credentials come from `anka_auth` of the provider block and from nowhere else, because arguments of a data source are kept in state."

// Target is which controller to ask and how; embed it in a model.
type Target struct {
	URL              types.String `tfsdk:"url"`
	Host             types.String `tfsdk:"host"`
	Timeout          types.String `tfsdk:"timeout"`
	AllowUnreachable types.Bool   `tfsdk:"allow_unreachable"`
}

// AddTo adds the attributes of [Target] to those of a data source.
func AddTo(attributes map[string]schema.Attribute) map[string]schema.Attribute {
	attributes["url"] = schema.StringAttribute{
		Required: true, MarkdownDescription: "URL of the controller, such as `http://10.0.1.4`.",
		Validators: []validator.String{validate.ServiceURL()},
	}
	attributes["host"] = schema.StringAttribute{
		Optional: true,
		MarkdownDescription: "Key of a host in the provider's `hosts`, to reach the URL the way that host's services are reached, " +
			"such as through its ssh connection. Without it the URL is reached from where Terraform runs.",
		Validators: []validator.String{validate.Name()},
	}
	attributes["timeout"] = schema.StringAttribute{
		Optional:            true,
		MarkdownDescription: fmt.Sprintf("How long to wait for each answer. Default `%s`.", statusops.DefaultTimeout),
		Validators:          []validator.String{validate.Duration()},
	}
	attributes["allow_unreachable"] = schema.BoolAttribute{
		Optional: true,
		MarkdownDescription: "Whether a controller that cannot be reached, fails, or refuses the credentials is data and no error. " +
			"For `check` blocks, and for controllers that the same configuration creates. Default `false`.",
	}
	return attributes
}

// Pending is the warning about a host that the provider block does not know
// yet. The second result is false when there is nothing to warn of.
func (t Target) Pending(data *providerdata.Data) (diag.Diagnostic, bool) {
	if t.Host.IsNull() {
		return nil, false
	}
	if declared, known := data.Hosts.Declares(t.Host.ValueString()); !declared || known {
		return nil, false
	}
	// Not an error: this apply makes the host, and the next read sees it.
	return diag.NewAttributeWarningDiagnostic(path.Root("host"), "Host is not known yet",
		"The provider block does not know this host yet, so the controller was not asked. Refresh when the host is there."), true
}

// PendingFailure is the text in place of an answer from such a host.
const PendingFailure = "the host is not known yet"

// Question is the question to that controller, with the credentials of the
// provider block.
func (t Target) Question(data *providerdata.Data) statusops.Question {
	timeout, _ := time.ParseDuration(t.Timeout.ValueString()) // validated; 0 when not given
	return statusops.Question{
		URL: t.URL.ValueString(), Host: t.Host.ValueString(), Fleet: data.Hosts, Credentials: data.Credentials,
		Timeout: timeout, AllowUnreachable: t.AllowUnreachable.ValueBool(),
	}
}

// Failure tells what went wrong. unsettled: anka_auth was not known while this
// was asked, which explains a refusal.
func Failure(err error, unsettled bool) diag.Diagnostic {
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
