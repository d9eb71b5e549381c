package registry

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

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
	PurgeDataOnDestroy types.Bool   `tfsdk:"purge_data_on_destroy"`
	PrimaryURL         types.String `tfsdk:"primary_url"`
}

type storageModel struct {
	Path   types.String `tfsdk:"path"`
	Volume types.String `tfsdk:"volume"`
}

// desired renders the containers. What is not known yet is rendered empty.
func desired(ctx context.Context, m *model, data *providerdata.Data) (rollout.Desired, diag.Diagnostics) {
	shared, all := m.Settings(ctx)
	instances, diagnostics := m.Instances(ctx, data)
	all.Append(diagnostics...)
	settings := registry.Settings{Settings: shared}
	known := !m.Storage.IsUnknown()
	if !m.Storage.IsNull() && !m.Storage.IsUnknown() {
		var storage storageModel
		all.Append(m.Storage.As(ctx, &storage, basetypes.ObjectAsOptions{})...)
		settings.Storage = registry.Storage{Path: storage.Path.ValueString(), Volume: storage.Volume.ValueString()}
		known = !storage.Path.IsUnknown() && !storage.Volume.IsUnknown()
	}
	rendered := settings.Desired(instances)
	if !known {
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
