package acctest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// commandTimeout bounds one command on a host.
const commandTimeout = 30 * time.Second

// Lab is for tests that break hosts or look at them with docker. On hosts of
// somebody it ends the test, with what to do.
func Lab(t *testing.T) (*testlab.Lab, *testlab.Target) {
	t.Helper()
	target := testlab.ForTest(t)
	if target.Lab == nil {
		t.Fatalf("this test breaks hosts on purpose and runs on the lab only: unset %s and run as root", testlab.EnvHosts)
	}
	return target.Lab, target
}

// Must ends the test with an error that should not be.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Docker runs the docker CLI against a host and returns what it printed,
// without white space around it.
func Docker(t testing.TB, lab *testlab.Lab, host string, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	output, err := lab.Host(host).Docker(ctx, arguments...)
	if err != nil {
		t.Fatalf("docker %s on %s: %v\n%s", strings.Join(arguments, " "), host, err, output)
	}
	return strings.TrimSpace(output)
}

// Shell runs a script on a host and returns what it printed, without white
// space around it.
func Shell(t testing.TB, lab *testlab.Lab, host, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	output, err := lab.Host(host).Run(ctx, script)
	if err != nil {
		t.Fatalf("%s on %s: %v\n%s", script, host, err, output)
	}
	return strings.TrimSpace(output)
}

// Containers are the IDs of the containers of a role, running or not, by host.
func Containers(t testing.TB, lab *testlab.Lab, role string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, host := range lab.Hosts {
		found[host.Name] = Docker(t, lab, host.Name, "ps", "-aq", "--no-trunc", "--filter", "label="+container.LabelRole+"="+role)
	}
	return found
}

// EmptyPlan checks that nothing is planned.
func EmptyPlan() resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
}
