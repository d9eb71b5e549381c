package replicas_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
)

func TestMain(m *testing.M) { testlab.Main(m) }

const timeout = 30 * time.Second

// labAndTarget is for tests that break hosts or look at them with docker.
func labAndTarget(t *testing.T) (*testlab.Lab, *testlab.Target) {
	t.Helper()
	target := testlab.ForTest(t)
	if target.Lab == nil {
		t.Fatalf("this test breaks hosts on purpose and runs on the lab only: unset %s and run as root", testlab.EnvHosts)
	}
	return target.Lab, target
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// docker runs the docker CLI against a host and returns what it printed.
func docker(t testing.TB, lab *testlab.Lab, host string, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	output, err := lab.Host(host).Docker(ctx, arguments...)
	if err != nil {
		t.Fatalf("docker %s on %s: %v\n%s", strings.Join(arguments, " "), host, err, output)
	}
	return strings.TrimSpace(output)
}

// shell runs a script on a host and returns what it printed.
func shell(t testing.TB, lab *testlab.Lab, host, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	output, err := lab.Host(host).Run(ctx, script)
	if err != nil {
		t.Fatalf("%s on %s: %v\n%s", script, host, err, output)
	}
	return strings.TrimSpace(output)
}

// ids are the IDs of a service's containers, by host.
func ids(t testing.TB, lab *testlab.Lab, role string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, host := range lab.Hosts {
		found[host.Name] = docker(t, lab, host.Name, "ps", "-aq", "--no-trunc", "--filter", "label=io.github.anka-ha.role="+role)
	}
	return found
}

func emptyPlan() resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
}

func action(address string, kind plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, kind)}}
}

func ready(address string, value bool) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, tfjsonpath.New("ready"), knownvalue.Bool(value))
}

// answer asks every URL of a resource directly; path must answer with 200.
func answer(address, path string, want int) resource.TestCheckFunc {
	return func(s *terraform.State) error {
		attributes := s.RootModule().Resources[address].Primary.Attributes
		if got := attributes["urls.%"]; got != fmt.Sprint(want) {
			return fmt.Errorf("%s URLs, want %d", got, want)
		}
		for name, url := range attributes {
			if !strings.HasPrefix(name, "urls.") || name == "urls.%" {
				continue
			}
			if code, err := get(url + path); err != nil || code != http.StatusOK {
				return fmt.Errorf("%s%s: HTTP %d, %w", url, path, code, err)
			}
		}
		return nil
	}
}

func get(url string) (int, error) {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
