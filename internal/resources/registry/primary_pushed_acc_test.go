package registry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// TestAccRegistry_pushedWhileRegistriesChange: registries roll between the two
// comparisons of a change of the primary, and what is pushed to the old one then
// is on the new one before the old direction ends.
func TestAccRegistry_pushedWhileRegistriesChange(t *testing.T) {
	lab, target := labAndTarget(t)
	provider := acctest.Provider(t, target, "ssh")
	// No pass but those of the comparisons copies it.
	rarely := fmt.Sprintf("replication = {\n    every = \"3h\"\n    image = %q\n  }", images.Rclone)
	status := func(host string) string {
		return shell(t, lab, host, "docker exec anka-acc-registry-replication-"+host+" cat /run/anka/status.json 2>&1 || true")
	}
	var registries map[string]string
	pushed := make(chan error, 1)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: provider + replicated(target, threeHosts, "h1", rarely), Check: func(*terraform.State) error {
				for _, host := range []string{"h2", "h3"} {
					awaitLook(t, host+" in sync", func(got string) bool { return strings.Contains(got, `"in_sync":true`) }, func() string { return status(host) })
				}
				registries = containers(t, lab, "registry")
				return nil
			}},
			{
				PreConfig: func() { go func() { pushed <- pushBetween(t.Context(), lab, registries) }() },
				Config:    provider + replicated(target, threeHosts, "h2", rarely, `env = { SOME = "1" }`),
				Check: func(*terraform.State) error {
					must(t, <-pushed)
					if got := tree(t, lab, "h2"); !strings.Contains(got, "template-mid-v1.ank") {
						t.Errorf("the new primary has only\n%s", got)
					}
					equal(t, lab, 3, "h2", "h1", "h3")
					awaitLook(t, "h1 to have nothing more", func(got string) bool {
						return strings.Contains(got, `"in_sync":true`) && strings.Contains(got, `"ahead_count":0`)
					}, func() string { return status("h1") })
					return nil
				},
			},
		},
	})
}

// pushBetween pushes to h1 as soon as its registry is the new one, and fails
// when by then all are.
func pushBetween(ctx context.Context, lab *testlab.Lab, before map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*timeout)
	defer cancel()
	changed := func(host string) bool {
		// The new container is there before the old one has stopped.
		running, err := lab.Host(host).Run(ctx, "docker inspect -f '{{.State.Running}} {{.Id}}' anka-acc-registry-"+host)
		id, runs := strings.CutPrefix(strings.TrimSpace(running), "true ")
		return err == nil && runs && id != before[host]
	}
	url, layer := registryURL(lab, "h1"), "template-mid-v1.ank"
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for ; ; <-ticker.C {
		if ctx.Err() != nil {
			return fmt.Errorf("the registry on h1 did not change: %w", ctx.Err())
		}
		if !changed("h1") {
			continue
		}
		if _, err := ask(ctx, http.MethodGet, url+"/registry/status", nil); err == nil {
			break
		}
	}
	if _, err := ask(ctx, http.MethodPut, url+"/registry/v2/image/"+layer, []byte(strings.Repeat(layer, 1000))); err != nil {
		return err
	}
	version := fmt.Sprintf(`{"id":"template-mid","name":"vm-template-mid","version":{"tag":"v1","images":[%q]}}`, layer)
	if _, err := ask(ctx, http.MethodPost, url+"/registry/v2/vm", []byte(version)); err != nil {
		return err
	}
	if changed("h2") && changed("h3") {
		return errors.New("all registries had changed before it was pushed, so that nothing is proven")
	}
	return nil
}
