package registry_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
)

// TestAccRegistry_lostDiskOfTwo: what the warning about a lost disk tells to do
// works where there are two replicas, too: the host is taken out, and is new
// when it comes again.
func TestAccRegistry_lostDiskOfTwo(t *testing.T) {
	lab, target := labAndTarget(t)
	provider := acctest.Provider(t, target, "ssh")
	on := func(hosts string) string { return provider + replicated(target, hosts, "h1", every2s("")) }
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: on("h1 h2"), Check: func(*terraform.State) error {
				push(t, lab, "h1", "template-a", "v1")
				equal(t, lab, 3, "h1", "h2")
				return nil
			}},
			{
				PreConfig: func() { shell(t, lab, "h2", "cd "+data("h2")+" && find . -mindepth 1 -delete") },
				Config:    on("h1"),
			},
			{Config: on("h1 h2"), Check: func(*terraform.State) error {
				if marker := shell(t, lab, "h2", "cat "+data("h2")+"/.anka-registry 2>&1 || true"); strings.Contains(marker, "No such file") {
					return errors.New("h2 was taken out and added again, and its storage got no marker file: " + marker)
				}
				equal(t, lab, 3, "h1", "h2")
				return nil
			}},
		},
	})
}
