package etcdcluster_test

import (
	"context"
	"encoding/json"
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

	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
)

func TestMain(m *testing.M) { testlab.Main(m) }

const (
	address = "anka_etcd_cluster.test"
	timeout = 30 * time.Second
)

// cluster is the resource with three members and further attributes.
func cluster(target *testlab.Target, attributes ...string) string {
	return fmt.Sprintf(`
resource "anka_etcd_cluster" "test" {
  name = "acc"
  %s
  members = {
    etcd-1 = { host = "h1" }
    etcd-2 = { host = "h2" }
    etcd-3 = { host = "h3" }
  }
  %s
}
`, acctest.Image(target.EtcdImage), strings.Join(attributes, "\n  "))
}

func emptyPlan() resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
}

func action(kind plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, kind)}}
}

func ready(value bool) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, tfjsonpath.New("ready"), knownvalue.Bool(value))
}

// TestAccEtcdCluster_overEveryTransport bootstraps a cluster, checks it at its
// members, and finds nothing to do afterwards.
func TestAccEtcdCluster_overEveryTransport(t *testing.T) {
	target := testlab.ForTest(t)
	for _, transport := range testlab.Transports {
		t.Run(transport, func(t *testing.T) {
			config := acctest.Provider(t, target, transport) + cluster(target)
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(),
				Steps: []resource.TestStep{
					{
						Config:            config,
						ConfigPlanChecks:  action(plancheck.ResourceActionCreate),
						ConfigStateChecks: []statecheck.StateCheck{ready(true)},
						Check:             membersAgree(3),
					},
					{Config: config, ConfigPlanChecks: emptyPlan()},
				},
			})
		})
	}
}

// membersAgree asks every endpoint in the state directly, and compares what
// they say with each other and with the state.
func membersAgree(want int) resource.TestCheckFunc {
	return func(s *terraform.State) error {
		attributes := s.RootModule().Resources[address].Primary.Attributes
		if got := attributes["endpoints.#"]; got != fmt.Sprint(want) {
			return fmt.Errorf("%s endpoints, want %d", got, want)
		}
		for i := range want {
			status, err := statusAt(attributes[fmt.Sprintf("endpoints.%d", i)])
			if err != nil {
				return err
			}
			if got := fmt.Sprintf("%x", status.ClusterID); got != attributes["cluster_id"] {
				return fmt.Errorf("cluster %s, the state says %s", got, attributes["cluster_id"])
			}
			if len(status.Members) != want {
				return fmt.Errorf("%d members, want %d", len(status.Members), want)
			}
			for _, m := range status.Members {
				prefix := "members." + m.Name + "."
				if attributes[prefix+"id"] != fmt.Sprintf("%x", m.ID) || attributes[prefix+"peer_url"] != m.PeerURLs[0] ||
					attributes[prefix+"client_url"] != m.ClientURLs[0] || m.Learner {
					return fmt.Errorf("member %+v is not what the state says", m)
				}
			}
		}
		return nil
	}
}

func statusAt(url string) (etcdclient.Status, error) {
	client, err := etcdclient.New(url, dialer.DialContext)
	if err != nil {
		return etcdclient.Status{}, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return client.Status(ctx)
}

// TestAccEtcdCluster_recreatesRemovedContainer: a container that somebody
// removed or stopped comes back on the same data, as the same member.
func TestAccEtcdCluster_recreatesRemovedContainer(t *testing.T) {
	lab, target := labAndTarget(t)
	config := acctest.Provider(t, target, "ssh") + cluster(target)
	var before map[string]string
	remember := func(s *terraform.State) error {
		before = s.RootModule().Resources[address].Primary.Attributes
		return nil
	}
	unchanged := func(s *terraform.State) error {
		after := s.RootModule().Resources[address].Primary.Attributes
		for name, value := range before {
			if after[name] != value {
				return fmt.Errorf("%s was %q and is %q", name, value, after[name])
			}
		}
		return nil
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config, Check: remember},
			{
				PreConfig: func() {
					put(t, lab, "h1", "survives")
					docker(t, lab, "h2", "rm", "-f", "anka-acc-etcd-etcd-2")
					docker(t, lab, "h3", "stop", "anka-acc-etcd-etcd-3")
				},
				Config:            config,
				ConfigPlanChecks:  action(plancheck.ResourceActionUpdate),
				ConfigStateChecks: []statecheck.StateCheck{ready(true)},
				Check:             resource.ComposeAggregateTestCheckFunc(unchanged, membersAgree(3), func(*terraform.State) error { return got(t, lab, "h2", "survives") }),
			},
			{Config: config, ConfigPlanChecks: emptyPlan()},
		},
	})
}

// TestAccEtcdCluster_bringsBackAllContainers: a cluster whose containers were
// all removed is not gone, because its data is not: the same cluster comes
// back. Only when the data is gone, too, a new one is made.
func TestAccEtcdCluster_bringsBackAllContainers(t *testing.T) {
	lab, target := labAndTarget(t)
	config := acctest.Provider(t, target, "tls") + cluster(target)
	var before string
	remove := func(what ...string) {
		for i, host := range []string{"h1", "h2", "h3"} {
			docker(t, lab, host, "rm", "-f", fmt.Sprintf("anka-acc-etcd-etcd-%d", i+1))
			for _, name := range what {
				docker(t, lab, host, "volume", "rm", docker(t, lab, host, "volume", "ls", "-q", "--filter", "name="+name))
			}
		}
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config, Check: func(s *terraform.State) error {
				before = s.RootModule().Resources[address].Primary.Attributes["cluster_id"]
				return nil
			}},
			{
				PreConfig: func() {
					put(t, lab, "h1", "survives")
					remove()
				},
				Config:            config,
				ConfigPlanChecks:  action(plancheck.ResourceActionUpdate),
				ConfigStateChecks: []statecheck.StateCheck{ready(true)},
				Check: func(s *terraform.State) error {
					if after := s.RootModule().Resources[address].Primary.Attributes["cluster_id"]; after != before {
						return fmt.Errorf("cluster %s is now %s", before, after)
					}
					return got(t, lab, "h2", "survives")
				},
			},
			{
				PreConfig:        func() { remove("anka-acc-etcd") },
				Config:           config,
				ConfigPlanChecks: action(plancheck.ResourceActionCreate),
				Check:            membersAgree(3),
			},
		},
	})
}

// TestAccEtcdCluster_importsByName: a cluster whose state was lost comes back
// from the labels of its containers.
func TestAccEtcdCluster_importsByName(t *testing.T) {
	target := testlab.ForTest(t)
	fewer := withoutHost(t, target, "h3") + strings.Replace(cluster(target), `etcd-3 = { host = "h3" }`, "", 1)
	config := acctest.Provider(t, target, "ssh") + cluster(target, `snapshot_count = 5000`, `env = { GOGC = "80" }`, `log = { max_size = "7m" }`)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config},
			{
				Config: config, ResourceName: address, ImportState: true, ImportStateId: "acc", ImportStateVerify: true,
				ImportStateVerifyIgnore: []string{"timeouts"},
			},
			{
				// Expects that the plan with the import changes nothing.
				Config: config, ResourceName: address, ImportState: true, ImportStateId: "acc",
				ImportStateKind: resource.ImportBlockWithID,
			},
			{
				Config: config, ResourceName: address, ImportState: true, ImportStateId: "nowhere",
				ExpectError: regexp.MustCompile(`there is no container of an etcd cluster "nowhere" on any of the\s+hosts\s+h1,\s+h2,\s+h3`),
			},
			{
				Config: fewer, ResourceName: address, ImportState: true, ImportStateId: "acc",
				ExpectError: regexp.MustCompile(`(?s)has\s+members\s+that\s+are\s+on\s+no\s+host\s+of\s+the\s+provider\s+block:\s+etcd-3\s+at\s+http://.*Add\s+their\s+hosts\s+first`),
			},
			{Config: config, ConfigPlanChecks: emptyPlan()},
		},
	})
}

// withoutHost is a provider block that lacks a host.
func withoutHost(t *testing.T, target *testlab.Target, name string) string {
	t.Helper()
	text, err := target.HostsJSON("ssh")
	must(t, err)
	hosts := map[string]json.RawMessage{}
	must(t, json.Unmarshal([]byte(text), &hosts))
	delete(hosts, name)
	fewer, err := json.Marshal(hosts)
	must(t, err)
	return acctest.ProviderFor(string(fewer))
}

// TestAccEtcdCluster_refusesForeignContainer: a container of our name without
// our labels is named in the error and stays as it is.
func TestAccEtcdCluster_refusesForeignContainer(t *testing.T) {
	lab, target := labAndTarget(t)
	config := acctest.Provider(t, target, "tls") + cluster(target)
	id := docker(t, lab, "h2", "create", "--name", "anka-acc-etcd-etcd-2", target.EtcdImage)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{{
			Config: config,
			ExpectError: regexp.MustCompile(`(?s)Container name is taken.*On host h2 there is already a container "anka-acc-etcd-etcd-2" that\s+` +
				`does\s+not\s+belong\s+to\s+member\s+etcd-2`),
		}},
	})
	if now := docker(t, lab, "h2", "inspect", "-f", "{{.Id}}", "anka-acc-etcd-etcd-2"); now != id {
		t.Errorf("the foreign container was touched: %s, was %s", now, id)
	}
	for _, host := range []string{"h1", "h3"} {
		if left := docker(t, lab, host, "ps", "-aq"); left != "" {
			t.Errorf("containers on %s: %s", host, left)
		}
	}
}

// TestAccEtcdCluster_hostDownAtPlan: a host that is down is a warning, and
// nothing is proposed for it; the plan is not slow either.
func TestAccEtcdCluster_hostDownAtPlan(t *testing.T) {
	lab, target := labAndTarget(t)
	config := acctest.Provider(t, target, "ssh", `connect_timeout = "3s"`) + cluster(target)
	ctx := context.Background()
	var began time.Time
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config},
			{
				PreConfig: func() {
					must(t, lab.Host("h3").PowerOff(ctx))
					began = time.Now()
				},
				Config:            config,
				ConfigPlanChecks:  emptyPlan(),
				ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownValue(address, tfjsonpath.New("endpoints"), knownvalue.ListSizeExact(3))},
			},
			{
				PreConfig: func() {
					// Planned, applied and refreshed by the framework since.
					if took := time.Since(began); took > time.Minute {
						t.Errorf("with a host down this took %s", took)
					}
					must(t, lab.Host("h3").PowerOn(ctx))
				},
				Config: config,
				// Whether the daemon has brought the member back by the time
				// of the plan is open; that the cluster is whole after it is not.
				ConfigStateChecks: []statecheck.StateCheck{ready(true)},
				Check:             membersAgree(3),
			},
			{Config: config, ConfigPlanChecks: emptyPlan()},
		},
	})
}

// TestAccEtcdCluster_destroyKeepsData: destroy removes containers and keeps
// volumes, unless it is asked to purge them.
func TestAccEtcdCluster_destroyKeepsData(t *testing.T) {
	lab, target := labAndTarget(t)
	for _, c := range []struct {
		purge bool
		left  int
	}{{false, 1}, {true, 1}} { // the second run purges its own volumes, not those of the first
		config := acctest.Provider(t, target, "unix") + cluster(target, fmt.Sprintf("purge_data_on_destroy = %v", c.purge))
		resource.Test(t, resource.TestCase{
			ProtoV6ProviderFactories: acctest.Factories(),
			Steps:                    []resource.TestStep{{Config: config}},
			CheckDestroy: func(*terraform.State) error {
				for _, host := range []string{"h1", "h2", "h3"} {
					if left := docker(t, lab, host, "ps", "-aq"); left != "" {
						return fmt.Errorf("containers on %s: %s", host, left)
					}
					if volumes := strings.Fields(docker(t, lab, host, "volume", "ls", "-q")); len(volumes) != c.left {
						return fmt.Errorf("volumes on %s after purge=%v: %v", host, c.purge, volumes)
					}
				}
				return nil
			},
		})
	}
}
