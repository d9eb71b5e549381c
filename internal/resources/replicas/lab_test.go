package replicas_test

import (
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
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
)

func TestMain(m *testing.M) { testlab.Main(m) }

const timeout = 30 * time.Second

var (
	labAndTarget = acctest.Lab
	must         = acctest.Must
	docker       = acctest.Docker
	shell        = acctest.Shell
	ids          = acctest.Containers
	emptyPlan    = acctest.EmptyPlan
)

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
