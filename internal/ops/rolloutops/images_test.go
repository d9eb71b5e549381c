package rolloutops

import (
	"fmt"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// TestPlan_pullsOnlyWhatIsMissing: a step that is shown is one that will do
// something.
func TestPlan_pullsOnlyWhatIsMissing(t *testing.T) {
	daemons := map[string]*daemon{"h1": {image: "new"}, "h2": {image: "old"}}
	s := &Service{Desired: desired("h1", "h2"), Fleet: fleet(t, daemons)}
	for range 2 {
		steps, _, err := s.Plan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := "[pull new on h2 create registry on h1, h2 start registry on h1, h2 wait until registry is ready on h1, h2]"
		if got := fmt.Sprint(steps); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for name, d := range daemons {
		if d.looked != 1 {
			t.Errorf("%s was asked %d times", name, d.looked)
		}
	}
}

// TestPlan_looksForNoImageWhereNothingIsCreated, which keeps a plan without
// changes at one call to each host.
func TestPlan_looksForNoImageWhereNothingIsCreated(t *testing.T) {
	spec := desired("h1").Replicas[0].Spec
	d := &daemon{containers: []map[string]any{{
		"Id": "1", "Names": []string{"/" + spec.Name}, "Labels": spec.Labels, "State": container.Running, "Image": "new",
	}}}
	s := &Service{Desired: desired("h1"), Fleet: fleet(t, map[string]*daemon{"h1": d})}
	steps, _, err := s.Plan(t.Context())
	if err != nil || fmt.Sprint(steps) != "[wait until registry is ready on h1]" || d.looked != 0 {
		t.Errorf("got %v, %v after %d looks", steps, err, d.looked)
	}
}
