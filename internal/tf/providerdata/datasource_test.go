package providerdata_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
)

func TestDataSource(t *testing.T) {
	d := providerdata.DataSource{Name: "etcd_status"}
	var named datasource.MetadataResponse
	d.Metadata(t.Context(), datasource.MetadataRequest{ProviderTypeName: "anka"}, &named)
	if named.TypeName != "anka_etcd_status" {
		t.Errorf("it is named %q", named.TypeName)
	}
	given := &providerdata.Data{}
	for _, c := range []struct {
		data any
		want *providerdata.Data
		err  string // part of the error, "" for none
	}{{nil, nil, ""}, {given, given, ""}, {"something else", nil, "got string"}} {
		var resp datasource.ConfigureResponse
		d.Configure(t.Context(), datasource.ConfigureRequest{ProviderData: c.data}, &resp)
		if d.Data != c.want || resp.Diagnostics.HasError() != (c.err != "") {
			t.Errorf("%v became %v, %v", c.data, d.Data, resp.Diagnostics)
		}
		for _, diagnostic := range resp.Diagnostics {
			if !strings.Contains(diagnostic.Detail(), c.err) {
				t.Errorf("got %q, want %q in it", diagnostic.Detail(), c.err)
			}
		}
	}
}
