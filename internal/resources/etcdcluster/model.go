package etcdcluster

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/dockerattr"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// model is the resource as configuration, plan and state hold it.
type model struct {
	tunables
	ID                   types.String   `tfsdk:"id"`
	Name                 types.String   `tfsdk:"name"`
	Image                types.String   `tfsdk:"image"`
	EtcdVersion          types.String   `tfsdk:"etcd_version"`
	Members              types.Map      `tfsdk:"members"`
	DataPath             types.String   `tfsdk:"data_path"`
	BindIP               types.String   `tfsdk:"bind_ip"`
	Env                  types.Map      `tfsdk:"env"`
	ExtraArgs            types.List     `tfsdk:"extra_args"`
	RestartPolicy        types.String   `tfsdk:"restart_policy"`
	Log                  types.Object   `tfsdk:"log"`
	PurgeDataOnDestroy   types.Bool     `tfsdk:"purge_data_on_destroy"`
	SnapshotBeforeChange types.Object   `tfsdk:"snapshot_before_change"`
	Timeouts             timeouts.Value `tfsdk:"timeouts"`
	Endpoints            types.List     `tfsdk:"endpoints"`
	ClusterID            types.String   `tfsdk:"cluster_id"`
	Version              types.String   `tfsdk:"version"`
	Ready                types.Bool     `tfsdk:"ready"`
	DegradedReason       types.String   `tfsdk:"degraded_reason"`
}

type memberModel struct {
	Host       types.String `tfsdk:"host"`
	ClientPort types.Int64  `tfsdk:"client_port"`
	PeerPort   types.Int64  `tfsdk:"peer_port"`
	BindIP     types.String `tfsdk:"bind_ip"`
	ID         types.String `tfsdk:"id"`
	ClientURL  types.String `tfsdk:"client_url"`
	PeerURL    types.String `tfsdk:"peer_url"`
	Data       types.String `tfsdk:"data"`
}

var memberType = types.ObjectType{AttrTypes: map[string]attr.Type{
	"host": types.StringType, "client_port": types.Int64Type, "peer_port": types.Int64Type, "bind_ip": types.StringType,
	"id": types.StringType, "client_url": types.StringType, "peer_url": types.StringType, "data": types.StringType,
}}

// members converts the map; unknown gives nil.
func (m model) members(ctx context.Context) (map[string]memberModel, diag.Diagnostics) {
	if m.Members.IsNull() || m.Members.IsUnknown() {
		return nil, nil
	}
	converted := map[string]memberModel{}
	var all diag.Diagnostics
	for name, element := range m.Members.Elements() {
		object, is := element.(types.Object)
		switch {
		case !is || object.IsNull():
			all.AddAttributeError(memberPath(name, ""), "Missing member", "The member is null. Leave it out, or give it a host.")
		case object.IsUnknown():
			converted[name] = memberModel{
				Host: types.StringUnknown(), ClientPort: types.Int64Unknown(), PeerPort: types.Int64Unknown(), BindIP: types.StringUnknown(),
			}
		default:
			var member memberModel
			all.Append(object.As(ctx, &member, basetypes.ObjectAsOptions{})...)
			converted[name] = member
		}
	}
	return converted, all
}

// setMembers is the reverse of members.
func (m *model) setMembers(ctx context.Context, members map[string]memberModel) diag.Diagnostics {
	value, diagnostics := types.MapValueFrom(ctx, memberType, members)
	m.Members = value
	return diagnostics
}

// settings converts what shapes a running member.
func (m model) settings(ctx context.Context) (etcd.Settings, diag.Diagnostics) {
	var all diag.Diagnostics
	s := etcd.Settings{
		Tuned:     m.tuned(),
		BindIP:    m.BindIP.ValueString(),
		Restart:   m.RestartPolicy.ValueString(),
		StopGrace: stopGrace,
	}
	env, diagnostics := dockerattr.Strings(ctx, m.Env)
	all.Append(diagnostics...)
	s.Env = env
	if !m.ExtraArgs.IsNull() && !m.ExtraArgs.IsUnknown() {
		all.Append(m.ExtraArgs.ElementsAs(ctx, &s.ExtraArgs, false)...)
	}
	log, diagnostics := dockerattr.LogOf(ctx, m.Log)
	all.Append(diagnostics...)
	s.Log = log
	return s, all
}

// desired converts the model to what the planner takes. The addresses come
// from the provider block; a host that is missing there leaves its members'
// addresses empty. Nothing unknown may be left in the model's settings.
func (r *clusterResource) desired(ctx context.Context, m model) (etcd.Desired, diag.Diagnostics) {
	settings, all := m.settings(ctx)
	members, diagnostics := m.members(ctx)
	all.Append(diagnostics...)
	version, diagnostics := m.imageVersion()
	all.Append(diagnostics...)
	d := etcd.Desired{
		Cluster:  m.Name.ValueString(),
		Image:    m.Image.ValueString(),
		DataPath: m.DataPath.ValueString(),
		Settings: settings,

		Version:        versionText(version),
		SnapshotBefore: !m.SnapshotBeforeChange.IsNull(),
	}
	for name, member := range members {
		one := etcd.Member{
			Name:       name,
			Host:       member.Host.ValueString(),
			ClientPort: int(member.ClientPort.ValueInt64()),
			PeerPort:   int(member.PeerPort.ValueInt64()),
			BindIP:     member.BindIP.ValueString(),
		}
		if host, err := r.data.Hosts.Host(one.Host); err == nil {
			one.Address = host.Address()
		}
		one.Incarnation = d.IncarnationOf(one, member.Data.ValueString())
		d.Members = append(d.Members, one)
	}
	return d, all
}

// known reports whether everything that shapes containers is known, so that a
// plan can be made.
func (m model) known(members map[string]memberModel) bool {
	for _, v := range m.values() {
		if v.IsUnknown() {
			return false
		}
	}
	for _, v := range []attr.Value{
		m.Name, m.Image, m.EtcdVersion, m.Members, m.DataPath,
		m.BindIP, m.Env, m.ExtraArgs, m.RestartPolicy, m.Log,
	} {
		if v.IsUnknown() {
			return false
		}
	}
	for _, collection := range []attr.Value{m.Env, m.ExtraArgs, m.Log} {
		if containsUnknown(collection) {
			return false
		}
	}
	for _, member := range members {
		for _, v := range []attr.Value{member.Host, member.ClientPort, member.PeerPort, member.BindIP} {
			if v.IsUnknown() {
				return false
			}
		}
	}
	return true
}

func containsUnknown(value attr.Value) bool {
	var elements []attr.Value
	switch v := value.(type) {
	case types.Map:
		for _, e := range v.Elements() {
			elements = append(elements, e)
		}
	case types.List:
		elements = v.Elements()
	case types.Object:
		for _, e := range v.Attributes() {
			elements = append(elements, e)
		}
	}
	for _, e := range elements {
		if e.IsUnknown() {
			return true
		}
	}
	return false
}

// memberPath points at one member, or at one of its attributes.
func memberPath(member, attribute string) path.Path {
	at := path.Root("members")
	if member == "" {
		return at
	}
	at = at.AtMapKey(member)
	if attribute == "" {
		return at
	}
	return at.AtName(attribute)
}

// checkHosts refuses members on hosts that the provider block does not have.
func (r *clusterResource) checkHosts(members map[string]memberModel) diag.Diagnostics {
	var all diag.Diagnostics
	for name, member := range members {
		if member.Host.IsUnknown() {
			continue
		}
		_, err := r.data.Hosts.Host(member.Host.ValueString())
		if unknown, is := diags.UnknownHost(memberPath(name, "host"), err); is {
			all.Append(unknown)
		}
	}
	return all
}
