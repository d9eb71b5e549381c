package registry_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

const address = "anka_registry.test"

// replicated is the resource on the given hosts, with a replication of two
// seconds and further attributes.
func replicated(target *testlab.Target, hosts, primary string, attributes ...string) string {
	return fmt.Sprintf(`
resource "anka_registry" "test" {
  name     = "acc"
  replicas = { for host in split(" ", %q) : host => {} }
  primary  = %q
  %s
  %s
}
`, hosts, primary, acctest.Image(target.RegistryImage), strings.Join(attributes, "\n  "))
}

// every2s is the replication of the tests.
func every2s(further string) string {
	return fmt.Sprintf(`replication = {
    interval = 2
    image    = %q
    %s
  }`, images.Rclone, further)
}

const threeHosts = "h1 h2 h3"

func emptyPlan() resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
}

func updated() resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate)}}
}

// kept fails when a container of the role is another than before.
func kept(t testing.TB, lab *testlab.Lab, role string, before map[string]string) {
	t.Helper()
	for host, id := range containers(t, lab, role) {
		if id != before[host] {
			t.Errorf("%s: the %s on %s was %s and is %s", t.Name(), role, host, before[host], id)
		}
	}
}

// TestAccRegistry_replicates: what is pushed to the primary is on all replicas
// soon. Changes and repairs of the replication never touch a
// registry, and destroying keeps the data.
func TestAccRegistry_replicates(t *testing.T) {
	lab, target := labAndTarget(t)
	provider := acctest.Provider(t, target, "ssh")
	plain := provider + replicated(target, threeHosts, "h1", every2s(""))
	limited := provider + replicated(target, threeHosts, "h1", every2s("bandwidth_limit = 50000000"))
	var registries, copies map[string]string
	look := func(*terraform.State) error {
		registries, copies = containers(t, lab, "registry"), containers(t, lab, "registry-replication")
		for host, id := range copies {
			if id == "" {
				return fmt.Errorf("%s has no container of the replication", host)
			}
		}
		return nil
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: plain, Check: look},
			{
				PreConfig: func() {
					for i := range 5 {
						push(t, lab, "h1", "template-a", fmt.Sprint("v", i))
					}
					push(t, lab, "h1", "template-b", "v1")
					t.Logf("the replicas were equal after %s", equal(t, lab, 14, "h1", "h2", "h3").Round(100*time.Millisecond))
				},
				Config: plain, ConfigPlanChecks: emptyPlan(),
			},
			{
				Config: limited, ConfigPlanChecks: updated(),
				Check: func(s *terraform.State) error {
					kept(t, lab, "registry", registries)
					push(t, lab, "h1", "template-c", "v1")
					equal(t, lab, 17, "h1", "h2", "h3")
					return look(s)
				},
			},
			{Config: limited, ConfigPlanChecks: emptyPlan()},
			{
				// The registries were made before replication became what it is.
				ResourceName: address, ImportState: true, ImportStateId: "acc", ImportStateVerify: true,
			},
			{
				// Expects that the plan with the import changes nothing.
				Config: limited, ResourceName: address, ImportState: true, ImportStateId: "acc",
				ImportStateKind: resource.ImportBlockWithID,
			},
			{
				PreConfig: func() { shell(t, lab, "h2", "docker rm -f anka-acc-registry-replication-h2") },
				Config:    limited, ConfigPlanChecks: updated(),
				Check: func(s *terraform.State) error {
					kept(t, lab, "registry", registries)
					return look(s)
				},
			},
			{
				PreConfig: func() { shell(t, lab, "h3", "docker stop anka-acc-registry-replication-h3") },
				Config:    limited, ConfigPlanChecks: updated(),
				Check: func(*terraform.State) error {
					kept(t, lab, "registry-replication", copies) // started, not made anew
					push(t, lab, "h1", "template-d", "v1")
					equal(t, lab, 20, "h1", "h2", "h3")
					return nil
				},
			},
			{Config: limited, ConfigPlanChecks: emptyPlan()},
		},
	})
	for _, role := range []string{"registry", "registry-replication"} {
		for host, id := range containers(t, lab, role) {
			if id != "" {
				t.Errorf("after destroying, %s still has a %s", host, role)
			}
		}
	}
	equal(t, lab, 20, "h1", "h2", "h3")
}
