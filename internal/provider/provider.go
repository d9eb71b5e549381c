// Package provider is the provider block: its schema, its checks, and what it
// hands to resources and data sources. It belongs to the layer of the
// framework and contains no decisions about topologies.
package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/datasources/controllernodes"
	"github.com/anka-ha/terraform-provider-anka/internal/datasources/controllerstatus"
	"github.com/anka-ha/terraform-provider-anka/internal/datasources/etcdstatus"
	"github.com/anka-ha/terraform-provider-anka/internal/datasources/registrystatus"
	"github.com/anka-ha/terraform-provider-anka/internal/functions/joincommand"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/controller"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/etcdcluster"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
)

var (
	_ provider.Provider                   = (*ankaProvider)(nil)
	_ provider.ProviderWithValidateConfig = (*ankaProvider)(nil)
	_ provider.ProviderWithFunctions      = (*ankaProvider)(nil)
)

type ankaProvider struct{ version string }

// New gives the factory of a provider that reports version as its own.
func New(version string) func() provider.Provider {
	return func() provider.Provider { return &ankaProvider{version: version} }
}

// model is the provider block. Hosts stay a map of values because each of
// them, and each part of one, may be unknown while planning.
type model struct {
	Hosts          types.Map    `tfsdk:"hosts"`
	SSH            types.Object `tfsdk:"ssh"`
	TLS            types.Object `tfsdk:"tls"`
	RegistryAuth   types.Map    `tfsdk:"registry_auth"`
	AnkaAuth       types.Object `tfsdk:"anka_auth"`
	ConnectTimeout types.String `tfsdk:"connect_timeout"`
}

// Metadata names the provider.
func (p *ankaProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "anka"
	resp.Version = p.version
}

// Resources are the services of the topology.
func (p *ankaProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{etcdcluster.New, registry.New, controller.New}
}

// DataSources are what can be read of a running topology.
func (p *ankaProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{controllernodes.New, controllerstatus.New, etcdstatus.New, registrystatus.New}
}

// Functions are what configurations can compute with.
func (p *ankaProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{joincommand.New}
}

// ValidateConfig checks offline what is known of the block.
func (p *ankaProvider) ValidateConfig(ctx context.Context, req provider.ValidateConfigRequest, resp *provider.ValidateConfigResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	_, diags := fleet(ctx, m, offline)
	resp.Diagnostics.Append(diags...)
	_, diags = credentials(ctx, m.AnkaAuth, offline)
	resp.Diagnostics.Append(diags...)
}

// Configure makes the hosts, without dialling any, and the credentials.
func (p *ankaProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	hosts, diags := fleet(ctx, m, complete)
	resp.Diagnostics.Append(diags...)
	login, diags := credentials(ctx, m.AnkaAuth, complete)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	data := &providerdata.Data{Hosts: hosts, Credentials: login, CredentialsUnknown: !known(ctx, m.AnkaAuth)}
	resp.ResourceData = data
	resp.DataSourceData = data
}
