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
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
)

var _ datasource.DataSourceWithConfigure = (*statusDataSource)(nil)

type statusDataSource struct {
	data *providerdata.Data
}

// New makes the data source for the provider.
func New() datasource.DataSource { return &statusDataSource{} }

// model is the data source as configuration and state hold it.
type model struct {
	URL              types.String `tfsdk:"url"`
	Host             types.String `tfsdk:"host"`
	Timeout          types.String `tfsdk:"timeout"`
	AllowUnreachable types.Bool   `tfsdk:"allow_unreachable"`
	Status           types.String `tfsdk:"status"`
	Version          types.String `tfsdk:"version"`
	RegistryAddress  types.String `tfsdk:"registry_address"`
	RegistryStatus   types.String `tfsdk:"registry_status"`
	License          types.String `tfsdk:"license"`
	Ready            types.Bool   `tfsdk:"ready"`
	Reachable        types.Bool   `tfsdk:"reachable"`
	Error            types.String `tfsdk:"error"`
}

// Metadata names the data source.
func (d *statusDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_controller_status"
}

// Configure takes hosts and credentials over from the provider.
func (d *statusDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	data, diagnostics := providerdata.From(req.ProviderData)
	resp.Diagnostics.Append(diagnostics...)
	d.data = data
}

// Schema describes the data source.
func (d *statusDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "What a controller of the Anka Build Cloud says of itself.\n\n" +
			"Credentials come from `anka_auth` of the provider block and from nowhere else, because arguments of a data source are kept in state.",
		Attributes: map[string]schema.Attribute{
			"url": schema.StringAttribute{
				Required: true, MarkdownDescription: "URL of the controller, such as `http://10.0.1.4`.",
				Validators: []validator.String{validate.ServiceURL()},
			},
			"host": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Key of a host in the provider's `hosts`, to reach the URL the way that host's services are reached, " +
					"such as through its ssh connection. Without it the URL is reached from where Terraform runs.",
				Validators: []validator.String{validate.Name()},
			},
			"timeout": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: fmt.Sprintf("How long to wait for each answer. Default `%s`.", statusops.DefaultTimeout),
				Validators:          []validator.String{validate.Duration()},
			},
			"allow_unreachable": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Whether a controller that cannot be reached, fails, or refuses the credentials is data and no error. " +
					"For `check` blocks. Default `false`.",
			},
			"status":           computed("Status of the controller: `Running` when all is well."),
			"version":          computed("Version, such as `1.50.1-5e3c3f5b`."),
			"registry_address": computed("URL of the registry that nodes are told."),
			"registry_status":  computed("Status of that registry: `Running`, or `FAIL` when the controller cannot reach it."),
			"license":          computed("Kind of license: `basic`, `enterprise` or `enterprise plus`."),
			"error":            computed("With `allow_unreachable`: why there is no status."),
			"ready":            schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the controller is ready to serve."},
			"reachable":        schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether it answered at all."},
		},
	}
}

func computed(description string) schema.StringAttribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: description}
}
