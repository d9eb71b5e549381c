package etcd

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
)

// TestPlan runs the cases under testdata/plan: a cluster, what was observed,
// and the steps or the refusal that must come of it. The language of the cases
// is described at [scenario]. Run with -rewrite to accept what the planner
// says.
func TestPlan(t *testing.T) {
	files, err := filepath.Glob("testdata/plan/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases found: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			datadriven.RunTest(t, file, func(t *testing.T, td *datadriven.TestData) string {
				d, o := parseScenario(t, td)
				var steps []topology.Step
				var err error
				switch td.Cmd {
				case "plan":
					steps, err = Plan(d, o)
				case "destroy", "purge":
					steps, err = PlanDestroy(d, o, td.Cmd == "purge")
				default:
					td.Fatalf(t, "unknown command %q", td.Cmd)
				}
				return render(steps, err)
			})
		})
	}
}

func render(steps []topology.Step, err error) string {
	var out strings.Builder
	for i, s := range steps {
		fmt.Fprintf(&out, "%d. %s (%s)\n", i+1, s, s.Cause())
	}
	if text := Narrowest(steps); text != "" {
		fmt.Fprintln(&out, text)
	}
	if err != nil {
		fmt.Fprintf(&out, "refused: %v\n", err)
	}
	if out.Len() == 0 {
		return "nothing to do\n"
	}
	return out.String()
}
