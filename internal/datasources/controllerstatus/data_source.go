// Package controllerstatus is the data source anka_controller_status. It
// belongs to the layer of the framework: it loads, asks, and saves.
package controllerstatus

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/computed"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/controllerattr"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
)

var _ datasource.DataSourceWithConfigure = (*statusDataSource)(nil)

type statusDataSource struct {
	providerdata.DataSource
}

// New makes the data source for the provider.
func New() datasource.DataSource {
	return &statusDataSource{providerdata.DataSource{Name: "controller_status"}}
}

// model is the data source as configuration and state hold it.
type model struct {
	controllerattr.Target
	WaitFor         *waitFor     `tfsdk:"wait_for"`
	Status          types.String `tfsdk:"status"`
	Version         types.String `tfsdk:"version"`
	RegistryAddress types.String `tfsdk:"registry_address"`
	RegistryStatus  types.String `tfsdk:"registry_status"`
	License         types.String `tfsdk:"license"`
	Ready           types.Bool   `tfsdk:"ready"`
	Reachable       types.Bool   `tfsdk:"reachable"`
	Error           types.String `tfsdk:"error"`
}

// waitFor is the attribute wait_for.
type waitFor struct {
	Ready           types.Bool   `tfsdk:"ready"`
	RegistryRunning types.Bool   `tfsdk:"registry_running"`
	Timeout         types.String `tfsdk:"timeout"`
}

// Schema describes the data source.
func (d *statusDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "What a controller of the Anka Build Cloud says of itself, now or once it is ready. Texts are empty, and never null, where " +
			"the controller did not say them.\n\n" +
			controllerattr.Credentials,
		Attributes: controllerattr.AddTo(map[string]schema.Attribute{
			"wait_for": schema.SingleNestedAttribute{
				Optional: true,
				MarkdownDescription: "Ask again, twice a second, until the controller is in the state that is given here. It ends early with an error that " +
					"time does not cure: refused credentials, a certificate that does not fit, something else than a controller at the URL.",
				Attributes: map[string]schema.Attribute{
					"ready": schema.BoolAttribute{Optional: true, MarkdownDescription: "Wait until it is ready to serve. Default `true`."},
					"registry_running": schema.BoolAttribute{
						Optional: true, MarkdownDescription: "Wait until it reaches its registry, so that `registry_status` is `Running`. Default `false`.",
					},
					"timeout": schema.StringAttribute{
						Optional: true,
						MarkdownDescription: fmt.Sprintf("How long to wait at most. Then it is an error with the last answer, or, with `allow_unreachable`, "+
							"that is data. Default `%s`.", statusops.DefaultWait),
						Validators: []validator.String{validate.Duration()},
					},
				},
			},
			"status":           computed.Text("Status of the controller: `Running` when all is well."),
			"version":          computed.Text("Version, such as `1.50.1-5e3c3f5b`."),
			"registry_address": computed.Text("URL of the registry that nodes are told."),
			"registry_status":  computed.Text("Status of that registry: `Running`, or `FAIL` when the controller cannot reach it."),
			"license":          computed.Text("Kind of license: `basic`, `enterprise` or `enterprise plus`."),
			"error":            computed.Text("With `allow_unreachable`: why there is no status, or not the one that was waited for. Empty when all is as it should be."),
			"ready":            computed.Flag("Whether the controller is ready to serve."),
			"reachable":        computed.Flag("Whether it answered at all."),
		}),
	}
}
