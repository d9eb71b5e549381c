// Package replicas is what anka_controller and anka_registry have in common: a
// service that runs as one container on each of several hosts. It belongs to
// the layer of the framework; the two resources add their own attributes.
package replicas

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/dockerattr"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// Model are the attributes that both resources have. It is embedded in their
// models.
type Model struct {
	dockerattr.Runtime
	ID                 types.String   `tfsdk:"id"`
	Name               types.String   `tfsdk:"name"`
	Image              types.String   `tfsdk:"image"`
	Replicas           types.Map      `tfsdk:"replicas"`
	Port               types.Int64    `tfsdk:"port"`
	BindIP             types.String   `tfsdk:"bind_ip"`
	Env                types.Map      `tfsdk:"env"`
	EnvWO              types.Map      `tfsdk:"env_wo"`
	EnvWOVersion       types.Int64    `tfsdk:"env_wo_version"`
	RootTokenWO        types.String   `tfsdk:"root_token_wo"`
	RootTokenWOVersion types.Int64    `tfsdk:"root_token_wo_version"`
	RestartPolicy      types.String   `tfsdk:"restart_policy"`
	Log                types.Object   `tfsdk:"log"`
	ReadyTimeout       types.String   `tfsdk:"ready_timeout"`
	Timeouts           timeouts.Value `tfsdk:"timeouts"`
	URLs               types.Map      `tfsdk:"urls"`
	Ready              types.Bool     `tfsdk:"ready"`
}

// ReplicaText is an attribute of one replica that is a text: null when it is
// not given, unknown as long as the replica is.
func (m *Model) ReplicaText(host, attribute string) types.String {
	value, _ := m.replicaValue(host, attribute, types.StringNull(), types.StringUnknown()).(types.String)
	return value
}

// replicaValue is an attribute of one replica, or what stands for none or for
// one that is not known.
func (m *Model) replicaValue(host, attribute string, null, unknown attr.Value) attr.Value {
	object, is := m.Replicas.Elements()[host].(types.Object)
	switch {
	case !is || object.IsNull():
		return null
	case object.IsUnknown():
		return unknown
	}
	value, exists := object.Attributes()[attribute]
	if !exists {
		return null
	}
	return value
}

// Hosts are the keys of replicas, sorted; nil while the map is unknown.
func (m *Model) Hosts() []string { return slices.Sorted(maps.Keys(m.Replicas.Elements())) }

// Strings converts a map of strings. Values that are not known yet become
// empty, so that a plan can be made of what is known.
func Strings(value types.Map) map[string]string {
	if value.IsNull() || value.IsUnknown() {
		return nil
	}
	converted := map[string]string{}
	for name, element := range value.Elements() {
		if text, ok := element.(types.String); ok {
			converted[name] = text.ValueString()
		}
	}
	return converted
}

// Settings converts what shapes all containers, with the settings of a table
// that the groups hold.
func (m *Model) Settings(ctx context.Context, table service.Table, groups Groups) (service.Settings, diag.Diagnostics) {
	t := typed{table, groups}
	log, diagnostics := dockerattr.LogOf(ctx, m.Log)
	runtime, more := m.Container(ctx)
	diagnostics.Append(more...)
	return service.Settings{
		Owner:         m.Name.ValueString(),
		Image:         m.Image.ValueString(),
		BindIP:        m.BindIP.ValueString(),
		Env:           Strings(m.Env),
		Authenticated: !m.RootTokenWOVersion.IsNull(),
		SecretVersion: m.secretVersion(t),
		Values:        t.plain(),
		Given:         t.given(),
		Runtime:       runtime,
		Restart:       m.RestartPolicy.ValueString(),
		Log:           log,
	}, diagnostics
}

// Instances converts replicas, sorted by host. Addresses that are not given
// come from the provider block; they are empty for hosts that are not known yet
// and without data. Ports are 0 while they are not known.
func (m *Model) Instances(_ context.Context, data *providerdata.Data) ([]service.Replica, diag.Diagnostics) {
	var instances []service.Replica
	for _, name := range m.Hosts() {
		address := m.ReplicaText(name, "address")
		port, _ := m.replicaValue(name, "port", types.Int64Null(), types.Int64Unknown()).(types.Int64)
		instance := service.Replica{Host: name, Address: address.ValueString(), Port: int(port.ValueInt64())}
		if port.IsNull() {
			instance.Port = int(m.Port.ValueInt64())
		}
		if data != nil && instance.Address == "" && !address.IsUnknown() {
			if host, err := data.Hosts.Host(name); err == nil {
				instance.Address = host.Address()
			}
		}
		instances = append(instances, instance)
	}
	return instances, nil
}

// scheme is that of the URLs, "" while it is not known.
func (r *Resource[M]) scheme(ctx context.Context, m *M) (string, diag.Diagnostics) {
	shared, t := r.Shared(m), r.typed(m)
	if shared.Env.IsUnknown() || !t.decided(service.UseHTTPS, r.otherwise(shared)) {
		return "", nil
	}
	settings, diagnostics := shared.Settings(ctx, t.table, t.groups)
	return settings.Scheme(t.table), diagnostics
}

// addresses are the URLs of all replicas by host, without those that are not
// known yet.
func (r *Resource[M]) addresses(ctx context.Context, of *M) (map[string]string, diag.Diagnostics) {
	m := r.Shared(of)
	scheme, all := r.scheme(ctx, of)
	instances, diagnostics := m.Instances(ctx, r.data)
	all.Append(diagnostics...)
	urls := map[string]string{}
	if scheme == "" || m.Port.IsUnknown() {
		return urls, all
	}
	for _, r := range instances {
		if r.Address != "" && r.Port != 0 {
			urls[r.Host] = service.URL(scheme, r.Address, r.Port)
		}
	}
	return urls, all
}

// setURLs sets urls: one key for every replica, with a known value where one
// is given. Keys are known from the first plan on, so that for_each over urls
// works.
func (m *Model) setURLs(known map[string]string) {
	if m.Replicas.IsUnknown() {
		m.URLs = types.MapUnknown(types.StringType)
		return
	}
	values := map[string]attr.Value{}
	for _, host := range m.Hosts() {
		values[host] = types.StringUnknown()
		if url, ok := known[host]; ok {
			values[host] = types.StringValue(url)
		}
	}
	m.URLs = types.MapValueMust(types.StringType, values)
}

// readyTimeout converts the attribute.
func (m *Model) readyTimeout() time.Duration {
	d, err := time.ParseDuration(m.ReadyTimeout.ValueString())
	if err != nil || d <= 0 {
		return rollout.ReadyTimeout
	}
	return d
}

// replicaPath points at a replica.
func replicaPath(host string) path.Path { return path.Root("replicas").AtMapKey(host) }

// checkHosts refuses replicas on hosts that the provider block does not have.
func (m *Model) checkHosts(data *providerdata.Data) diag.Diagnostics {
	var all diag.Diagnostics
	for _, name := range m.Hosts() {
		_, err := data.Hosts.Host(name)
		if unknown, is := diags.UnknownHost(replicaPath(name), err); is {
			all.Append(unknown)
		}
	}
	return all
}

// known reports whether the provider block knows all of hosts already, or does
// not have them at all.
func known(data *providerdata.Data, hosts []string) bool {
	for _, host := range hosts {
		if declared, known := data.Hosts.Declares(host); declared && !known {
			return false
		}
	}
	return true
}
