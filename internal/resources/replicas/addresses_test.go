package replicas_test

import (
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
)

// TestCreate_sameAddress: addresses that were not known while planning are
// looked at before anything is made.
func TestCreate_sameAddress(t *testing.T) {
	unsure := dockerhost.NewFleet()
	unsure.SetUnknown()
	planned, said := serve(t, "anka_registry", unsure).Plan(nil, registries)
	if said != "" {
		t.Fatal(said)
	}
	fleet := dockerhost.NewFleet()
	fleet.Add(closedAt(t, "h1", "127.0.0.1"))
	fleet.Add(closedAt(t, "h2", "127.0.0.1"))
	s := serve(t, "anka_registry", fleet)
	_, got := s.Apply(nil, planned, registries)
	want := `error ("replicas").("h2"): Duplicate address`
	if !strings.HasPrefix(got, want) || strings.Contains(got, "\n") {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
