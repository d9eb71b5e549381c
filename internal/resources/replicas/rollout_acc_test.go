package replicas_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
)

// TestAccRegistry_takesBackBadUpdate: an update that does not get ready costs
// one host for seconds. Its old container comes back, the others are not
// touched, and the next apply converges.
func TestAccRegistry_takesBackBadUpdate(t *testing.T) {
	lab, target := labAndTarget(t)
	provider := acctest.Provider(t, target, "ssh")
	good := provider + registryOn(target, threeHosts, `ready_timeout = "5s"`)
	var before map[string]string
	unchanged := func() {
		t.Helper()
		after := ids(t, lab, "registry")
		for host, id := range before {
			if after[host] != id {
				t.Errorf("%s had container %s and has %s", host, id, after[host])
			}
			if code, err := get("http://" + lab.Host(host).Address + ":8089/readyz"); err != nil || code != http.StatusOK {
				t.Errorf("%s: HTTP %d, %v", host, code, err)
			}
		}
	}
	bad := func(env string) string { return provider + registryOn(target, threeHosts, `ready_timeout = "5s"`, env) }
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: good, Check: func(*terraform.State) error { before = ids(t, lab, "registry"); return nil }},
			{
				Config:      bad(`env = { ANKASIM_NEVER_READY = "true" }`),
				ExpectError: regexp.MustCompile(`(?s)Unable to update registry.*not ready within \S+ on\s+host\s+h1.*HTTP 503.*old container on h1 has been\s+put back and started; it\s+answers as ready`),
			},
			{
				PreConfig:   unchanged,
				Config:      provider + registryOn(target, threeHosts, `ready_timeout = "60s"`, `env = { ANKASIM_EXIT = "3" }`),
				ExpectError: regexp.MustCompile(`(?s)on h1.*keeps ending.*restarted.*told to exit by.*old container on h1 has been\s+put back`),
			},
			{
				PreConfig:   unchanged,
				Config:      strings.Replace(good, target.RegistryImage, "anka-lab/no-such-image:v1", 1),
				ExpectError: regexp.MustCompile(`(?s)Unable to update registry.*no image "anka-lab/no-such-image:v1"`),
			},
			{
				PreConfig:         unchanged,
				Config:            provider + registryOn(target, threeHosts, `ready_timeout = "30s"`, `env = { ANKASIM_READY_DELAY = "1s" }`),
				ConfigStateChecks: []statecheck.StateCheck{ready(registryAddress, true)},
				Check:             answer(registryAddress, "/readyz", 3),
			},
			{
				Config:           provider + registryOn(target, threeHosts, `ready_timeout = "30s"`, `env = { ANKASIM_READY_DELAY = "1s" }`),
				ConfigPlanChecks: emptyPlan(),
			},
		},
	})
}

// TestAccRegistry_hostCutOffInMidRoll: the host that is being updated vanishes.
// No other host is touched, nor by a plan without it, and when it is back the
// next apply converges.
func TestAccRegistry_hostCutOffInMidRoll(t *testing.T) {
	lab, target := labAndTarget(t)
	provider := acctest.Provider(t, target, "ssh", `connect_timeout = "3s"`)
	config := provider + registryOn(target, threeHosts)
	changed := provider + registryOn(target, threeHosts, `ready_timeout = "10s"`, `env = { ANKASIM_READY_DELAY = "4s" }`)
	var before map[string]string
	var cut sync.WaitGroup
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config},
			{
				PreConfig: func() {
					before = ids(t, lab, "registry")
					cut.Go(func() { cutOffInMidRoll(t, lab, "registry") })
				},
				Config:      changed,
				ExpectError: regexp.MustCompile(`(?s)Unable to update registry.*h1`),
			},
			{
				PreConfig:   cut.Wait,
				Config:      changed,
				ExpectError: regexp.MustCompile(`(?s)has\s+to\s+change\s+on\s+host\s+h1.*cannot be\s+reached.*Nothing has been changed`),
			},
			{
				PreConfig: func() {
					after := ids(t, lab, "registry")
					if after["h2"] != before["h2"] || after["h3"] != before["h3"] {
						t.Errorf("containers were %v and are %v", before, after)
					}
					must(t, lab.Host("h1").Restore(context.Background()))
				},
				Config: changed, ConfigStateChecks: []statecheck.StateCheck{ready(registryAddress, true)},
				Check: answer(registryAddress, "/readyz", 3),
			},
			{Config: changed, ConfigPlanChecks: emptyPlan()},
		},
	})
}

// cutOffInMidRoll waits until the old container of h1 has been set aside and
// its successor runs, and cuts the host off.
func cutOffInMidRoll(t *testing.T, lab *testlab.Lab, role string) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		// One look: between two the old container may go, and its successor come.
		all, err := lab.Host("h1").Docker(ctx, "ps", "-a", "--format", "{{.Names}} {{.State}}")
		if err == nil && strings.Contains(all, "anka-acc-"+role+"-h1 running") && strings.Contains(all, ".previous exited") {
			break
		}
		select {
		case <-ctx.Done():
			t.Error("no replacement was seen on h1")
			return
		case <-ticker.C:
		}
	}
	if err := lab.Host("h1").CutOff(ctx); err != nil {
		t.Error(err)
	}
}

// TestAccRegistry_finishesInterruptedReplacement: whatever an apply that was
// killed has left, the next one converges.
func TestAccRegistry_finishesInterruptedReplacement(t *testing.T) {
	lab, target := labAndTarget(t)
	provider := acctest.Provider(t, target, "ssh")
	config := provider + registryOn(target, threeHosts)
	changed := provider + registryOn(target, threeHosts, `env = { ANKA_V = "5" }`)
	only := func(*terraform.State) error {
		for _, host := range lab.Hosts {
			if names := docker(t, lab, host.Name, "ps", "-a", "--format", "{{.Names}}"); names != "anka-acc-registry-"+host.Name {
				return fmt.Errorf("%s has %s", host.Name, names)
			}
		}
		return nil
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config},
			{
				PreConfig: func() {
					docker(t, lab, "h1", "rename", "anka-acc-registry-h1", "anka-acc-registry-h1.previous")
					docker(t, lab, "h2", "rename", "anka-acc-registry-h2", "anka-acc-registry-h2.previous")
					docker(t, lab, "h2", "stop", "anka-acc-registry-h2.previous")
				},
				Config: changed, Check: resource.ComposeAggregateTestCheckFunc(only, answer(registryAddress, "/readyz", 3)),
			},
			{Config: changed, ConfigPlanChecks: emptyPlan()},
			{
				PreConfig: func() { docker(t, lab, "h3", "rename", "anka-acc-registry-h3", "anka-acc-registry-h3.previous") },
				Config:    changed, Check: only,
			},
		},
	})
}

// TestAccRegistry_notReadyIsNoError: a creation that is up but not ready is
// not tainted; the next apply waits again.
func TestAccRegistry_notReadyIsNoError(t *testing.T) {
	lab, target := labAndTarget(t)
	config := acctest.Provider(t, target, "tls") +
		registryOn(target, threeHosts, `ready_timeout = "2s"`, `env = { ANKASIM_READY_DELAY = "8s" }`)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config, ConfigStateChecks: []statecheck.StateCheck{ready(registryAddress, false)}, ExpectNonEmptyPlan: true},
			{
				PreConfig:         func() { awaitReady(t, lab) },
				Config:            config,
				ConfigStateChecks: []statecheck.StateCheck{ready(registryAddress, true)},
			},
			{Config: config, ConfigPlanChecks: emptyPlan()},
		},
	})
}

func awaitReady(t *testing.T, lab *testlab.Lab) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for _, host := range lab.Hosts {
		for {
			code, err := get("http://" + host.Address + ":8089/readyz")
			if err == nil && code == http.StatusOK {
				break
			}
			select {
			case <-ctx.Done():
				t.Fatalf("waiting for the registry on %s: HTTP %d, %v", host.Name, code, err)
			case <-ticker.C:
			}
		}
	}
}

// TestAccRegistry_keepsOrPurgesVolumes: destroying leaves the volumes, and the
// next creation finds them; with purge_data_on_destroy they are deleted.
func TestAccRegistry_keepsOrPurgesVolumes(t *testing.T) {
	lab, target := labAndTarget(t)
	provider := acctest.Provider(t, target, "unix")
	volumes := func() string { return docker(t, lab, "h2", "volume", "ls", "-q") }
	docker(t, lab, "h2", "volume", "create", "somebody-elses")
	run := func(attributes ...string) {
		resource.Test(t, resource.TestCase{
			ProtoV6ProviderFactories: acctest.Factories(),
			Steps:                    []resource.TestStep{{Config: provider + registryOn(target, threeHosts, attributes...)}},
		})
	}
	run()
	if got := volumes(); got != "anka-acc-registry-h2\nsomebody-elses" {
		t.Errorf("after destroying, the volumes are %q", got)
	}
	run("purge_data_on_destroy = true")
	if got := volumes(); got != "somebody-elses" {
		t.Errorf("after purging, the volumes are %q", got)
	}
}

// TestAccRegistry_secretsStayOut: a token is in the container's environment,
// and neither in state nor in labels, logs or the trace of Terraform.
func TestAccRegistry_secretsStayOut(t *testing.T) {
	const canary, second = "canary-0123456789", "canary-9876543210"
	traces := t.TempDir()
	t.Setenv("TF_LOG", "TRACE")
	t.Setenv("TF_LOG_PATH_MASK", filepath.Join(traces, "%s.log"))
	lab, target := labAndTarget(t)
	// The tokens come from files, because the test framework itself writes the
	// configuration into the trace.
	with := func(token string, version int) string {
		file := filepath.Join(traces, fmt.Sprintf("token-%d", version))
		must(t, os.WriteFile(file, []byte(token), 0o600))
		return acctest.Provider(t, target, "ssh") + registryOn(target, threeHosts,
			fmt.Sprintf("root_token_wo = file(%q)\n  root_token_wo_version = %d", file, version),
			fmt.Sprintf("env_wo = { ANKASIM_SECRET = file(%q) }\n  env_wo_version = 1", file))
	}
	check := func(token string) resource.TestCheckFunc {
		return func(s *terraform.State) error {
			if strings.Contains(fmt.Sprint(s.RootModule().Resources), "canary-") {
				return fmt.Errorf("the token is in state: %v", s.RootModule().Resources)
			}
			seen := docker(t, lab, "h2", "inspect", "-f", "{{json .Config.Labels}}", "anka-acc-registry-h2") +
				docker(t, lab, "h2", "logs", "anka-acc-registry-h2")
			if strings.Contains(seen, "canary-") {
				return fmt.Errorf("the token is in labels or logs: %s", seen)
			}
			env := docker(t, lab, "h2", "inspect", "-f", "{{json .Config.Env}}", "anka-acc-registry-h2")
			for _, want := range []string{"ANKA_ROOT_TOKEN=" + token, "ANKASIM_SECRET=" + token, "ANKA_ENABLE_AUTH=true"} {
				if !strings.Contains(env, want) {
					return fmt.Errorf("no %s in %s", want, env)
				}
			}
			return nil
		}
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: with(canary, 1), Check: check(canary), ConfigStateChecks: []statecheck.StateCheck{ready(registryAddress, true)}},
			{Config: with(canary, 1), ConfigPlanChecks: emptyPlan()},
			{
				Config: with(second, 2), Check: check(second),
				ConfigPlanChecks: action(registryAddress, plancheck.ResourceActionUpdate),
			},
		},
	})
	trace, err := os.ReadFile(filepath.Join(traces, t.Name()+".log"))
	must(t, err)
	if !strings.Contains(string(trace), "registry step") {
		t.Error("the trace does not tell the steps, so it proves nothing")
	}
	if at := strings.Index(string(trace), "canary-"); at >= 0 {
		t.Errorf("the token is in the trace: …%s", trace[max(0, at-200):at])
	}
}
