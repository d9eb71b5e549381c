package wire

import "encoding/json"

// Node is one machine that runs instances, as GET /api/v1/node lists it.
type Node struct {
	NodeID        string            `json:"node_id"`
	NodeName      string            `json:"node_name"`
	CPUCount      int               `json:"cpu_count"`
	RAM           int               `json:"ram"` // GiB
	VMCount       int               `json:"vm_count"`
	VCPUCount     int               `json:"vcpu_count"`
	VRAM          int               `json:"vram"`
	CPUUtil       float64           `json:"cpu_util"` // 0 to 1
	RAMUtil       float64           `json:"ram_util"`
	IPAddress     string            `json:"ip_address"`
	State         string            `json:"state"`
	Capacity      int               `json:"capacity"`
	Groups        []Group           `json:"groups"`
	AnkaVersion   map[string]string `json:"anka_version"`
	CapacityMode  string            `json:"capacity_mode"`
	DiskSize      uint64            `json:"disk_size"` // bytes, as the next two
	FreeDiskSpace uint64            `json:"free_disk_space"`
	AnkaDiskUsage uint64            `json:"anka_disk_usage"`
	HostArch      string            `json:"host_arch"`
	Templates     []json.RawMessage `json:"templates"`
	LastUpdated   string            `json:"last_updated"` // RFC 3339
	AgentVersion  string            `json:"agent_version"`
}

// The documented states of a node.
const (
	NodeOffline        = "Offline"
	NodeInvalidLicense = "Inactive (Invalid License)"
	NodeActive         = "Active"
	NodeUpdating       = "Updating"
	NodeUnhealthy      = "Unhealthy"
	NodeDrainMode      = "Drain Mode"
)

// NodeStates are all of them.
var NodeStates = []string{NodeOffline, NodeInvalidLicense, NodeActive, NodeUpdating, NodeUnhealthy, NodeDrainMode}

// Group is a node group.
type Group struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
	Description     string `json:"description"`
	FallbackGroupID string `json:"fallback_group_id"`
}

// Instance is a VM that was asked for. The stand-in keeps its details as given.
type Instance struct {
	InstanceID string          `json:"instance_id"`
	VM         json.RawMessage `json:"vm"`
}

// Template is a VM template in a registry; Versions only where one is asked for by id.
type Template struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Size     int64     `json:"size"` // bytes
	Versions []Version `json:"versions,omitempty"`
}

// Version is one tag of a template and the files it is made of.
type Version struct {
	Number       int      `json:"number"`
	Tag          string   `json:"tag"`
	Description  string   `json:"description"`
	Images       []string `json:"images"`
	StateFiles   []string `json:"state_files"`
	ConfigFile   string   `json:"config_file"`
	NVRAM        string   `json:"nvram"`
	Size         int64    `json:"size"` // bytes
	Arch         string   `json:"arch"`
	CreationDate string   `json:"creation_date"` // RFC 3339, as the next two
	LastPull     string   `json:"last_pull"`
	LastPush     string   `json:"last_push"`
}
