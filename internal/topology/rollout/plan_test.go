package rollout_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

const owner, port = "anka", 80

func spec(host, image string) container.Spec {
	s := container.Spec{Image: image, Ports: []container.Port{{HostPort: port, ContainerPort: 80}}}
	return s.Owned(container.Identity{Owner: owner, Role: container.Controller, Instance: host})
}

func found(host, image string, status container.Status) container.Found {
	s := spec(host, image)
	return container.Found{Name: s.Name, Image: image, Labels: s.Labels, Ports: s.Ports, Status: status}
}

// TestPlan runs the cases under testdata/plan. In a case, "plan", or "partial"
// where not all of the configuration is known, is followed by
// host:image pairs, and each further line is a host with what was found there:
//
//	h1 running v1 ready          its container, the image it was made from
//	h1 previous exited v1        what is kept under the name of the previous
//	h1 incomplete created v1     what is kept under the name of the incomplete
//	h1 foreign                   a container of our name that is not ours
//	h1 unreachable               no answer
//	h1 taken 80 nginx            another container publishes the port
//	h1 recorded v1               what the state says was applied there
//	h1 unsettled                 this apply has just started its container
//	h1 has v2                    an image that is on the host
//	h1 made second               the label that "together" compares
//
// "together" is a plan of containers that are made together.
func TestPlan(t *testing.T) {
	datadriven.Walk(t, "testdata/plan", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			desired := rollout.Desired{Owner: owner, Role: container.Controller}
			for _, arg := range d.CmdArgs {
				desired.Replicas = append(desired.Replicas, rollout.Replica{Host: arg.Key, Spec: spec(arg.Key, arg.Vals[0])})
			}
			desired.Partial = d.Cmd == "partial"
			if d.Cmd == "together" {
				desired.Together = container.LabelTenure
			}
			observed := observe(t, d.Input)
			if d.Cmd == "rollback" {
				return render(rollout.Rollback(desired, observed, desired.Replicas[0].Host), nil)
			}
			return render(rollout.Plan(desired, observed))
		})
	})
}

func render(steps []topology.Step, err error) string {
	var out strings.Builder
	for i, step := range steps {
		fmt.Fprintf(&out, "%d. %s (%s)\n", i+1, step, step.Cause())
	}
	if err != nil {
		fmt.Fprintf(&out, "error: %s\n", err)
	}
	if out.Len() == 0 {
		return "nothing to do\n"
	}
	return out.String()
}

func observe(t *testing.T, input string) rollout.Observed {
	t.Helper()
	o := rollout.Observed{Hosts: map[string]rollout.Host{}, Recorded: map[string]string{}}
	for line := range strings.Lines(input) {
		words := strings.Fields(line)
		name, words := words[0], words[1:]
		h := o.Hosts[name]
		switch words[0] {
		case "unreachable":
			h.Reach = topology.Unreachable
		case "recorded":
			o.Recorded[name] = ""
			if len(words) > 1 {
				o.Recorded[name] = spec(name, words[1]).Labels[container.LabelHash]
			}
		case "foreign":
			h.Container = container.Found{Name: spec(name, "").Name, Status: container.Foreign}
		case "previous":
			h.Previous = found(name, words[2], container.Status(words[1]))
		case "incomplete":
			h.Incomplete = found(name, words[2], container.Status(words[1]))
			h.Incomplete.Name = container.IncompleteName(h.Incomplete.Name)
			if words[1] == string(container.Foreign) {
				h.Incomplete.Labels = nil
			}
		case "made":
			h.Container.Labels[container.LabelTenure] = words[1]
		case "taken":
			n, err := strconv.Atoi(words[1])
			if err != nil {
				t.Fatal(err)
			}
			h.Taken = append(h.Taken, rollout.TakenPort{Port: container.Port{HostPort: n}, By: words[2]})
		case "has":
			h.Pulled = append(h.Pulled, words[1])
		case "unsettled":
			h.Unsettled = true
		case "absent":
		default:
			h.Container = found(name, words[1], container.Status(words[0]))
			h.Ready = len(words) > 2 && words[2] == "ready"
		}
		o.Hosts[name] = h
	}
	return o
}
