package registry_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

func TestTenure(t *testing.T) {
	first := registry.Tenure{ID: "r1", Term: 7, Primary: "h1", Authority: "abc"}
	if got, ok := registry.ParseTenure(first.Label()); !ok || got != first {
		t.Errorf("got %+v, %v", got, ok)
	}
	if got, ok := registry.ParseTenure(registry.Tenure{ID: "r1", Term: 7, Primary: "h1"}.Label()); !ok || got.Authority != "" {
		t.Errorf("without an authority: %+v, %v", got, ok)
	}
	for _, bad := range []string{"", "r1 7 h1", "r1 x h1 abc", " 7 h1 abc", "r1 7  abc", "r1 7 h1 abc more"} {
		if got, ok := registry.ParseTenure(bad); ok {
			t.Errorf("%q is %+v", bad, got)
		}
	}
	second := registry.Tenure{ID: "r1", Term: 9, Primary: "h2"}
	if got := registry.Latest(registry.Tenure{}, first, second, first); got != second {
		t.Errorf("the latest is %+v", got)
	}
	if got := registry.Latest(registry.Tenure{}); got != (registry.Tenure{}) {
		t.Errorf("of nothing the latest is %+v", got)
	}
	for name, c := range map[string]struct {
		from    registry.Tenure
		primary string
		now     int64
		term    int
	}{
		"same primary":       {first, "h1", 100, 7},
		"other primary":      {first, "h2", 100, 100},
		"clock went back":    {first, "h2", 3, 8},
		"first of all":       {registry.Tenure{}, "h1", 100, 100},
		"another's registry": {registry.Tenure{ID: "r0", Term: 200, Primary: "h1"}, "h1", 100, 201},
	} {
		if got := c.from.Next("r1", c.primary, c.now); got.Term != c.term || got.Primary != c.primary || got.ID != "r1" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// replicated are three registries on volumes, h2 being the primary.
func replicated() registry.Replicated {
	replicas := []service.Replica{{Host: "h1", Address: "10.0.0.1", Port: 8089}, {Host: "h2", Address: "10.0.0.2", Port: 8089}, {Host: "h3", Address: "10.0.0.3", Port: 8089}}
	settings := registry.Settings{Settings: service.Settings{Owner: "anka", Env: map[string]string{"ANKA_VM_DIR_PATH": "templates"}}}
	settings.Runtime = container.Runtime{DNS: []string{"10.0.0.53"}, ExtraHosts: map[string]string{"h1.internal": "10.0.0.1"}, Memory: 1 << 20}
	return registry.Replicated{
		Tenure:     registry.Tenure{ID: "r1", Term: 5, Primary: "h2"},
		Registries: settings.Desired(replicas), Replicas: replicas,
	}
}

func TestReplicated(t *testing.T) {
	r := replicated()
	desired := r.Desired()
	if desired.Owner != "anka" || desired.Role != container.Replication || desired.Together != container.LabelTenure || len(desired.Replicas) != 3 {
		t.Fatalf("got %+v", desired)
	}
	for _, each := range desired.Replicas {
		spec, source := each.Spec, each.Host == "h2"
		if id, ours := (container.Found{Labels: spec.Labels}).Identity(); !ours || id != desired.Identity(each.Host) || spec.Name != "anka-anka-registry-replication-"+each.Host {
			t.Errorf("%s: %s is %+v", each.Host, spec.Name, id)
		}
		if got := spec.Labels[container.LabelTenure]; got != "r1 5 h2 " {
			t.Errorf("%s: the label is %q", each.Host, got)
		}
		mount := spec.Mounts[0]
		if mount.Source != "anka-anka-registry-"+each.Host || !mount.Borrowed || mount.ReadOnly != source || mount.Target != replication.DataPath {
			t.Errorf("%s mounts %+v", each.Host, mount)
		}
		if (len(spec.Ports) == 1) != source {
			t.Errorf("%s publishes %v", each.Host, spec.Ports)
		}
		if !slices.Equal(spec.DNS, []string{"10.0.0.53"}) || spec.ExtraHosts["h1.internal"] != "10.0.0.1" {
			t.Errorf("%s asks %v and knows %v", each.Host, spec.DNS, spec.ExtraHosts)
		}
		settings := string(spec.Files[1].Content)
		for _, want := range []string{"REGISTRY_ID='r1'", "TERM_NUMBER='5'", "METADATA_DIR='templates'", "LAYER_DIRS='images_dir state_file_dir'"} {
			if !strings.Contains(settings, want) {
				t.Errorf("%s: no %s in %s", each.Host, want, settings)
			}
		}
		if !source && !strings.Contains(settings, "SOURCE_URL='https://10.0.0.2:8443'") {
			t.Errorf("%s follows %s", each.Host, settings)
		}
	}
	// Certificates shape no fingerprint, their version does.
	hashes := func(r registry.Replicated) (all string) {
		for _, each := range r.Desired().Replicas {
			all += each.Spec.Labels[container.LabelHash]
		}
		return all
	}
	with := replicated()
	with.Credentials = map[string]replication.Credentials{"h1": {CA: []byte("ca"), Key: []byte("key")}}
	with.Tenure.Authority = "abc"
	if hashes(with) != hashes(r) {
		t.Error("certificates change the fingerprint")
	}
	with.Settings.CredentialsVersion = "2"
	if hashes(with) == hashes(r) {
		t.Error("the version of the certificates does not change the fingerprint")
	}
	moved := replicated()
	moved.Tenure = moved.Tenure.Next("r1", "h3", 0)
	if hashes(moved) == hashes(r) {
		t.Error("another primary does not change the fingerprint")
	}
}

func TestReplicated_nothingToDo(t *testing.T) {
	alone := replicated()
	alone.Registries.Replicas = alone.Registries.Replicas[1:2]
	unknown := replicated()
	unknown.Tenure.Primary = "h9"
	nowhere := replicated()
	for i := range nowhere.Registries.Replicas {
		nowhere.Registries.Replicas[i].Spec.Mounts = []container.Mount{{Type: container.External, Target: registry.BasePath}}
	}
	for name, r := range map[string]registry.Replicated{"one replica": alone, "primary elsewhere": unknown, "data on no host": nowhere} {
		if got := r.Desired().Replicas; len(got) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
