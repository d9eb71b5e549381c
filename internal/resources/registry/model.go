package registry

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/resources/replicas"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// model is the resource as configuration, plan and state hold it.
type model struct {
	replicas.Model
	Primary            types.String `tfsdk:"primary"`
	Storage            types.Object `tfsdk:"storage"`
	Replication        types.Object `tfsdk:"replication"`
	AcceptDataLoss     types.Bool   `tfsdk:"accept_data_loss"`
	PurgeDataOnDestroy types.Bool   `tfsdk:"purge_data_on_destroy"`
	PrimaryURL         types.String `tfsdk:"primary_url"`
	General            types.Object `tfsdk:"general"`
	Logging            types.Object `tfsdk:"logging"`
	HTTPS              types.Object `tfsdk:"https"`
	Authentication     types.Object `tfsdk:"authentication"`
	Performance        types.Object `tfsdk:"performance"`
	Monitoring         types.Object `tfsdk:"monitoring"`
}

// groups are the nested attributes of the settings; each group of
// [registry.Table] is one.
func (m *model) groups() replicas.Groups {
	return replicas.Groups{
		"general": m.General, "logging": m.Logging, "https": m.HTTPS, "authentication": m.Authentication,
		"performance": m.Performance, "monitoring": m.Monitoring, registry.S3Group: m.objectStore(),
	}
}

// desired renders the containers. What is not known yet is rendered empty.
func desired(ctx context.Context, m *model, data *providerdata.Data) (rollout.Desired, diag.Diagnostics) {
	shared, all := m.Settings(ctx, registry.Table, m.groups())
	instances, diagnostics := m.Instances(ctx, data)
	all.Append(diagnostics...)
	storage, known, diagnostics := m.storage(ctx)
	all.Append(diagnostics...)
	settings := registry.Settings{Settings: shared, Storage: storage}
	rendered := settings.Desired(instances)
	if !known || !settings.Known() {
		// Where the data will be is not known, so nothing is said of it.
		for i := range rendered.Replicas {
			rendered.Replicas[i].Spec.Mounts = nil
		}
	}
	return rendered, all
}

// primary is the host that receives pushes, "" while that is not known: the
// one that is named, or the only one there is.
func (m *model) primary() string {
	hosts := m.Hosts()
	if m.Primary.IsNull() && len(hosts) == 1 {
		return hosts[0]
	}
	return m.Primary.ValueString()
}

// derive sets primary_url, from urls.
func derive(m *model) {
	m.PrimaryURL = types.StringUnknown()
	if m.URLs.IsUnknown() || m.Primary.IsUnknown() {
		return
	}
	if url, ok := m.URLs.Elements()[m.primary()].(types.String); ok {
		m.PrimaryURL = url
	}
}
