package replicas_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
)

// TestCreate_sameAddress: addresses that were not known while planning are
// looked at before anything is made.
func TestCreate_sameAddress(t *testing.T) {
	unsure := dockerhost.NewFleet()
	unsure.SetUnknown()
	planned, said := serve(t, "anka_registry", unsure).planned(registries)
	if said != "" {
		t.Fatal(said)
	}
	fleet := dockerhost.NewFleet()
	fleet.Add(closedAt(t, "h1", "127.0.0.1"))
	fleet.Add(closedAt(t, "h2", "127.0.0.1"))
	s := serve(t, "anka_registry", fleet)
	state, err := tfprotov6.NewDynamicValue(s.typ, tftypes.NewValue(s.typ, planned))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.ApplyResourceChange(t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: s.name, Config: s.dynamic(registries), PlannedState: &state, PriorState: s.dynamic(nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `error AttributeName("replicas").ElementKeyString("h2"): Duplicate address`
	if got := lines(resp.Diagnostics); !strings.HasPrefix(got, want) || strings.Contains(got, "\n") {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
