package replicas_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
)

// TestAccRegistry_import: a registry with a certificate, settings and limits
// comes back by its name, whole, and nothing is left to plan; its containers
// are the same afterwards.
func TestAccRegistry_import(t *testing.T) {
	lab, target := labAndTarget(t)
	made, files := newMaterial(t), t.TempDir()
	for name, text := range map[string]string{"cert": made.certificate, "key": made.key} {
		must(t, os.WriteFile(filepath.Join(files, name), []byte(text), 0o600))
	}
	config := acctest.Provider(t, target, "ssh") + registryOn(target, threeHosts,
		fmt.Sprintf(`https = {
    server_cert_wo         = file("%[1]s/cert")
    server_key_wo          = file("%[1]s/key")
    server_cert_wo_version = 3
  }`, files),
		`logging = { verbosity = 4 }`, `cpus = 0.3`, `extra_hosts = { other = "10.9.9.9" }`, `root_token_wo = "canary-0123456789"`, `root_token_wo_version = 1`,
		`env = { TZ = "Europe/Berlin" }`, `timeouts = { update = "25m" }`)
	var before map[string]string
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config, Check: func(*terraform.State) error { before = ids(t, lab, "registry"); return nil }},
			{
				Config: config, ResourceName: registryAddress, ImportState: true, ImportStateId: "acc", ImportStateVerify: true,
			},
			{
				// Expects that the plan with the import changes nothing.
				Config: config, ResourceName: registryAddress, ImportState: true, ImportStateId: "acc",
				ImportStateKind: resource.ImportBlockWithID,
			},
			{
				Config: config, ResourceName: registryAddress, ImportState: true, ImportStateId: "nowhere",
				ExpectError: regexp.MustCompile(`(?s)no container of registry "nowhere" on any host.*h1, h2, h3`),
			},
			{
				PreConfig: func() {
					for host, id := range ids(t, lab, "registry") {
						if id != before[host] {
							t.Errorf("%s had container %s and has %s", host, before[host], id)
						}
					}
				},
				Config: config, ConfigPlanChecks: emptyPlan(),
			},
		},
	})
}
