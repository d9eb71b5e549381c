package registrystatus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/inprocess"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

func TestMain(m *testing.M) { testlab.Main(m) }

const (
	address = "data.anka_registry_status.this"
	timeout = time.Minute
)

func registries(target *testlab.Target) string {
	return fmt.Sprintf(`
resource "anka_registry" "this" {
  replicas    = { h1 = {}, h2 = {}, h3 = {} }
  primary     = "h1"
  env         = { ANKA_VM_LIST_CACHE_TTL = "1s" }
  replication = { interval = 2, image = %q }
  %s
}
`, images.Rclone, acctest.Image(target.RegistryImage))
}

// example is the documented one: it has to be valid, and its messages are
// evaluated while their conditions hold, too.
func example(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "..", "examples", "data-sources", "anka_registry_status", "data-source.tf"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// expect checks values by their path, separated by dots.
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

// read reads the registries in a configuration of its own, so that no resource
// repairs them first.
func read(t *testing.T, target *testlab.Target, values map[string]knownvalue.Check) {
	t.Helper()
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{{
			Config:            acctest.Provider(t, target, "ssh", `connect_timeout = "3s"`) + `data "anka_registry_status" "this" { timeout = "4s" }`,
			ConfigStateChecks: expect(values),
		}},
	})
}

// docker runs the docker CLI against a host.
func docker(t *testing.T, target *testlab.Target, host string, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	output, err := target.Lab.Host(host).Docker(ctx, arguments...)
	if err != nil {
		t.Fatalf("docker %v on %s: %v\n%s", arguments, host, err, output)
	}
	return output
}

// await waits until what the followers say of themselves contains text.
func await(t *testing.T, target *testlab.Target, text map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	ticker := time.NewTicker(300 * time.Millisecond)
	defer ticker.Stop()
	for host, want := range text {
		for said := ""; !strings.Contains(said, want); {
			// A follower that was just started has said nothing yet.
			output, err := target.Lab.Host(host).Docker(ctx, "exec", "anka-anka-registry-replication-"+host, "cat", "/run/anka/status.json")
			said = fmt.Sprint(output, err)
			select {
			case <-ticker.C:
			case <-ctx.Done():
				t.Fatalf("%s never said %s, but %s", host, want, said)
			}
		}
	}
}

// generation is what a source serves.
func generation(t *testing.T, target *testlab.Target, host string) string {
	t.Helper()
	var status struct {
		Generation json.Number `json:"generation"`
	}
	content := docker(t, target, host, "exec", "anka-anka-registry-replication-"+host, "cat", "/run/anka/status.json")
	if err := json.Unmarshal([]byte(content), &status); err != nil {
		t.Fatalf("%s: %v", content, err)
	}
	return status.Generation.String()
}

func no() knownvalue.Check  { return knownvalue.Bool(false) }
func yes() knownvalue.Check { return knownvalue.Bool(true) }
func says(text string) knownvalue.Check {
	return knownvalue.StringRegexp(regexp.MustCompile(regexp.QuoteMeta(text)))
}

// TestAccRegistryStatus_tellsWhatIsWrong replicates templates, and reads what
// the registries say: when all is well, when one holds more than the primary
// and another's replication is stopped, and when a host is down.
func TestAccRegistryStatus_tellsWhatIsWrong(t *testing.T) {
	target := testlab.ForTest(t)
	if target.Lab == nil {
		t.Fatalf("this test breaks a host on purpose and runs on the lab only: unset %s and run as root", testlab.EnvHosts)
	}
	config := acctest.Provider(t, target, "ssh") + registries(target)
	url := func(host string) string { return "http://" + target.Lab.Host(host).Address + ":8089" }
	down := func(*terraform.State) error {
		for _, tag := range []string{"v1", "v2"} {
			inprocess.Push(t, url("h1"), "a", tag)
		}
		inprocess.Push(t, url("h1"), "b", "v1")
		await(t, target, map[string]string{"h2": `"templates":2,`, "h3": `"templates":2,`})
		await(t, target, map[string]string{
			"h2": `"in_sync":true,"generation":` + generation(t, target, "h1"), "h3": `"in_sync":true,"generation":` + generation(t, target, "h1"),
		})
		well := map[string]knownvalue.Check{
			"name": knownvalue.StringExact("anka"), "primary": knownvalue.StringExact("h1"), "replicated": yes(), "all_reachable": yes(), "all_in_sync": yes(),
			"replicas": knownvalue.MapSizeExact(3),
		}
		for _, host := range []string{"h1", "h2", "h3"} {
			at := "replicas." + host + "."
			well[at+"url"], well[at+"status"], well[at+"error"] = knownvalue.StringExact(url(host)), knownvalue.StringExact("Running"), knownvalue.StringExact("")
			well[at+"templates"], well[at+"tags"] = knownvalue.Int64Exact(2), knownvalue.Int64Exact(3)
			well[at+"primary"], well[at+"replication.last_error"] = knownvalue.Bool(host == "h1"), knownvalue.StringExact("")
			well[at+"replication.lag_seconds"], well[at+"replication.lag_bytes"] = knownvalue.Int64Exact(0), knownvalue.Int64Exact(0)
			well[at+"replication.last_success"] = knownvalue.StringRegexp(regexp.MustCompile(`^2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`))
		}
		read(t, target, well)

		inprocess.Push(t, url("h2"), "misplaced", "v1")
		await(t, target, map[string]string{"h2": `misplaced`})
		docker(t, target, "h3", "stop", "anka-anka-registry-replication-h3")
		read(t, target, map[string]knownvalue.Check{
			"all_reachable": yes(), "all_in_sync": no(), "replicas.h1.replication.in_sync": yes(),
			"replicas.h2.replication.ahead": knownvalue.ListPartial(map[int]knownvalue.Check{0: says("misplaced")}),
			"replicas.h2.templates":         knownvalue.Int64Exact(3),
			"replicas.h3.reachable":         yes(), "replicas.h3.replication.in_sync": no(),
			"replicas.h3.replication.last_error": says("anka-anka-registry-replication-h3 does not run"),
		})
		docker(t, target, "h3", "start", "anka-anka-registry-replication-h3")

		ctx, cancel := context.WithTimeout(t.Context(), 2*timeout)
		defer cancel()
		if err := target.Lab.Host("h1").PowerOff(ctx); err != nil {
			return err
		}
		await(t, target, map[string]string{"h2": "cannot reach the primary", "h3": "cannot reach the primary"})
		read(t, target, map[string]knownvalue.Check{
			"primary": knownvalue.StringExact("h1"), "all_reachable": no(), "all_in_sync": no(),
			"replicas.h1.reachable": no(), "replicas.h1.error": says(`host "h1"`), "replicas.h1.templates": knownvalue.Int64Exact(-1),
			"replicas.h2.reachable": yes(), "replicas.h2.replication.last_error": says("cannot reach the primary's source"),
		})
		return target.Lab.Host("h1").PowerOn(ctx)
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				Config: config + example(t),
				ConfigStateChecks: expect(map[string]knownvalue.Check{
					"all_reachable": yes(), "replicated": yes(), "primary": knownvalue.StringExact("h1"), "replicas": knownvalue.MapSizeExact(3),
				}),
			},
			{Config: config, Check: down},
		},
	})
}
