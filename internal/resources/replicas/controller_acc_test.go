package replicas_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/sampler"
)

const controllerAddress = "anka_controller.test"

// status is the data source over all controllers.
const status = `
data "anka_controller_status" "test" {
  for_each = anka_controller.test.urls
  host     = each.key
  url      = each.value
}
`

// topology is etcd, registries and controllers on three hosts, with further
// attributes for the controllers. The last step of a test must be without
// status: the test framework cannot read a state with for_each in the end.
func topology(target *testlab.Target, attributes ...string) string {
	return registryOn(target, threeHosts) + controllersOn(target, attributes...)
}

// controllersOn is etcd and controllers beside the registries of registryOn.
func controllersOn(target *testlab.Target, attributes ...string) string {
	return fmt.Sprintf(`
resource "anka_etcd_cluster" "test" {
  name = "acc"
  %s
  members = {
    etcd-1 = { host = "h1" }
    etcd-2 = { host = "h2" }
    etcd-3 = { host = "h3" }
  }
}

resource "anka_controller" "test" {
  name              = "acc"
  replicas          = { h1 = {}, h2 = {}, h3 = {} }
  etcd_endpoints    = anka_etcd_cluster.test.endpoints
  registry_urls     = anka_registry.test.urls
  push_registry_url = anka_registry.test.primary_url
  %s
  %s
}
`, acctest.Image(target.EtcdImage), acctest.Image(target.ControllerImage), strings.Join(attributes, "\n  "))
}

// statuses checks what every controller says.
func statuses() []statecheck.StateCheck {
	var checks []statecheck.StateCheck
	for _, host := range []string{"h1", "h2", "h3"} {
		at := fmt.Sprintf("data.anka_controller_status.test[%q]", host)
		for name, want := range map[string]knownvalue.Check{
			"status": knownvalue.StringExact("Running"), "registry_status": knownvalue.StringExact("Running"),
			"ready": knownvalue.Bool(true), "reachable": knownvalue.Bool(true), "version": knownvalue.StringRegexp(regexp.MustCompile(`^\d+\.\d+`)),
			"license": knownvalue.NotNull(), "error": knownvalue.StringExact(""),
		} {
			checks = append(checks, statecheck.ExpectKnownValue(at, tfjsonpath.New(name), want))
		}
	}
	return checks
}

// TestAccController_wholeTopology builds everything in one apply, reads all
// controllers, and finds nothing to do afterwards.
func TestAccController_wholeTopology(t *testing.T) {
	target := testlab.ForTest(t)
	base := acctest.Provider(t, target, "ssh") + topology(target)
	config := base + status
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				Config:            config,
				ConfigPlanChecks:  action(controllerAddress, plancheck.ResourceActionCreate),
				ConfigStateChecks: append(statuses(), ready(controllerAddress, true), stateCheck(ownRegistry)),
			},
			{Config: config, ConfigPlanChecks: emptyPlan()},
			{Config: base, ConfigPlanChecks: emptyPlan()},
		},
	})
}

// stateCheck is a check of the whole state. Checks of the older kind cannot
// read a state with for_each.
type stateCheck func(values map[string]map[string]any) error

// CheckState calls the function with the attributes of all instances.
func (c stateCheck) CheckState(_ context.Context, req statecheck.CheckStateRequest, resp *statecheck.CheckStateResponse) {
	values := map[string]map[string]any{}
	for _, r := range req.State.Values.RootModule.Resources {
		values[r.Address] = r.AttributeValues
	}
	resp.Error = c(values)
}

// ownRegistry: every controller tells nodes its own host's registry, and the
// join URLs are those of the controllers.
func ownRegistry(values map[string]map[string]any) error {
	registries := values[registryAddress]["urls"].(map[string]any)
	controllers := values[controllerAddress]["urls"].(map[string]any)
	join := values[controllerAddress]["join_urls"].([]any)
	for i, host := range []string{"h1", "h2", "h3"} {
		status := values[fmt.Sprintf("data.anka_controller_status.test[%q]", host)]
		if got, want := status["registry_address"], registries[host]; got != want {
			return fmt.Errorf("the controller on %s has the registry %s, want %s", host, got, want)
		}
		if got, want := join[i], controllers[host]; got != want {
			return fmt.Errorf("join URL %d is %s, want %s", i, got, want)
		}
		if code, err := get(fmt.Sprint(controllers[host]) + "/api/v1/status"); err != nil || code != http.StatusOK {
			return fmt.Errorf("the controller on %s: HTTP %d, %w", host, code, err)
		}
	}
	return nil
}

// TestAccController_rollsAndRepairs: an update is never felt, and a controller
// that was removed by hand comes back although its status cannot be read while
// planning.
func TestAccController_rollsAndRepairs(t *testing.T) {
	lab, target := labAndTarget(t)
	provider := acctest.Provider(t, target, "tls")
	config := provider + topology(target) + status
	settled := provider + topology(target, `env = { ANKA_NUM_WORKERS = "4" }`)
	changed := settled + status
	watched := sampler.Options{URLs: map[string]string{}, Path: nodesAsk}
	for _, host := range lab.Hosts {
		watched.URLs[host.Name] = "http://" + host.Address
	}
	var watch *sampler.Watch
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config},
			{
				PreConfig:        func() { watch = sampler.Start(watched) },
				Config:           changed,
				ConfigPlanChecks: action(controllerAddress, plancheck.ResourceActionUpdate),
				ConfigStateChecks: append(statuses(), ready(controllerAddress, true), stateCheck(func(map[string]map[string]any) error {
					report := watch.Stop()
					t.Log(report)
					if report.Samples < 15 || report.Minimum < 2 || len(report.Nodes.Failed) > 0 {
						return fmt.Errorf("%s: %q %q", report, report.Together, report.Nodes.Failed)
					}
					return nil
				})),
			},
			{
				PreConfig:         func() { docker(t, lab, "h2", "rm", "-f", "anka-acc-controller-h2") },
				Config:            changed,
				ConfigPlanChecks:  action(controllerAddress, plancheck.ResourceActionUpdate),
				ConfigStateChecks: append(statuses(), ready(controllerAddress, true)),
			},
			{Config: changed, ConfigPlanChecks: emptyPlan()},
			{Config: settled, ConfigPlanChecks: emptyPlan()},
		},
	})
}

// TestAccController_etcdUnreachable: controllers that cannot reach etcd are
// kept and waited for; the resource is made, and says that it is not ready.
func TestAccController_etcdUnreachable(t *testing.T) {
	_, target := labAndTarget(t)
	config := acctest.Provider(t, target, "unix") + fmt.Sprintf(`
resource "anka_controller" "test" {
  name           = "acc"
  replicas       = { h1 = {} }
  etcd_endpoints = ["http://127.0.0.1:2379"]
  env            = { ANKA_ALLOW_EMPTY_REGISTRY = "true", ANKA_ETCD_REQUEST_TIMEOUT = "1s" }
  ready_timeout  = "3s"
  %s
}
`, acctest.Image(target.ControllerImage))
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config, ConfigStateChecks: []statecheck.StateCheck{ready(controllerAddress, false)}, ExpectNonEmptyPlan: true},
		},
	})
}

// TestAccControllerStatus_errorsAndData: what is no status is an error, or
// data where that is allowed; another service is always an error.
func TestAccControllerStatus_errorsAndData(t *testing.T) {
	lab, target := labAndTarget(t)
	provider := acctest.Provider(t, target, "ssh")
	data := func(attributes string) string {
		return fmt.Sprintf("data \"anka_controller_status\" \"test\" {\n  host = \"h1\"\n  %s\n}\n", attributes)
	}
	at := "data.anka_controller_status.test"
	closed := fmt.Sprintf(`url = "http://%s:81"`, lab.Host("h1").Address)
	registry := registryOn(target, threeHosts)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: provider + data(closed), ExpectError: regexp.MustCompile(`Controller is unreachable`)},
			{
				Config: provider + data(closed+"\n  allow_unreachable = true"),
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(at, tfjsonpath.New("reachable"), knownvalue.Bool(false)),
					statecheck.ExpectKnownValue(at, tfjsonpath.New("ready"), knownvalue.Bool(false)),
					statecheck.ExpectKnownValue(at, tfjsonpath.New("error"), knownvalue.NotNull()),
				},
			},
			{Config: provider + data(`url = "http://10.0.1.4/"`), ExpectError: regexp.MustCompile(`ends with a slash`)},
			{
				Config:      provider + strings.Replace(data(closed), `"h1"`, `"h9"`, 1),
				ExpectError: regexp.MustCompile(`(?s)There is no host "h9"`),
			},
			{
				Config:      provider + registry + data("url = anka_registry.test.primary_url\n  allow_unreachable = true"),
				ExpectError: regexp.MustCompile(`(?s)Not a controller.*URL of a registry`),
			},
		},
	})
}
