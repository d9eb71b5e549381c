package rollout_test

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// TestPlanDestroy runs the cases under testdata/destroy. In a case, "destroy"
// and "purge" name host=storage pairs, where storage is a path or the name of
// a volume. Beside the lines of TestPlan there are
//
//	h1 volume data               a volume that was made for h1
//	h1 volume data of someone    a volume of somebody else
//
// What is kept afterwards ends each case.
func TestPlanDestroy(t *testing.T) {
	datadriven.Walk(t, "testdata/destroy", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			desired := rollout.Desired{Owner: owner, Role: container.Controller}
			for _, arg := range d.CmdArgs {
				desired.Replicas = append(desired.Replicas, replicaOn(arg.Key, arg.Vals[0]))
			}
			var hosts []string
			volumes := map[string][]rollout.Volume{}
			for line := range strings.Lines(d.Input) {
				words := strings.Fields(line)
				if words[1] != "volume" {
					hosts = append(hosts, line)
					continue
				}
				labels := spec(words[0], "").Labels
				if len(words) > 3 {
					labels = map[string]string{container.LabelOwner: words[4]}
				}
				volumes[words[0]] = append(volumes[words[0]], rollout.Volume{Name: words[2], Labels: labels})
			}
			observed := observe(t, strings.Join(hosts, ""))
			for name, host := range observed.Hosts {
				host.Volumes = volumes[name]
				observed.Hosts[name] = host
			}
			if d.Cmd == "plan" {
				return render(rollout.Plan(desired, observed))
			}
			steps, err := rollout.PlanDestroy(desired, observed, d.Cmd == "purge")
			text := render(steps, err)
			for _, step := range steps {
				rollout.Simulate(desired, observed, step)
			}
			for _, place := range rollout.Kept(desired, observed) {
				text += "kept: " + place + "\n"
			}
			return text
		})
	})
}

// replicaOn is a replica with data in a volume or, when it looks like one, under
// a path.
func replicaOn(host, storage string) rollout.Replica {
	mount := container.Mount{Type: container.Volume, Source: storage, Target: "/data"}
	if strings.HasPrefix(storage, "/") {
		mount.Type = container.Bind
	}
	s := spec(host, "v1")
	s.Mounts = []container.Mount{mount}
	return rollout.Replica{Host: host, Spec: s}
}

// TestNeedVolumes: volumes are looked at only where a container is created
// that uses one.
func TestNeedVolumes(t *testing.T) {
	desired := rollout.Desired{Owner: owner, Role: container.Controller, Replicas: []rollout.Replica{
		replicaOn("h1", "data"), replicaOn("h2", "/data"), replicaOn("h3", "data"), replicaOn("h4", "data"),
	}}
	observed := observe(t, "h1 absent\nh2 absent\nh3 running v0 ready\nh4 exited v1\n")
	steps, err := rollout.Plan(desired, observed)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rollout.NeedVolumes(desired, steps), " "); got != "h1 h3" {
		t.Errorf("got %q for %v", got, steps)
	}
}
