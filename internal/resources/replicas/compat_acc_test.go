package replicas_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
)

// TestAccController_compatibility: controllers are refused beside a registry
// that is too old or has another root token, and made in the same apply that
// puts that right, in which the registry comes first.
func TestAccController_compatibility(t *testing.T) {
	lab, target := labAndTarget(t)
	// An old registry: the stand-in under an old tag, which says so, too.
	name, _, _ := strings.Cut(target.RegistryImage, ":")
	old := name + ":v1.40.0"
	docker(t, lab, "h1", "tag", target.RegistryImage, old)
	base := acctest.Provider(t, target, "ssh") + fmt.Sprintf(`
resource "anka_etcd_cluster" "test" {
  name    = "acc"
  members = { etcd-1 = { host = "h1" } }
  %s
}
`, acctest.Image(target.EtcdImage))
	registry := func(image string, more ...string) string {
		return fmt.Sprintf(`
resource "anka_registry" "test" {
  name     = "acc"
  replicas = { h1 = {} }
  image    = %q
  %s
}
`, image, strings.Join(more, "\n  "))
	}
	controller := func(more ...string) string {
		return fmt.Sprintf(`
resource "anka_controller" "test" {
  name           = "acc"
  replicas       = { h1 = {} }
  etcd_endpoints = anka_etcd_cluster.test.endpoints
  registry_urls  = anka_registry.test.urls
  %s
  %s
}
`, acctest.Image(target.ControllerImage), strings.Join(more, "\n  "))
	}
	token := func(value string, version int) string {
		return fmt.Sprintf("root_token_wo = %q\n  root_token_wo_version = %d", value, version)
	}
	const is140 = `env = { ANKASIM_VERSION = "1.40.0-lab" }`
	const first, second = "canary-0123456789", "canary-9876543210"
	untouched := func(*terraform.State) error {
		if found := docker(t, lab, "h1", "ps", "-aq", "--filter", "label=io.github.anka-ha.role=controller"); found != "" {
			return fmt.Errorf("there are controllers: %s", found)
		}
		return nil
	}
	served := []statecheck.StateCheck{ready(registryAddress, true), ready(controllerAddress, true)}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				// Nothing runs yet, and the tags tell.
				Config:      base + registry(old, is140) + controller(),
				ExpectError: regexp.MustCompile(`(?s)Registry is too old for the controllers.*planned by\s+anka_registry "acc"`),
			},
			{Config: base + registry(old, is140), Check: untouched},
			{
				// The running one is asked.
				Config:      base + registry(old, is140) + controller(),
				ExpectError: regexp.MustCompile(`(?s)Registry is too old for the controllers.*it\s+answers\s+as\s+1\.40\.0-lab`),
			},
			{
				Config:      base + registry(target.RegistryImage, token(first, 1)) + controller(token(second, 1)),
				ExpectError: regexp.MustCompile(`Root tokens differ`),
			},
			{
				// Upgrade, token and controllers in one apply.
				PreConfig:         func() { must(t, untouched(nil)) },
				Config:            base + registry(target.RegistryImage, token(first, 1)) + controller(token(first, 1)),
				ConfigStateChecks: served,
			},
			{
				Config:      base + registry(target.RegistryImage, token(first, 1)) + controller(),
				ExpectError: regexp.MustCompile(`Root token on one side only`),
			},
			{
				Config:            base + registry(target.RegistryImage, token(second, 2)) + controller(token(second, 2)),
				ConfigPlanChecks:  action(controllerAddress, plancheck.ResourceActionUpdate),
				ConfigStateChecks: served,
			},
			{Config: base + registry(target.RegistryImage, token(second, 2)) + controller(token(second, 2)), ConfigPlanChecks: emptyPlan()},
		},
	})
}
