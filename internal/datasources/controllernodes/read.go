package controllernodes

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/controllerattr"
)

// model is the data source as configuration and state hold it.
type model struct {
	controllerattr.Target
	Group       types.String     `tfsdk:"group"`
	State       types.String     `tfsdk:"state"`
	Nodes       []node           `tfsdk:"nodes"`
	States      map[string]int64 `tfsdk:"states"`
	ActiveCount types.Int64      `tfsdk:"active_count"`
	Reachable   types.Bool       `tfsdk:"reachable"`
	Error       types.String     `tfsdk:"error"`
}

type node struct {
	ID            string   `tfsdk:"id"`
	Name          string   `tfsdk:"name"`
	State         string   `tfsdk:"state"`
	IPAddress     string   `tfsdk:"ip_address"`
	Arch          string   `tfsdk:"arch"`
	Groups        []string `tfsdk:"groups"`
	Capacity      int64    `tfsdk:"capacity"`
	CapacityMode  string   `tfsdk:"capacity_mode"`
	VMCount       int64    `tfsdk:"vm_count"`
	VCPUCount     int64    `tfsdk:"vcpu_count"`
	VRAM          int64    `tfsdk:"vram"`
	CPUCount      int64    `tfsdk:"cpu_count"`
	RAM           int64    `tfsdk:"ram"`
	CPUUtil       float64  `tfsdk:"cpu_util"`
	RAMUtil       float64  `tfsdk:"ram_util"`
	DiskSize      int64    `tfsdk:"disk_size"`
	FreeDiskSpace int64    `tfsdk:"free_disk_space"`
	AnkaDiskUsage int64    `tfsdk:"anka_disk_usage"`
	AnkaVersion   string   `tfsdk:"anka_version"`
	AnkaBuild     string   `tfsdk:"anka_build"`
	AnkaLicense   string   `tfsdk:"anka_license"`
	AgentVersion  string   `tfsdk:"agent_version"`
	LastUpdated   string   `tfsdk:"last_updated"`
}

// active is the state of nodes that take VMs.
const active = "Active"

// Read asks the controller.
func (d *nodesDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	answer := statusops.NodeAnswer{Failure: controllerattr.PendingFailure}
	if warning, pending := m.Pending(d.Data); pending {
		resp.Diagnostics.Append(warning)
	} else {
		var err error
		if answer, err = statusops.AskNodes(ctx, m.Question(d.Data)); err != nil {
			resp.Diagnostics.Append(controllerattr.Failure(err, d.Data.CredentialsUnknown))
			return
		}
	}
	m.settle(answer)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// settle fills in what the controller answered.
func (m *model) settle(answer statusops.NodeAnswer) {
	m.Reachable, m.Error = types.BoolValue(answer.Reachable), types.StringValue(answer.Failure)
	m.Nodes, m.States = []node{}, map[string]int64{}
	for _, state := range statusops.NodeStates() {
		m.States[state] = 0
	}
	for _, n := range answer.Nodes {
		if !m.inGroup(n) {
			continue
		}
		m.States[n.State]++
		if m.State.IsNull() || m.State.ValueString() == n.State {
			m.Nodes = append(m.Nodes, listed(n))
		}
	}
	m.ActiveCount = types.Int64Value(m.States[active])
}

func (m *model) inGroup(n statusops.Node) bool {
	if m.Group.IsNull() {
		return true
	}
	for _, group := range n.Groups {
		if wanted := m.Group.ValueString(); group.Name == wanted || group.ID == wanted {
			return true
		}
	}
	return false
}

func listed(n statusops.Node) node {
	groups := []string{}
	for _, group := range n.Groups {
		groups = append(groups, group.Name)
	}
	slices.Sort(groups)
	return node{
		ID: n.ID, Name: n.Name, State: n.State, IPAddress: n.IP, Arch: n.Arch, Groups: groups,
		Capacity: n.Capacity, CapacityMode: n.CapacityMode, VMCount: n.VMCount, VCPUCount: n.VCPUCount, VRAM: n.VRAM,
		CPUCount: n.CPUCount, RAM: n.RAM, CPUUtil: n.CPUUtil, RAMUtil: n.RAMUtil,
		DiskSize: n.DiskSize, FreeDiskSpace: n.FreeDiskSpace, AnkaDiskUsage: n.AnkaDiskUsage,
		AnkaVersion: n.AnkaVersion.Version, AnkaBuild: n.AnkaVersion.Build, AnkaLicense: n.AnkaVersion.License,
		AgentVersion: n.AgentVersion, LastUpdated: n.LastUpdated,
	}
}
