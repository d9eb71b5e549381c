package controllernodes_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
	"github.com/anka-ha/terraform-provider-anka/internal/datasources/controllernodes"
	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/inprocess"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
)

const token = "canary-root-token"

// cloud is a locked controller with four nodes.
func cloud(t *testing.T) (url string, data *providerdata.Data) {
	t.Helper()
	url = inprocess.Controller(t, inprocess.NewStore(), inprocess.Env{"ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": token})
	ios := []map[string]any{{"id": "g1", "name": "iOS"}, {"id": "g2", "name": "a group"}}
	for _, node := range []map[string]any{
		{
			"node_id": "n1", "node_name": "mac-1", "state": "Active", "groups": ios, "ip_address": "10.0.2.1", "host_arch": "arm64",
			"cpu_count": 12, "ram": 36, "vm_count": 1, "vcpu_count": 6, "vram": 8, "cpu_util": 0.25, "ram_util": 0.5, "capacity": 2,
			"capacity_mode": "number", "disk_size": 994662584320, "free_disk_space": 306762862592, "anka_disk_usage": 132683026432,
			"anka_version":  map[string]string{"product": "Anka", "version": "3.5.0", "build": "191", "license": "com.veertu.anka.entplus"},
			"agent_version": "1.50.1-5e3c3f5b",
		},
		{"node_id": "n2", "node_name": "mac-2", "state": "Updating", "groups": ios},
		{"node_id": "n3", "node_name": "mac-3", "state": "Active"},
		{"node_id": "n4", "node_name": "mac-4", "state": "Drain Mode"},
	} {
		inprocess.Join(t, url, node)
	}
	return url, &providerdata.Data{Hosts: dockerhost.NewFleet(), Credentials: ankaapi.Credentials{RootToken: token}}
}

func TestRead_filtersAndCounts(t *testing.T) {
	url, data := cloud(t)
	all := map[string]int64{"Active": 2, "Drain Mode": 1, "Inactive (Invalid License)": 0, "Offline": 0, "Unhealthy": 0, "Updating": 1}
	ios := map[string]int64{"Active": 1, "Drain Mode": 0, "Inactive (Invalid License)": 0, "Offline": 0, "Unhealthy": 0, "Updating": 1}
	none := map[string]int64{"Active": 0, "Drain Mode": 0, "Inactive (Invalid License)": 0, "Offline": 0, "Unhealthy": 0, "Updating": 0}
	for name, c := range map[string]struct {
		config protocol.Object
		names  string
		states map[string]int64
	}{
		"all":             {protocol.Object{}, "mac-1 mac-2 mac-3 mac-4", all},
		"state":           {protocol.Object{"state": "Active"}, "mac-1 mac-3", all},
		"group":           {protocol.Object{"group": "iOS"}, "mac-1 mac-2", ios},
		"group by ID":     {protocol.Object{"group": "g1"}, "mac-1 mac-2", ios},
		"group and state": {protocol.Object{"group": "iOS", "state": "Updating"}, "mac-2", ios},
		"unknown group":   {protocol.Object{"group": "else"}, "", none},
	} {
		t.Run(name, func(t *testing.T) {
			c.config["url"] = url
			resp := protocol.Read(t, controllernodes.New(), data, c.config)
			if resp.Diagnostics.HasError() {
				t.Fatal(resp.Diagnostics)
			}
			if got := strings.Join(names(t, resp), " "); got != c.names {
				t.Errorf("nodes: %s", got)
			}
			if got := protocol.Get[map[string]int64](t, resp, path.Root("states")); !maps.Equal(got, c.states) {
				t.Errorf("states: %v", got)
			}
			if got := protocol.Get[int64](t, resp, path.Root("active_count")); got != c.states["Active"] {
				t.Errorf("active_count: %d", got)
			}
			if !protocol.Get[bool](t, resp, path.Root("reachable")) || protocol.Get[string](t, resp, path.Root("error")) != "" {
				t.Errorf("state: %s", resp.State.Raw)
			}
		})
	}
}

func names(t *testing.T, resp datasource.ReadResponse) []string {
	t.Helper()
	var all []string
	for i := range protocol.Get[[]types.Object](t, resp, path.Root("nodes")) {
		all = append(all, protocol.Get[string](t, resp, path.Root("nodes").AtListIndex(i).AtName("name")))
	}
	return all
}

// TestRead_everyAttribute: each of them shows what the controller said.
func TestRead_everyAttribute(t *testing.T) {
	url, data := cloud(t)
	resp := protocol.Read(t, controllernodes.New(), data, protocol.Object{"url": url})
	first := path.Root("nodes").AtListIndex(0)
	for name, want := range map[string]string{
		"id": "n1", "name": "mac-1", "state": "Active", "ip_address": "10.0.2.1", "arch": "arm64", "capacity_mode": "number",
		"anka_version": "3.5.0", "anka_build": "191", "anka_license": "com.veertu.anka.entplus", "agent_version": "1.50.1-5e3c3f5b",
	} {
		if got := protocol.Get[string](t, resp, first.AtName(name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]int64{
		"capacity": 2, "vm_count": 1, "vcpu_count": 6, "vram": 8, "cpu_count": 12, "ram": 36,
		"disk_size": 994662584320, "free_disk_space": 306762862592, "anka_disk_usage": 132683026432,
	} {
		if got := protocol.Get[int64](t, resp, first.AtName(name)); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	for name, want := range map[string]float64{"cpu_util": 0.25, "ram_util": 0.5} {
		if got := protocol.Get[float64](t, resp, first.AtName(name)); got != want {
			t.Errorf("%s: %g, want %g", name, got, want)
		}
	}
	if got := protocol.Get[[]string](t, resp, first.AtName("groups")); !slices.Equal(got, []string{"a group", "iOS"}) {
		t.Errorf("groups: %v", got)
	}
	if got := protocol.Get[string](t, resp, first.AtName("last_updated")); got == "" {
		t.Error("last_updated is empty")
	}
	if got := protocol.Get[[]string](t, resp, path.Root("nodes").AtListIndex(2).AtName("groups")); len(got) != 0 {
		t.Errorf("groups of a node without: %v", got)
	}
}

// TestRead_noAnswer: an error, or data with numbers to count with.
func TestRead_noAnswer(t *testing.T) {
	url, _ := cloud(t)
	fleet := dockerhost.NewFleet()
	fleet.AddUnknown("h2")
	data := &providerdata.Data{Hosts: fleet}
	const closed = "http://127.0.0.1:1"
	for name, c := range map[string]struct {
		config    protocol.Object
		summary   string // of the error, "" for none
		says      string
		reachable bool
	}{
		"closed":            {protocol.Object{"url": closed}, "Controller is unreachable", "connection was refused", false},
		"closed, allowed":   {protocol.Object{"url": closed, "allow_unreachable": true}, "", "connection was refused", false},
		"refused":           {protocol.Object{"url": url}, "Controller refuses the credentials", "none were sent", false},
		"refused, allowed":  {protocol.Object{"url": url, "allow_unreachable": true}, "", "none were sent", true},
		"registry, allowed": {protocol.Object{"url": inprocess.Registry(t, nil), "allow_unreachable": true}, "Not a controller", "the URL of a registry", false},
		"unknown host":      {protocol.Object{"url": url, "host": "h9"}, "Unknown host", `There is no host "h9"`, false},
		"pending host":      {protocol.Object{"url": url, "host": "h2"}, "", "not known yet", false},
	} {
		t.Run(name, func(t *testing.T) {
			resp := protocol.Read(t, controllernodes.New(), data, c.config)
			if c.summary != "" {
				if resp.Diagnostics.ErrorsCount() != 1 || resp.Diagnostics[0].Summary() != c.summary || !strings.Contains(resp.Diagnostics[0].Detail(), c.says) {
					t.Errorf("got %v", resp.Diagnostics)
				}
				return
			}
			if resp.Diagnostics.HasError() || protocol.Get[bool](t, resp, path.Root("reachable")) != c.reachable ||
				!strings.Contains(protocol.Get[string](t, resp, path.Root("error")), c.says) || len(names(t, resp)) != 0 ||
				protocol.Get[map[string]int64](t, resp, path.Root("states"))["Updating"] != 0 {
				t.Errorf("got %v\n%s", resp.Diagnostics, resp.State.Raw)
			}
		})
	}
}
