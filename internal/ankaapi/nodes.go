package ankaapi

import "context"

// Node is a machine that runs VMs, as a controller lists it. What a controller
// leaves out is zero.
type Node struct {
	ID   string `json:"node_id"`
	Name string `json:"node_name"`
	// State is one of [NodeStates], or one that came later.
	State string `json:"state"`
	// IP is the address or name that others reach the node at.
	IP string `json:"ip_address"`
	// Arch is the architecture, such as "arm64".
	Arch string `json:"host_arch"`
	// Groups are the node groups it belongs to.
	Groups []struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"groups"`
	// Capacity is how many VMs it may run, in CapacityMode "number"; in
	// "resource" its free cores and memory decide.
	Capacity     int64  `json:"capacity"`
	CapacityMode string `json:"capacity_mode"`
	// VMCount is how many VMs run, on VCPUCount virtual CPUs and VRAM GB.
	VMCount   int64 `json:"vm_count"`
	VCPUCount int64 `json:"vcpu_count"`
	VRAM      int64 `json:"vram"`
	// CPUCount is its number of cores, RAM its memory in GB.
	CPUCount int64 `json:"cpu_count"`
	RAM      int64 `json:"ram"`
	// CPUUtil and RAMUtil are the shares of these that VMs use, from 0 to 1.
	CPUUtil float64 `json:"cpu_util"`
	RAMUtil float64 `json:"ram_util"`
	// DiskSize, FreeDiskSpace and AnkaDiskUsage are bytes.
	DiskSize      int64 `json:"disk_size"`
	FreeDiskSpace int64 `json:"free_disk_space"`
	AnkaDiskUsage int64 `json:"anka_disk_usage"`
	// AnkaVersion is the virtualization software on it.
	AnkaVersion struct {
		Product string `json:"product"`
		Version string `json:"version"`
		Build   string `json:"build"`
		License string `json:"license"`
	} `json:"anka_version"`
	// AgentVersion is that of the agent, such as "1.50.1-5e3c3f5b".
	AgentVersion string `json:"agent_version"`
	// LastUpdated is when it last reported, in RFC 3339.
	LastUpdated string `json:"last_updated"`
}

// NodeStates are the documented states of nodes.
var NodeStates = []string{"Active", "Drain Mode", "Inactive (Invalid License)", "Offline", "Unhealthy", "Updating"}

// Nodes asks a controller for all nodes that ever joined and did not leave, in
// the controller's order. Errors are [*Error].
func (c *Client) Nodes(ctx context.Context) ([]Node, error) {
	var nodes []Node
	err := c.ask(ctx, Controller, "/api/v1/node", &nodes)
	return nodes, err
}
