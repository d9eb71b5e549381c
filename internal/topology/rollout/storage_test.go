package rollout_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

func stored(host, image string, m container.Mount) rollout.Replica {
	s := container.Spec{Image: image, Mounts: []container.Mount{m}}
	return rollout.Replica{Host: host, Spec: s.Owned(container.Identity{Owner: owner, Role: container.Registry, Instance: host})}
}

func volume(name string) container.Mount {
	return container.Mount{Type: container.Volume, Source: name, Target: "/mnt/vol"}
}

func bind(path string) container.Mount {
	return container.Mount{Type: container.Bind, Source: path, Target: "/mnt/vol"}
}

// TestPlan_namesStorageThatChanges: registries start empty at a new place,
// which must be seen in the plan and not in production.
func TestPlan_namesStorageThatChanges(t *testing.T) {
	const stays = ": the data stays where it was and is not moved"
	for name, c := range map[string]struct {
		image    string
		from, to container.Mount
		want     string
	}{
		"volume to path":      {"v1", volume("templates"), bind("/opt/t"), "storage changes from volume templates to /opt/t" + stays},
		"path to path":        {"v1", bind("/opt/t"), bind("/opt/u"), "storage changes from /opt/t to /opt/u" + stays},
		"volume to volume":    {"v1", volume("a"), volume("b"), "storage changes from volume a to volume b" + stays},
		"with another image":  {"v2", bind("/opt/t"), bind("/opt/u"), "image changes from v1 to v2; storage changes from /opt/t to /opt/u" + stays},
		"another image alone": {"v2", bind("/opt/t"), bind("/opt/t"), "image changes from v1 to v2"},
	} {
		t.Run(name, func(t *testing.T) {
			old := stored("h1", "v1", c.from).Spec
			d := rollout.Desired{Owner: owner, Role: container.Registry, Replicas: []rollout.Replica{stored("h1", c.image, c.to)}}
			o := rollout.Observed{Hosts: map[string]rollout.Host{"h1": {Ready: true, Container: container.Found{
				Name: old.Name, Image: old.Image, Labels: old.Labels, Status: container.Running,
				// Volumes that an image brings by itself are no storage of ours.
				Mounts: append([]container.Mount{{Type: container.Volume, Source: "f00d", Target: "/cache"}}, old.Mounts...),
			}}}}
			steps, err := rollout.Plan(d, o)
			if err != nil {
				t.Fatal(err)
			}
			if got := steps[1].Cause(); !strings.HasPrefix(steps[1].String(), "replace registry on h1") || got != c.want {
				t.Errorf("%s because %q, want %q", steps[1], got, c.want)
			}
		})
	}
}

func TestRelocations(t *testing.T) {
	d := rollout.Desired{Replicas: []rollout.Replica{
		stored("h3", "v1", bind("/opt/t")), stored("h2", "v1", bind("/opt/t")), stored("h1", "v1", bind("/opt/t")),
	}}
	got := rollout.Relocations(d, map[string][]container.Mount{
		"h1": {volume("a")}, "h2": {bind("/opt/t")}, "h4": {volume("gone")},
	})
	want := []rollout.Relocation{{Host: "h1", From: "volume a", To: "/opt/t"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
