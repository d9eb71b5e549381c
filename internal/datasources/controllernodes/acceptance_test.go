package controllernodes_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/inprocess"
)

// TestAccControllerNodes_gatesAChange: Terraform applies while nodes are as
// wanted, refuses while one is updated, and applies again afterwards; the
// command for nodes is rendered by a real Terraform.
func TestAccControllerNodes_gatesAChange(t *testing.T) {
	url := inprocess.Controller(t, inprocess.NewStore(), inprocess.Env{
		"ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": token, "ANKA_NODE_ACTIVE_TIMEOUT": "1h",
	})
	state := func(id, state string) func() {
		return func() {
			inprocess.Join(t, url, map[string]any{"node_id": id, "node_name": "mac-" + id, "state": state})
		}
	}
	state("1", "Active")()
	state("2", "Active")()
	config := func(input string) string {
		return fmt.Sprintf(`
terraform {
  required_providers {
    anka = { source = "hashicorp/anka" }
  }
}

provider "anka" {
  hosts     = {}
  anka_auth = { root_token = %q }
}

data "anka_controller_nodes" "all" {
  url = %q
}

data "anka_controller_status" "this" {
  url      = %[2]q
  wait_for = { timeout = "30s" }
}

check "nodes" {
  assert {
    condition     = data.anka_controller_nodes.all.active_count >= 1
    error_message = "No node takes VMs. ${data.anka_controller_nodes.all.error}${data.anka_controller_status.this.error}"
  }
}

resource "terraform_data" "gated" {
  input = %q

  lifecycle {
    precondition {
      condition = !data.anka_controller_nodes.all.reachable || (
        data.anka_controller_nodes.all.states["Updating"] == 0 && data.anka_controller_nodes.all.active_count >= 2
      )
      error_message = "Nodes are being updated, or fewer than two are active."
    }
  }
}

output "join" {
  value = provider::anka::join_command([%[2]q, "http://10.0.1.5"], {
    groups       = ["iOS builds"]
    max_vm_count = 1
    cacert       = null
    tls          = false
  })
}
`, token, url, input)
	}
	at := "data.anka_controller_nodes.all"
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				Config: config("a"),
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(at, tfjsonpath.New("nodes"), knownvalue.ListSizeExact(2)),
					statecheck.ExpectKnownValue(at, tfjsonpath.New("nodes").AtSliceIndex(0).AtMapKey("name"), knownvalue.StringExact("mac-1")),
					statecheck.ExpectKnownValue(at, tfjsonpath.New("states").AtMapKey("Updating"), knownvalue.Int64Exact(0)),
					statecheck.ExpectKnownValue("data.anka_controller_status.this", tfjsonpath.New("ready"), knownvalue.Bool(true)),
					statecheck.ExpectKnownOutputValue("join", knownvalue.StringExact(
						"sudo ankacluster join "+url+",http://10.0.1.5 --groups 'iOS builds' --max-vm-count 1")),
				},
			},
			{PreConfig: state("2", "Updating"), Config: config("b"), ExpectError: regexp.MustCompile(`Nodes are being updated`)},
			{PreConfig: state("2", "Active"), Config: config("b")},
			{
				Config:      config("b") + "output \"broken\" {\n  value = provider::anka::join_command([], {})\n}\n",
				ExpectError: regexp.MustCompile(`Invalid value for "urls" parameter: There are no URLs`),
			},
			{Config: config("b"), PlanOnly: true},
		},
	})
}
