package controller

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/resources/replicas"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/controller"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// model is the resource as configuration, plan and state hold it.
type model struct {
	replicas.Model
	EtcdEndpoints     types.List   `tfsdk:"etcd_endpoints"`
	RegistryURLs      types.Map    `tfsdk:"registry_urls"`
	RegistryURL       types.String `tfsdk:"registry_url"`
	PushRegistryURL   types.String `tfsdk:"push_registry_url"`
	LocalRegistryURLs types.Map    `tfsdk:"local_registry_urls"`
	JoinURLs          types.List   `tfsdk:"join_urls"`

	SkipCompatibilityCheck types.Bool `tfsdk:"skip_compatibility_check"`

	General        types.Object `tfsdk:"general"`
	Logging        types.Object `tfsdk:"logging"`
	HTTPS          types.Object `tfsdk:"https"`
	Authentication types.Object `tfsdk:"authentication"`
	EtcdClient     types.Object `tfsdk:"etcd_client"`
	Queue          types.Object `tfsdk:"queue"`
	Performance    types.Object `tfsdk:"performance"`
	Monitoring     types.Object `tfsdk:"monitoring"`
}

// groups are the nested attributes of the settings; each group of
// [controller.Table] is one.
func (m *model) groups() replicas.Groups {
	return replicas.Groups{
		"general": m.General, "logging": m.Logging, "https": m.HTTPS, "authentication": m.Authentication,
		"etcd_client": m.EtcdClient, "queue": m.Queue, "performance": m.Performance, "monitoring": m.Monitoring,
	}
}

// desired renders the containers. What is not known yet is rendered empty.
func desired(ctx context.Context, m *model, data *providerdata.Data) (rollout.Desired, diag.Diagnostics) {
	shared, all := m.Settings(ctx, controller.Table, m.groups())
	instances, diagnostics := m.Instances(ctx, data)
	all.Append(diagnostics...)
	settings := controller.Settings{
		Settings:          shared,
		RegistryURLs:      replicas.Strings(m.RegistryURLs),
		RegistryURL:       m.RegistryURL.ValueString(),
		PushRegistryURL:   m.PushRegistryURL.ValueString(),
		LocalRegistryURLs: replicas.Strings(m.LocalRegistryURLs),
	}
	for _, element := range m.EtcdEndpoints.Elements() {
		if endpoint, ok := element.(types.String); ok {
			settings.EtcdEndpoints = append(settings.EtcdEndpoints, endpoint.ValueString())
		}
	}
	rendered, err := settings.Desired(instances)
	var missing *controller.NoRegistryError
	if errors.As(err, &missing) {
		// The hosts are looked at all the same, where the map is not known.
		all.AddAttributeError(path.Root("registry_urls"), "Missing registry URL", err.Error())
	}
	rendered.Owner, rendered.Role = m.Name.ValueString(), container.Controller
	return rendered, all
}

// derive sets join_urls: the URLs in the order of their hosts.
func derive(m *model) {
	if m.URLs.IsUnknown() {
		m.JoinURLs = types.ListUnknown(types.StringType)
		return
	}
	urls := m.URLs.Elements()
	ordered := make([]attr.Value, 0, len(urls))
	for _, host := range m.Hosts() {
		ordered = append(ordered, urls[host])
	}
	m.JoinURLs = types.ListValueMust(types.StringType, ordered)
}
