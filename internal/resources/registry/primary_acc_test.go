package registry_test

import (
	"context"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

// TestAccRegistry_primaryMoves: what was pushed to the old primary until the
// apply is on the new one, which the others follow from then on. The registries
// themselves are not touched. What is pushed to the old one afterwards stays
// there.
func TestAccRegistry_primaryMoves(t *testing.T) {
	lab, target := labAndTarget(t)
	provider := acctest.Provider(t, target, "ssh")
	on := func(primary string) string {
		return provider + replicated(target, threeHosts, primary, every2s(""))
	}
	var registries map[string]string
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: on("h1"), Check: func(*terraform.State) error {
				registries = containers(t, lab, "registry")
				push(t, lab, "h1", "template-a", "v1") // and the primary moves at once
				return nil
			}},
			{
				Config: on("h2"), ConfigPlanChecks: updated(),
				Check: resource.ComposeAggregateTestCheckFunc(
					resource.TestCheckResourceAttrPair(address, "primary_url", address, "urls.h2"),
					func(*terraform.State) error {
						kept(t, lab, "registry", registries)
						equal(t, lab, 3, "h2", "h1", "h3")
						push(t, lab, "h2", "template-b", "v1")
						equal(t, lab, 6, "h2", "h1", "h3")
						push(t, lab, "h1", "template-late", "v1")
						return nil
					}),
			},
			{Config: on("h2"), ConfigPlanChecks: emptyPlan()},
			{
				// h1 is ahead, so h2's templates are all there, and the way back is open.
				Config: on("h1"), ConfigPlanChecks: updated(),
				Check: func(*terraform.State) error {
					equal(t, lab, 9, "h1", "h2", "h3")
					return nil
				},
			},
		},
	})
}

// TestAccRegistry_deadPrimaryMoves: a primary that is gone is moved away from
// only with accept_data_loss, and is a replica when it comes back. What it had
// more stays on its disk.
func TestAccRegistry_deadPrimaryMoves(t *testing.T) {
	lab, target := labAndTarget(t)
	provider := acctest.Provider(t, target, "ssh", `connect_timeout = "3s"`)
	on := func(primary string, further ...string) string {
		return provider + replicated(target, threeHosts, primary, append(further, every2s(""))...)
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: on("h1"), Check: func(*terraform.State) error {
				push(t, lab, "h1", "template-a", "v1")
				equal(t, lab, 3, "h1", "h2", "h3")
				return nil
			}},
			{
				PreConfig: func() {
					shell(t, lab, "h2", "docker stop anka-acc-registry-replication-h2")
					shell(t, lab, "h3", "docker stop anka-acc-registry-replication-h3")
					push(t, lab, "h1", "template-lost", "v1")
					must(t, lab.Host("h1").PowerOff(t.Context()))
				},
				Config:      on("h2"),
				ExpectError: regexp.MustCompile(`(?s)Primary cannot change.*old primary on h1 cannot be\s+reached.*accept_data_loss`),
			},
			{
				Config: on("h2", "accept_data_loss = true"),
				Check: func(*terraform.State) error {
					push(t, lab, "h2", "template-b", "v1")
					equal(t, lab, 6, "h2", "h3")
					return nil
				},
			},
			{
				// It is back, and still a source of the old term.
				PreConfig: func() { must(t, lab.Host("h1").PowerOn(t.Context())) },
				Config:    on("h2"), ConfigPlanChecks: updated(),
				Check: func(*terraform.State) error {
					equal(t, lab, 6, "h2", "h3")
					awaitTree(t, func() (string, bool) {
						got := tree(t, lab, "h1")
						return got, strings.Contains(got, "template-lost-v1.ank") && strings.Contains(got, "template-b-v1.ank")
					})
					return nil
				},
			},
			{Config: on("h2"), ConfigPlanChecks: emptyPlan()},
		},
	})
}

func awaitTree(t testing.TB, look func() (string, bool)) {
	t.Helper()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(timeout); ; <-ticker.C {
		got, ok := look()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("there are only\n%s", got)
		}
	}
}

const requiredProviders = `
terraform {
  required_providers {
    anka = { source = "anka-ha/anka" }
  }
}
`

// TestAccRegistry_killedWhilePrimaryMoves kills terraform and the provider at
// moments all over a change of the primary. Nothing that was pushed is ever
// lost, and the next apply ends where it was going.
func TestAccRegistry_killedWhilePrimaryMoves(t *testing.T) {
	lab, target := labAndTarget(t)
	plugins := t.TempDir()
	must(t, tfcli.BuildProvider(t.Context(), plugins))
	workspace, err := tfcli.New(t.TempDir(), plugins)
	must(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	move := func(primary string) {
		must(t, workspace.Write("main.tf", requiredProviders+acctest.Provider(t, target, "ssh")+replicated(target, threeHosts, primary, every2s(""))))
	}
	apply := func() {
		t.Helper()
		if _, err := workspace.Apply(ctx); err != nil {
			t.Fatalf("%v\n%s", err, lab.Report())
		}
	}
	move("h1")
	apply()
	files, hosts := 0, []string{"h1", "h2", "h3"}
	move("h2")
	began := time.Now()
	apply()
	whole := time.Since(began)
	move("h1")
	apply()
	for round, part := range []float64{0.35, 0.5, 0.65, 0.8} {
		after := time.Duration(part * float64(whole))
		from, to := hosts[round%3], hosts[(round+1)%3]
		push(t, lab, from, "template-"+from+strings.Repeat("x", round), "v1")
		files += 3
		move(to)
		killApply(t, workspace, after)
		apply()
		if empty, plan, err := workspace.PlanIsEmpty(ctx); err != nil || !empty {
			t.Fatalf("round %d: second plan: %v\n%s", round, err, plan)
		}
		equal(t, lab, files, to, hosts[round%3], hosts[(round+2)%3])
	}
	_, err = workspace.Destroy(ctx)
	must(t, err)
}

// killApply starts an apply and kills it, with the provider, after a while.
func killApply(t *testing.T, workspace *tfcli.Workspace, after time.Duration) {
	t.Helper()
	command := workspace.Command(context.Background(), "apply", "-auto-approve", "-input=false", "-no-color")
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, command.Start())
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case <-time.After(after):
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) // it may just have ended
		if err := <-ended; err == nil {
			t.Logf("the apply had ended by itself after %s", after)
		}
	case err := <-ended:
		t.Logf("the apply had ended by itself after less than %s: %v", after, err)
	}
}
