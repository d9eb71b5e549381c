package protocol

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
)

// Read reads a data source with what the provider block would hand to it.
func Read(t testing.TB, source datasource.DataSource, data *providerdata.Data, config Object) datasource.ReadResponse {
	t.Helper()
	if configured, is := source.(datasource.DataSourceWithConfigure); is {
		var resp datasource.ConfigureResponse
		configured.Configure(t.Context(), datasource.ConfigureRequest{ProviderData: data}, &resp)
	}
	var schema datasource.SchemaResponse
	source.Schema(t.Context(), datasource.SchemaRequest{}, &schema)
	of := schema.Schema.Type().TerraformType(t.Context())
	resp := datasource.ReadResponse{State: tfsdk.State{Schema: schema.Schema}}
	source.Read(t.Context(), datasource.ReadRequest{Config: tfsdk.Config{Schema: schema.Schema, Raw: Value(t, of, config)}}, &resp)
	return resp
}

// Get reads one value out of the state of a data source.
func Get[T any](t testing.TB, resp datasource.ReadResponse, at path.Path) T {
	t.Helper()
	var v T
	for _, d := range resp.State.GetAttribute(t.Context(), at, &v) {
		t.Fatalf("%s: %s: %s", at, d.Summary(), d.Detail())
	}
	return v
}
