package rollout

import (
	"maps"
	"slices"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
)

// renewal is the next step of making containers of [Desired.Together] anew:
// what is there goes everywhere before anything is made anywhere, so that no
// two of them ever differ in what they share. The images come first, so that
// one that is missing costs nothing. It is nil when nothing has to be made, or
// nothing is there any more.
//
// A host that does not answer keeps what it has. When it is back, its container
// differs in the label, and all are made anew once more.
func renewal(d Desired, o Observed, verdicts []verdict) topology.Step {
	if d.Together == "" {
		return nil
	}
	var causes, present []string
	add := func(cause string) {
		if !slices.Contains(causes, cause) {
			causes = append(causes, cause)
		}
	}
	shared := map[string]bool{}
	for _, v := range verdicts {
		switch current := o.Hosts[v.host].Container; {
		case v.need == create || v.need == replace || v.need == discard:
			add(v.why)
		case !absent(current):
			shared[current.Labels[d.Together]] = true
		}
	}
	if len(shared) > 1 {
		add("they were not made together")
	}
	for _, name := range slices.Sorted(maps.Keys(o.Hosts)) {
		if o.Hosts[name].has(d.Identity(name)) {
			present = append(present, name)
		}
	}
	if len(causes) == 0 || len(present) == 0 {
		return nil
	}
	removed := Remove{Target{d.Role, present, strings.Join(causes, "; ") + "; all are made anew together"}}
	o.Hosts = maps.Clone(o.Hosts)
	Simulate(d, o, removed)
	for i, v := range verdicts {
		verdicts[i] = judge(d, d.replica(v.host), o)
	}
	if step := pull(d, o, verdicts); step != nil {
		return step
	}
	return removed
}
