package replicas_test

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
)

const registryAddress = "anka_registry.test"

// registryOn is the resource on the given hosts with further attributes.
func registryOn(target *testlab.Target, hosts string, attributes ...string) string {
	return fmt.Sprintf(`
resource "anka_registry" "test" {
  name     = "acc"
  replicas = { for host in split(" ", %q) : host => {} }
  primary  = "h1"
  %s
  %s
}
`, hosts, acctest.Image(target.RegistryImage), strings.Join(attributes, "\n  "))
}

const threeHosts = "h1 h2 h3"

// TestAccRegistry_overEveryTransport makes three registries, asks each of
// them, and finds nothing to do afterwards.
func TestAccRegistry_overEveryTransport(t *testing.T) {
	target := testlab.ForTest(t)
	for _, transport := range testlab.Transports {
		t.Run(transport, func(t *testing.T) {
			config := acctest.Provider(t, target, transport) + registryOn(target, threeHosts)
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(),
				Steps: []resource.TestStep{
					{
						Config:            config,
						ConfigPlanChecks:  action(registryAddress, plancheck.ResourceActionCreate),
						ConfigStateChecks: []statecheck.StateCheck{ready(registryAddress, true)},
						Check: resource.ComposeAggregateTestCheckFunc(
							answer(registryAddress, "/registry/status", 3),
							resource.TestCheckResourceAttrPair(registryAddress, "primary_url", registryAddress, "urls.h1"),
						),
					},
					{Config: config, ConfigPlanChecks: emptyPlan()},
				},
			})
		})
	}
}

// TestAccRegistry_updatesInPlaceAndScales changes settings, adds a host and
// removes one: data stays, and only what has to change is touched.
func TestAccRegistry_updatesInPlaceAndScales(t *testing.T) {
	lab, target := labAndTarget(t)
	storage := `storage = { path = "/opt/registry-storage", create_path = true }`
	provider := acctest.Provider(t, target, "ssh")
	var before map[string]string
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: provider + registryOn(target, "h1 h2", storage)},
			{
				PreConfig: func() {
					shell(t, lab, "h1", "echo kept > /opt/registry-storage/canary")
					before = ids(t, lab, "registry")
				},
				Config:            provider + registryOn(target, threeHosts, storage),
				ConfigPlanChecks:  action(registryAddress, plancheck.ResourceActionUpdate),
				ConfigStateChecks: []statecheck.StateCheck{ready(registryAddress, true)},
				Check: resource.ComposeAggregateTestCheckFunc(answer(registryAddress, "/readyz", 3), func(*terraform.State) error {
					after := ids(t, lab, "registry")
					if after["h1"] != before["h1"] || after["h2"] != before["h2"] || after["h3"] == "" {
						return fmt.Errorf("adding a host: containers were %v and are %v", before, after)
					}
					return nil
				}),
			},
			{
				Config:            provider + registryOn(target, threeHosts, storage, `env = { ANKA_VM_LIST_CACHE_TTL = "1s" }`),
				ConfigPlanChecks:  action(registryAddress, plancheck.ResourceActionUpdate),
				ConfigStateChecks: []statecheck.StateCheck{ready(registryAddress, true)},
				Check: resource.ComposeAggregateTestCheckFunc(answer(registryAddress, "/readyz", 3), func(*terraform.State) error {
					after := ids(t, lab, "registry")
					for host, id := range after {
						if id == before[host] || strings.Contains(id, "\n") {
							return fmt.Errorf("new settings: containers were %v and are %v", before, after)
						}
					}
					if got := shell(t, lab, "h1", "cat /opt/registry-storage/canary"); got != "kept" {
						return fmt.Errorf("the data is %q", got)
					}
					return nil
				}),
			},
			{
				Config: provider + registryOn(target, "h1 h3", storage, `env = { ANKA_VM_LIST_CACHE_TTL = "1s" }`),
				Check: resource.ComposeAggregateTestCheckFunc(answer(registryAddress, "/readyz", 2), func(*terraform.State) error {
					if left := ids(t, lab, "registry")["h2"]; left != "" {
						return fmt.Errorf("h2 still has %s", left)
					}
					return nil
				}),
			},
			{Config: provider + registryOn(target, "h1 h3", storage, `env = { ANKA_VM_LIST_CACHE_TTL = "1s" }`), ConfigPlanChecks: emptyPlan()},
		},
	})
	if got := shell(t, lab, "h1", "cat /opt/registry-storage/canary"); got != "kept" {
		t.Errorf("after destroying, the data is %q", got)
	}
	if left := ids(t, lab, "registry"); left["h1"]+left["h2"]+left["h3"] != "" {
		t.Errorf("containers are left: %v", left)
	}
}

// TestAccRegistry_repairsDrift: what somebody removed or stopped comes back,
// and nothing else is touched.
func TestAccRegistry_repairsDrift(t *testing.T) {
	lab, target := labAndTarget(t)
	config := acctest.Provider(t, target, "tls") + registryOn(target, threeHosts)
	var before map[string]string
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config},
			{
				PreConfig: func() {
					before = ids(t, lab, "registry")
					docker(t, lab, "h2", "rm", "-f", "anka-acc-registry-h2")
					docker(t, lab, "h3", "stop", "anka-acc-registry-h3")
				},
				Config:            config,
				ConfigPlanChecks:  action(registryAddress, plancheck.ResourceActionUpdate),
				ConfigStateChecks: []statecheck.StateCheck{ready(registryAddress, true)},
				Check: resource.ComposeAggregateTestCheckFunc(answer(registryAddress, "/readyz", 3), func(*terraform.State) error {
					after := ids(t, lab, "registry")
					if after["h1"] != before["h1"] || after["h3"] != before["h3"] || after["h2"] == "" {
						return fmt.Errorf("containers were %v and are %v", before, after)
					}
					return nil
				}),
			},
			{Config: config, ConfigPlanChecks: emptyPlan()},
		},
	})
}

// TestAccRegistry_refusesForeignContainerAndTakenPort: both are errors at plan
// that name host and attribute, and nothing is made or changed.
func TestAccRegistry_refusesForeignContainerAndTakenPort(t *testing.T) {
	lab, target := labAndTarget(t)
	config := acctest.Provider(t, target, "unix") + registryOn(target, threeHosts)
	foreign := docker(t, lab, "h2", "create", "--name", "anka-acc-registry-h2", target.RegistryImage)
	refuse := func(want string) {
		resource.Test(t, resource.TestCase{
			ProtoV6ProviderFactories: acctest.Factories(),
			Steps:                    []resource.TestStep{{Config: config, PlanOnly: true, ExpectError: regexp.MustCompile(want)}},
		})
	}
	refuse(`(?is)Unable to plan registry.*host\s+h2\s+has\s+a\s+container\s+named\s+anka-acc-registry-h2`)
	if now := docker(t, lab, "h2", "inspect", "-f", "{{.Id}}", "anka-acc-registry-h2"); now != foreign {
		t.Errorf("the foreign container was touched: %s, was %s", now, foreign)
	}
	docker(t, lab, "h2", "rm", "anka-acc-registry-h2")
	docker(t, lab, "h3", "run", "-d", "--name", "squatter", "-p", "8089:8089", target.RegistryImage)
	refuse(`(?is)Unable to plan registry.*port\s+8089\s+of\s+host\s+h3.*squatter`)
	if left := ids(t, lab, "registry"); left["h1"]+left["h2"]+left["h3"] != "" {
		t.Errorf("containers were made: %v", left)
	}
}

// TestAccRegistry_failedCreationLeavesNothing: an image that one host lacks and
// a port that only shows as taken at the start are errors that name the host,
// and no container is left anywhere.
func TestAccRegistry_failedCreationLeavesNothing(t *testing.T) {
	lab, target := labAndTarget(t)
	provider := acctest.Provider(t, target, "ssh")
	fail := func(config, want string) {
		resource.Test(t, resource.TestCase{
			ProtoV6ProviderFactories: acctest.Factories(),
			Steps:                    []resource.TestStep{{Config: provider + config, ExpectError: regexp.MustCompile(want)}},
		})
		if left := ids(t, lab, "registry"); left["h1"]+left["h2"]+left["h3"] != "" {
			t.Errorf("containers are left: %v", left)
		}
	}
	docker(t, lab, "h1", "tag", target.RegistryImage, "anka-lab/elsewhere:v1")
	docker(t, lab, "h2", "tag", target.RegistryImage, "anka-lab/elsewhere:v1")
	fail(strings.Replace(registryOn(target, threeHosts), target.RegistryImage, "anka-lab/elsewhere:v1", 1),
		`(?s)Unable to create registry.*host "h3" has\s+no\s+image`)
	docker(t, lab, "h2", "run", "-d", "--network", "host", "--name", "squatter",
		"-e", "ANKA_LISTEN_ADDR=:8089", "-e", "ANKA_BASE_PATH=/tmp", target.RegistryImage)
	fail(registryOn(target, threeHosts), `(?s)Unable to create registry.*host\s+"h2":\s+port\s+8089\s+is\s+already\s+in\s+use`)
}

// TestAccRegistry_hostDown: a host that is down is a warning and nothing is
// planned for it; a change that needs it is an error that touches nothing.
func TestAccRegistry_hostDown(t *testing.T) {
	lab, target := labAndTarget(t)
	provider := acctest.Provider(t, target, "ssh", `connect_timeout = "3s"`)
	config := provider + registryOn(target, threeHosts)
	ctx := context.Background()
	var began time.Time
	var before map[string]string
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config},
			{
				PreConfig: func() {
					before = ids(t, lab, "registry")
					must(t, lab.Host("h3").PowerOff(ctx))
					began = time.Now()
				},
				Config: config, ConfigPlanChecks: emptyPlan(),
			},
			{
				PreConfig: func() {
					if took := time.Since(began); took > timeout {
						t.Errorf("planning with a host down took %s", took)
					}
				},
				Config:      provider + registryOn(target, threeHosts, `env = { ANKA_V = "5" }`),
				ExpectError: regexp.MustCompile(`(?s)has\s+to\s+change\s+on\s+host\s+h3\s+\(its configuration changed\),\s+which\s+cannot\s+be\s+reached`),
			},
			{
				PreConfig: func() {
					must(t, lab.Host("h3").PowerOn(ctx))
					if after := ids(t, lab, "registry"); !maps.Equal(before, after) {
						t.Errorf("containers were %v and are %v", before, after)
					}
				},
				Config:            config,
				ConfigStateChecks: []statecheck.StateCheck{ready(registryAddress, true)},
			},
			{Config: config, ConfigPlanChecks: emptyPlan()},
		},
	})
}
