package rolloutops

import (
	"maps"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

func desired(hosts ...string) rollout.Desired {
	d := rollout.Desired{Owner: "anka", Role: container.Registry}
	for _, host := range hosts {
		d.Replicas = append(d.Replicas, rollout.Replica{Host: host, Spec: container.Spec{Image: "new"}.Owned(d.Identity(host))})
	}
	return d
}

func found(host, image string) container.Found {
	d := desired()
	spec := container.Spec{Image: image}.Owned(d.Identity(host))
	return container.Found{Name: spec.Name, Labels: spec.Labels, Status: container.Running}
}

func hash(image string) string { return container.Spec{Image: image}.Hash() }

// TestHashes_onlyOfWhatIsProven: a host whose new container was not seen ready
// keeps what was recorded, so that a plan without that host is refused.
func TestHashes_onlyOfWhatIsProven(t *testing.T) {
	view := View{Observed: rollout.Observed{
		Hosts: map[string]rollout.Host{
			"proven":    {Container: found("proven", "new"), Ready: true},
			"unproven":  {Container: found("unproven", "new")},
			"replacing": {Container: found("replacing", "new"), Previous: found("replacing", "old"), Ready: true},
			"silent":    {Reach: topology.Unreachable},
			"fresh":     {Container: found("fresh", "new")},
		},
		Recorded: map[string]string{"proven": hash("old"), "unproven": hash("old"), "replacing": hash("old"), "silent": hash("old")},
	}}
	want := map[string]string{"proven": hash("new"), "unproven": hash("old"), "replacing": hash("old"), "silent": hash("old")}
	if got := view.Hashes(desired("proven", "unproven", "replacing", "silent", "fresh")); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestGone_needsEveryAnswer: a host that did not answer may have anything.
func TestGone_needsEveryAnswer(t *testing.T) {
	hosts := map[string]rollout.Host{"h1": {}, "h2": {}}
	view := View{Observed: rollout.Observed{Hosts: hosts}}
	if !view.Gone(desired("h1", "h2")) {
		t.Error("nothing is there, and it is not gone")
	}
	hosts["h2"] = rollout.Host{Container: container.Found{Name: "anka-anka-registry-h2", Status: container.Running}}
	if !view.Gone(desired("h1", "h2")) {
		t.Error("a container that is not ours counts")
	}
	hosts["h2"] = rollout.Host{Reach: topology.Unreachable}
	if view.Gone(desired("h1", "h2")) {
		t.Error("it is gone although h2 did not answer")
	}
	hosts["h2"] = rollout.Host{Previous: found("h2", "old")}
	if view.Gone(desired("h1", "h2")) {
		t.Error("it is gone although h2 keeps a container")
	}
}

func TestHost_sortsWhatWasFound(t *testing.T) {
	s := Service{Desired: desired("h1")}
	other := container.Found{Name: "nginx", Status: container.Running, Ports: []container.Port{{HostPort: 80}}}
	stopped := container.Found{Name: "stopped", Status: container.Exited, Ports: []container.Port{{HostPort: 81}}}
	sibling := container.Spec{}.Owned(container.Identity{Owner: "else", Role: container.Registry, Instance: "h1"})
	twin := container.Found{Name: sibling.Name, Labels: sibling.Labels, Status: container.Running, Ports: []container.Port{{HostPort: 8089}}}
	old := found("h1", "old")
	old.Name = rollout.PreviousName(s.Desired.Identity("h1"))
	all := []container.Found{other, stopped, twin, old, found("h1", "new")}

	host := s.host("h1", all)
	if host.Container.Hash() != hash("new") || host.Previous.Hash() != hash("old") {
		t.Errorf("got %+v", host)
	}
	if len(host.Taken) != 2 || host.Taken[0].By != "nginx" || host.Taken[1].By != "anka-else-registry-h1" {
		t.Errorf("got ports %+v", host.Taken)
	}
	s.Replacing = true
	if host := s.host("h1", all); len(host.Taken) != 1 {
		t.Errorf("while replacing, got ports %+v", host.Taken)
	}
}
