package registry

import (
	"fmt"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/rolloutops"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/dockerstub"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// TestStage_deadDisk: a disk that died on a host that lives is left out, and
// keeps neither the others from being replicated nor a primary from being moved
// away from; that of the primary is an error.
func TestStage_deadDisk(t *testing.T) {
	fleet := dockerhost.NewFleet()
	var instances []service.Replica
	for _, host := range []string{"h1", "h2", "h3"} {
		daemon := &dockerstub.Daemon{}
		if host == "h1" {
			daemon.Absent = []string{"/mnt/disk/registry"}
		}
		fleet.Add(daemon.Host(t, host))
		instances = append(instances, service.Replica{Host: host, Address: "10.0.0." + host[1:]})
	}
	registries := registry.Settings{Settings: service.Settings{Owner: "anka"}, Storage: registry.Storage{Path: "/mnt/disk/registry"}}.Desired(instances)
	plan := func(primary string) string {
		desired := registry.Replicated{Tenure: registry.Tenure{ID: "r1", Term: 9, Primary: primary}, Registries: registries, Replicas: instances}.Desired()
		s := &stage{source: primary, service: &rolloutops.Service{Desired: desired, Fleet: fleet}}
		steps, all := s.steps(t.Context())
		said := ""
		for _, step := range steps {
			if create, is := step.(rollout.Create); is {
				said += fmt.Sprint("create on ", create.Hosts)
			}
		}
		for _, each := range all {
			said += fmt.Sprintf("; %s %s: %s", each.Severity(), each.Summary(), each.Detail())
		}
		return said
	}
	if got := plan("h2"); !strings.HasPrefix(got, "create on [h2 h3]; Warning Replicas are left out") || !strings.Contains(got, "/mnt/disk/registry on h1. Everything else goes on") {
		t.Errorf("got %s", got)
	}
	if got := plan("h1"); !strings.HasPrefix(got, "; Error") || !strings.Contains(got, "he storage of the registry-replication is not there: /mnt/disk/registry on h1") {
		t.Errorf("the primary's: got %s", got)
	}
}
