package providerdata

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
)

// DataSource is what all data sources begin with: their name, and what the
// provider hands to them. Embed it, and add Schema and Read.
type DataSource struct {
	// Name is that of the data source behind the provider's, such as
	// etcd_status.
	Name string
	// Data is nil until the provider has been configured, see [From].
	Data *Data
}

// Metadata names the data source.
func (d *DataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + d.Name
}

// Configure takes hosts and credentials over from the provider.
func (d *DataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	data, diagnostics := From(req.ProviderData)
	resp.Diagnostics.Append(diagnostics...)
	d.Data = data
}
