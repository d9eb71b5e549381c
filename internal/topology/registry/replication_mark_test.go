package registry_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
)

// TestMarks runs the cases under testdata/mark. "decide" may be followed by
// known=ID, before=(h1,h2), primary=h1 and seeded=(h3); each line is a host that answered,
// with the ID that its storage holds, "none" without one, or "filled" for data
// without one; and optionally with its place.
func TestMarks(t *testing.T) {
	datadriven.RunTest(t, "testdata/mark/decide.txt", func(t *testing.T, d *datadriven.TestData) string {
		marks := registry.Marks{Fresh: "fresh", Found: map[string]registry.Mark{}}
		for _, arg := range d.CmdArgs {
			switch arg.Key {
			case "known":
				marks.Known = arg.Vals[0]
			case "before":
				marks.Before = arg.Vals
			case "primary":
				marks.Primary = arg.Vals[0]
			case "seeded":
				marks.Seeded = arg.Vals
			}
		}
		for line := range strings.Lines(d.Input) {
			words := strings.Fields(line)
			mark := registry.Mark{ID: words[1]}
			if words[1] == "none" || words[1] == "filled" {
				mark = registry.Mark{Filled: words[1] == "filled"}
			}
			if len(words) > 2 {
				mark.Place = words[2]
			}
			marks.Found[words[0]] = mark
		}
		decided, err := marks.Decide()
		if err != nil {
			return fmt.Sprintf("error: %s\n", err)
		}
		return fmt.Sprintf("id %s, write on %v, lost on %v\n", decided.ID, decided.Write, decided.Lost)
	})
}
