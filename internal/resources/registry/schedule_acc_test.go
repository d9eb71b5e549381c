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

// moveLimit is ample for a change of the primary of small registries, and much
// less than what an interval of hours would cost: the source looks every ten
// seconds, the follower that is asked within two, and all controllers are made
// anew, one after the other.
const moveLimit = 75 * time.Second

// wired are controllers that follow the registry's primary, with an etcd.
func wired(target *testlab.Target) string {
	return fmt.Sprintf(`
resource "anka_etcd_cluster" "test" {
  name                  = "acc"
  members               = { h1 = { host = "h1" } }
  purge_data_on_destroy = true
  %s
}

resource "anka_controller" "test" {
  name              = "acc"
  replicas          = { h1 = {}, h2 = {}, h3 = {} }
  etcd_endpoints    = anka_etcd_cluster.test.endpoints
  registry_urls     = anka_registry.test.urls
  push_registry_url = anka_registry.test.primary_url
  %s
}
`, acctest.Image(target.EtcdImage), acctest.Image(target.ControllerImage))
}

// TestAccRegistry_controllersFollow: with hours between two passes a change of
// the primary does not wait for the next one, and loses nothing that came after
// the last; the controllers push to the new primary after the same apply.
func TestAccRegistry_controllersFollow(t *testing.T) {
	lab, target := labAndTarget(t)
	config := func(primary, schedule string) string {
		return acctest.Provider(t, target, "ssh") + wired(target) +
			replicated(target, threeHosts, primary, fmt.Sprintf("replication = {\n    %s\n    image = %q\n  }", schedule, images.Rclone))
	}
	pushTo := func(host string) error {
		for _, each := range lab.Hosts {
			env := shell(t, lab, each.Name, "docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' anka-acc-controller-"+each.Name)
			if want := "ANKA_PUSH_REGISTRY=" + registryURL(lab, host) + "\n"; !strings.Contains(env+"\n", want) {
				return fmt.Errorf("the controller on %s has no %s in\n%s", each.Name, want, env)
			}
		}
		return nil
	}
	var registries map[string]string
	var began time.Time
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config("h1", `every = "3h"`), Check: func(*terraform.State) error {
				push(t, lab, "h1", "template-a", "v1")
				registries = containers(t, lab, "registry")
				// After the first pass there is none for three hours.
				for _, host := range []string{"h2", "h3"} {
					awaitLook(t, "a pass on "+host, func(s string) bool { return strings.Contains(s, `"in_sync":true`) }, func() string {
						return shell(t, lab, host, "docker exec anka-acc-registry-replication-"+host+" cat /run/anka/status.json")
					})
				}
				push(t, lab, "h1", "template-b", "v1")
				return pushTo("h1")
			}},
			{
				PreConfig: func() { began = time.Now() },
				Config:    config("h2", `every = "3h"`),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
					plancheck.ExpectResourceAction("anka_controller.test", plancheck.ResourceActionUpdate),
					plancheck.ExpectResourceAction("anka_etcd_cluster.test", plancheck.ResourceActionNoop),
				}},
				Check: resource.ComposeAggregateTestCheckFunc(
					resource.TestCheckResourceAttrPair("anka_controller.test", "push_registry_url", address, "urls.h2"),
					resource.TestCheckResourceAttr("anka_controller.test", "ready", "true"),
					func(*terraform.State) error {
						took := time.Since(began)
						t.Logf("the primary and the controllers changed within %s", took.Round(100*time.Millisecond))
						if took > moveLimit {
							return fmt.Errorf("the change took %s, more than %s", took, moveLimit)
						}
						kept(t, lab, "registry", registries)
						if got := tree(t, lab, "h2"); !strings.Contains(got, "template-b-v1.ank") {
							return fmt.Errorf("the new primary has only\n%s", got)
						}
						return pushTo("h2")
					}),
			},
			{Config: config("h2", `every = "3h"`), ConfigPlanChecks: emptyPlan()},
		},
	})
}
