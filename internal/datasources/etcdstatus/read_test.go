package etcdstatus_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/anka-ha/terraform-provider-anka/internal/datasources/etcdstatus"
	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
)

type object = protocol.Object

// read reads the data source without Terraform and without hosts.
func read(t *testing.T, fleet *dockerhost.Fleet, members object) datasource.ReadResponse {
	t.Helper()
	source := etcdstatus.New().(datasource.DataSourceWithConfigure)
	var configured datasource.ConfigureResponse
	source.Configure(t.Context(), datasource.ConfigureRequest{ProviderData: &providerdata.Data{Hosts: fleet}}, &configured)
	var schema datasource.SchemaResponse
	source.Schema(t.Context(), datasource.SchemaRequest{}, &schema)
	of := schema.Schema.Type().TerraformType(t.Context())
	resp := datasource.ReadResponse{State: tfsdk.State{Schema: schema.Schema}}
	source.Read(t.Context(), datasource.ReadRequest{Config: tfsdk.Config{
		Schema: schema.Schema, Raw: protocol.Value(t, of, object{"members": members, "timeout": "1s"}),
	}}, &resp)
	return resp
}

// get reads one value of the state.
func get[T any](t *testing.T, resp datasource.ReadResponse, at path.Path) T {
	t.Helper()
	var v T
	for _, d := range resp.State.GetAttribute(t.Context(), at, &v) {
		t.Fatalf("%s: %s", at, d.Detail())
	}
	return v
}

func closedURL(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

func TestRead_silenceIsData(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.AddUnknown("h2")
	started := time.Now()
	resp := read(t, fleet, object{
		"etcd-1": object{"client_url": closedURL(t)},
		"etcd-2": object{"client_url": closedURL(t), "host": "h2"},
		"etcd-3": object{"client_url": closedURL(t)},
	})
	if resp.Diagnostics.HasError() || resp.Diagnostics.WarningsCount() != 1 {
		t.Fatalf("diagnostics: %v", resp.Diagnostics)
	}
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("it took %s: members were not asked at the same time", took)
	}
	if get[bool](t, resp, path.Root("healthy")) || get[int](t, resp, path.Root("quorum")) != 2 || get[int](t, resp, path.Root("margin")) != -2 ||
		get[string](t, resp, path.Root("cluster_id")) != "" || get[string](t, resp, path.Root("leader")) != "" {
		t.Errorf("state: %s", resp.State.Raw)
	}
	for name, want := range map[string]string{"etcd-1": "connection refused", "etcd-2": "not known yet", "etcd-3": "connection refused"} {
		at := path.Root("member_status").AtMapKey(name)
		if got := get[string](t, resp, at.AtName("error")); !strings.Contains(got, want) || get[bool](t, resp, at.AtName("healthy")) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if reason := get[string](t, resp, path.Root("degraded_reason")); !strings.Contains(reason, name+": ") {
			t.Errorf("the reason does not name %s: %s", name, reason)
		}
	}
}

func TestRead_unknownHostIsAnError(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.AddUnknown("h1")
	resp := read(t, fleet, object{"etcd-1": object{"client_url": closedURL(t), "host": "h9"}})
	if resp.Diagnostics.ErrorsCount() != 1 {
		t.Fatalf("diagnostics: %v", resp.Diagnostics)
	}
	d, located := resp.Diagnostics[0].(diag.DiagnosticWithPath)
	if !located || d.Path().String() != `members["etcd-1"].host` || d.Summary() != "Unknown host" || !strings.Contains(d.Detail(), "h1") {
		t.Errorf("got %v", resp.Diagnostics)
	}
}
