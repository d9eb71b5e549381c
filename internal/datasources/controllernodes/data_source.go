// Package controllernodes is the data source anka_controller_nodes. It belongs
// to the layer of the framework: it loads, asks, and saves.
package controllernodes

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/computed"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/controllerattr"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
)

var _ datasource.DataSourceWithConfigure = (*nodesDataSource)(nil)

type nodesDataSource struct {
	providerdata.DataSource
}

// New makes the data source for the provider.
func New() datasource.DataSource {
	return &nodesDataSource{providerdata.DataSource{Name: "controller_nodes"}}
}

// Schema describes the data source.
func (d *nodesDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The nodes that are joined to the Anka Build Cloud, as a controller lists them: to check, or to gate a change on, what they do. " +
			"All controllers on one etcd cluster have the same list, so asking one is enough.\n\n" +
			"A precondition in `anka_controller` or `anka_registry` must name the URL literally, as in the example: a URL that comes from the resource " +
			"is a cycle. " + controllerattr.Credentials,
		Attributes: controllerattr.AddTo(map[string]schema.Attribute{
			"group": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Name or ID of a node group. Only its nodes are listed and counted then.",
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"state": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "A state of nodes, such as `Active`. Only nodes in it are in `nodes` then; `states` and `active_count` " +
					"count the others too.",
				Validators: []validator.String{stringvalidator.OneOf(statusops.NodeStates()...)},
			},
			"nodes": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "The nodes, sorted by name. Texts are empty and numbers zero where the controller did not say them.",
				NestedObject: schema.NestedAttributeObject{Attributes: nodeAttributes()},
			},
			"states": schema.MapAttribute{
				Computed: true, ElementType: types.Int64Type,
				MarkdownDescription: "How many nodes are in each state. `" + strings.Join(statusops.NodeStates(), "`, `") + "` are always there, with `0` if need be.",
			},
			"active_count": computed.Number("How many nodes are `Active`: they take new VMs."),
			"reachable":    computed.Flag("Whether the controller answered at all."),
			"error":        computed.Text("With `allow_unreachable`: why there is no list. Empty when there is one."),
		}),
	}
}

func nodeAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":         computed.Text("ID of the node."),
		"name":       computed.Text("Name, that of the machine unless it joined with another (`ankacluster join --name`)."),
		"state":      computed.Text("`Active`, `Drain Mode`, `Inactive (Invalid License)`, `Offline`, `Unhealthy` or `Updating`."),
		"ip_address": computed.Text("Address or name at which CI tools reach the VMs of the node."),
		"arch":       computed.Text("Architecture, such as `arm64`."),
		"groups": schema.ListAttribute{
			Computed: true, ElementType: types.StringType, MarkdownDescription: "Names of the node groups it belongs to, sorted.",
		},
		"capacity":        computed.Number("How many VMs it may run at the same time, in the capacity mode `number`."),
		"capacity_mode":   computed.Text("`number`: `capacity` decides whether it takes a VM. `resource`: its unused CPUs and memory do."),
		"vm_count":        computed.Number("How many VMs run on it."),
		"vcpu_count":      computed.Number("Virtual CPUs of these VMs."),
		"vram":            computed.Number("Memory of these VMs, in GB."),
		"cpu_count":       computed.Number("Its CPU cores."),
		"ram":             computed.Number("Its memory, in GB."),
		"cpu_util":        share("CPU use of the running VMs"),
		"ram_util":        share("Memory use of the running VMs"),
		"disk_size":       computed.Number("Size of its disk, in bytes."),
		"free_disk_space": computed.Number("Free space on it, in bytes."),
		"anka_disk_usage": computed.Number("Space that Anka's VMs and templates use, in bytes."),
		"anka_version":    computed.Text("Version of the Anka virtualization software, such as `3.5.0`."),
		"anka_build":      computed.Text("Build of it, such as `191`."),
		"anka_license":    computed.Text("Its kind of license, such as `com.veertu.anka.entplus`."),
		"agent_version":   computed.Text("Version of the agent, such as `1.50.1-5e3c3f5b`. After an upgrade of the controllers the agents follow by themselves, and their nodes are `Updating` meanwhile."),
		"last_updated":    computed.Text("When it last reported, as RFC 3339. A node that has not for `ANKA_NODE_ACTIVE_TIMEOUT` (2 minutes) is `Offline`."),
	}
}

func share(description string) schema.Float64Attribute {
	return schema.Float64Attribute{Computed: true, MarkdownDescription: description + ", from `0` to `1`."}
}
