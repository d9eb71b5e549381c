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

func export(volume, path string) container.Mount {
	return container.Mount{
		Type: container.Volume, Source: volume, Target: "/mnt/vol", Store: "NFS 10.0.0.9:" + path,
		Options: container.VolumeOptions{Type: "nfs", Device: ":" + path, Options: "addr=10.0.0.9"},
	}
}

func bucket(name string) container.Mount {
	return container.Mount{Type: container.External, Target: "/mnt/vol", Store: "bucket " + name}
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
		"path to export":      {"v1", bind("/opt/t"), export("n", "/srv"), "storage changes from /opt/t to NFS 10.0.0.9:/srv" + stays},
		"export to export":    {"v1", export("n", "/srv"), export("m", "/tmp"), "storage changes from NFS 10.0.0.9:/srv to NFS 10.0.0.9:/tmp" + stays},
		"export to volume":    {"v1", export("n", "/srv"), volume("a"), "storage changes from NFS 10.0.0.9:/srv to volume a" + stays},
		"other options alone": {"v1", export("n", "/srv"), export("m", "/srv"), "configuration changed"},
		"path to bucket":      {"v2", bind("/opt/t"), bucket("a"), "image changes from v1 to v2; storage changes from /opt/t to bucket a" + stays},
		"bucket to volume":    {"v1", bucket("a"), volume("a"), "storage changes from bucket a to volume a" + stays},
		"bucket to bucket":    {"v2", bucket("a"), bucket("b"), "image changes from v1 to v2; storage changes from bucket a to bucket b" + stays},
		"with another image":  {"v2", bind("/opt/t"), bind("/opt/u"), "image changes from v1 to v2; storage changes from /opt/t to /opt/u" + stays},
		"another image alone": {"v2", bind("/opt/t"), bind("/opt/t"), "image changes from v1 to v2"},
	} {
		t.Run(name, func(t *testing.T) {
			old := stored("h1", "v1", c.from).Spec
			d := rollout.Desired{Owner: owner, Role: container.Registry, Replicas: []rollout.Replica{stored("h1", c.image, c.to)}}
			o := rollout.Observed{Hosts: map[string]rollout.Host{"h1": {Ready: true, Container: container.Found{
				Name: old.Name, Image: old.Image, Labels: old.Labels, Status: container.Running,
				// Volumes that an image brings by itself are no storage of ours.
				Mounts: append([]container.Mount{{Type: container.Volume, Source: "f00d", Target: "/cache"}}, listed(old.Mounts)...),
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

// listed are mounts as a daemon lists them.
func listed(mounts []container.Mount) []container.Mount {
	var all []container.Mount
	for _, m := range mounts {
		if m.Type != container.External {
			all = append(all, container.Mount{Type: m.Type, Source: m.Source, Target: m.Target})
		}
	}
	return all
}

// TestPlan_refusesPathsThatAreMissing before anything is touched, and only
// where a container has to be made.
func TestPlan_refusesPathsThatAreMissing(t *testing.T) {
	disk := bind("/mnt/disk")
	disk.Existing = true
	d := rollout.Desired{Owner: owner, Role: container.Registry, Replicas: []rollout.Replica{stored("h2", "v1", disk), stored("h1", "v1", disk)}}
	o := rollout.Observed{Hosts: map[string]rollout.Host{"h1": {Missing: []string{"/mnt/disk"}}, "h2": {}}}
	const want = "the storage of the registry is not there: /mnt/disk on h1. "
	steps, err := rollout.Plan(d, o)
	if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "create_path = true") || len(steps) > 0 {
		t.Errorf("got %v, %v", steps, err)
	}
	o.Hosts["h1"] = rollout.Host{}
	steps, err = rollout.Plan(d, o)
	if err != nil {
		t.Fatal(err)
	}
	if got := rollout.NeedPaths(d, steps); len(got) != 2 || !slices.Equal(got["h1"], []string{"/mnt/disk"}) {
		t.Errorf("got %v", got)
	}
	d.Replicas[0].Spec.Mounts[0].Existing = false // shared with nobody: a slice of its own
	if got := rollout.NeedPaths(d, steps); len(got) != 1 {
		t.Errorf("a path that may be made is looked for: %v", got)
	}
}

// TestPlan_refusesVolumesWithOtherOptions, which the daemon would take without
// a word.
func TestPlan_refusesVolumesWithOtherOptions(t *testing.T) {
	r := stored("h1", "v1", export("n", "/srv"))
	d := rollout.Desired{Owner: owner, Role: container.Registry, Replicas: []rollout.Replica{r}}
	ours := rollout.Volume{Name: "n", Labels: r.Spec.Labels, Options: r.Spec.Mounts[0].Options}
	plan := func(v rollout.Volume) error {
		_, err := rollout.Plan(d, rollout.Observed{Hosts: map[string]rollout.Host{"h1": {Volumes: []rollout.Volume{v}}}})
		return err
	}
	if err := plan(ours); err != nil {
		t.Error(err)
	}
	ours.Options.Options += ",soft"
	if err := plan(ours); err == nil || !strings.Contains(err.Error(), "h1 already has the volume n") || !strings.Contains(err.Error(), "docker volume rm n") {
		t.Errorf("got %v", err)
	}
}

// TestKept_namesStores: what is on no host is told once, and a volume that only
// leads there is none of the places.
func TestKept_namesStores(t *testing.T) {
	d := rollout.Desired{Owner: owner, Role: container.Registry, Replicas: []rollout.Replica{
		stored("h1", "v1", export("n", "/srv")), stored("h2", "v1", export("n", "/srv")),
	}}
	n := rollout.Volume{Name: "n", Labels: d.Replicas[0].Spec.Labels, Options: d.Replicas[0].Spec.Mounts[0].Options}
	old := rollout.Volume{Name: "before", Labels: d.Replicas[0].Spec.Labels}
	got := rollout.Kept(d, rollout.Observed{Hosts: map[string]rollout.Host{"h1": {Volumes: []rollout.Volume{n, old}}, "h2": {}}})
	if want := []string{"NFS 10.0.0.9:/srv", "volume before on h1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
