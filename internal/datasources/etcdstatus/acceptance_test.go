package etcdstatus_test

import (
	"context"
	"fmt"
	"regexp"
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
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
)

func TestMain(m *testing.M) { testlab.Main(m) }

const (
	address = "data.anka_etcd_status.test"
	timeout = 30 * time.Second
)

func cluster(target *testlab.Target) string {
	return fmt.Sprintf(`
resource "anka_etcd_cluster" "this" {
  name = "acc"
  %s
  members = {
    etcd-1 = { host = "h1" }
    etcd-2 = { host = "h2" }
    etcd-3 = { host = "h3" }
  }
}
`, acctest.Image(target.EtcdImage))
}

// checks are those of the example: their messages are evaluated while they
// hold, too.
const checks = `
data "anka_etcd_status" "test" {
  members = anka_etcd_cluster.this.members
}

check "etcd" {
  assert {
    condition     = data.anka_etcd_status.test.healthy
    error_message = "etcd is degraded: ${data.anka_etcd_status.test.degraded_reason}."
  }
  assert {
    condition = alltrue([
      for m in data.anka_etcd_status.test.member_status : m.db_size < 0.8 * anka_etcd_cluster.this.quota_backend_bytes
    ])
    error_message = "The database of an etcd member has reached 80 % of its quota."
  }
}
`

func expect(values map[string]knownvalue.Check) []statecheck.StateCheck {
	var all []statecheck.StateCheck
	for name, want := range values {
		at := tfjsonpath.New(strings.Split(name, ".")[0])
		for _, key := range strings.Split(name, ".")[1:] {
			at = at.AtMapKey(key)
		}
		all = append(all, statecheck.ExpectKnownValue(address, at, want))
	}
	return all
}

// healthy are the checks of a whole cluster; which member leads is etcd's
// choice.
func healthy() []statecheck.StateCheck {
	id := knownvalue.StringRegexp(regexp.MustCompile(`^[0-9a-f]{8,16}$`))
	values := map[string]knownvalue.Check{
		"cluster_id": id, "leader": knownvalue.StringRegexp(regexp.MustCompile(`^etcd-[123]$`)),
		"quorum": knownvalue.Int64Exact(2), "margin": knownvalue.Int64Exact(1), "healthy": knownvalue.Bool(true),
		"degraded_reason": knownvalue.StringExact(""), "alarms": knownvalue.ListSizeExact(0),
	}
	for _, name := range []string{"etcd-1", "etcd-2", "etcd-3"} {
		at := "member_status." + name + "."
		values[at+"id"], values[at+"version"] = id, knownvalue.StringRegexp(regexp.MustCompile(`^3\.\d+\.\d+$`))
		values[at+"healthy"], values[at+"learner"], values[at+"error"] = knownvalue.Bool(true), knownvalue.Bool(false), knownvalue.StringExact("")
		for _, positive := range []string{"db_size", "db_size_in_use", "raft_index", "raft_applied"} {
			values[at+positive] = knownvalue.Int64Func(func(n int64) error {
				if n <= 0 {
					return fmt.Errorf("%s%s is %d", at, positive, n)
				}
				return nil
			})
		}
	}
	return expect(values)
}

// TestAccEtcdStatus_tellsWhichMemberIsDown reads a whole cluster, by its
// resource, and then by literal members while one of them is stopped.
func TestAccEtcdStatus_tellsWhichMemberIsDown(t *testing.T) {
	target := testlab.ForTest(t)
	if target.Lab == nil {
		t.Fatalf("this test stops a member on purpose and runs on the lab only: unset %s and run as root", testlab.EnvHosts)
	}
	config := acctest.Provider(t, target, "ssh") + cluster(target)
	docker := func(arguments ...string) {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		if output, err := target.Lab.Host("h3").Docker(ctx, arguments...); err != nil {
			t.Fatalf("docker %v: %v\n%s", arguments, err, output)
		}
	}
	down := func(*terraform.State) error {
		docker("stop", "anka-acc-etcd-etcd-3")
		defer docker("start", "anka-acc-etcd-etcd-3")
		readWhileDown(t, target)
		return nil
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config + checks, ConfigStateChecks: healthy()},
			{Config: config + checks, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}},
			{Config: config, Check: down},
		},
	})
}

// readWhileDown reads a cluster whose third member is stopped, in a
// configuration of its own, so that no resource repairs it first.
func readWhileDown(t *testing.T, target *testlab.Target) {
	t.Helper()
	var members []string
	for i, host := range []string{"h1", "h2", "h3"} {
		members = append(members, fmt.Sprintf("etcd-%d = { host = %q, client_url = \"http://%s:2379\" }", i+1, host, target.Lab.Host(host).Address))
	}
	config := acctest.Provider(t, target, "ssh") + fmt.Sprintf(`
data "anka_etcd_status" "test" {
  timeout = "4s"
  members = {
    %s
  }
}
`, strings.Join(members, "\n    "))
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{{
			Config: config,
			ConfigStateChecks: expect(map[string]knownvalue.Check{
				"quorum": knownvalue.Int64Exact(2), "margin": knownvalue.Int64Exact(0), "healthy": knownvalue.Bool(false),
				"degraded_reason":              knownvalue.StringRegexp(regexp.MustCompile(`^etcd-3: .*(refused|rejected)`)),
				"leader":                       knownvalue.StringRegexp(regexp.MustCompile(`^etcd-[12]$`)),
				"member_status.etcd-1.healthy": knownvalue.Bool(true), "member_status.etcd-2.healthy": knownvalue.Bool(true),
				"member_status.etcd-3.healthy": knownvalue.Bool(false), "member_status.etcd-3.version": knownvalue.StringExact(""),
				"member_status.etcd-3.error": knownvalue.StringRegexp(regexp.MustCompile(`refused|rejected`)),
			}),
		}},
	})
}
