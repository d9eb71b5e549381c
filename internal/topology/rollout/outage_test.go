package rollout_test

import (
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/controller"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// TestOutage: what nobody has configured leaves a host without its service for
// no longer than that, whatever hangs, and lets a service end by itself first.
func TestOutage(t *testing.T) {
	replicas := []service.Replica{{Host: "h1", Port: 80}}
	settings := service.Settings{Owner: "anka", Image: "i"}
	registries := registry.Settings{Settings: settings}.Desired(replicas)
	controllers, err := controller.Settings{
		Settings: settings, EtcdEndpoints: []string{"http://10.0.0.1:2379"}, RegistryURL: "http://10.0.0.1:8089",
	}.Desired(replicas)
	if err != nil {
		t.Fatal(err)
	}
	for role, spec := range map[container.Role]container.Spec{
		container.Registry: registries.Replicas[0].Spec, container.Controller: controllers.Replicas[0].Spec,
	} {
		if whole := spec.StopGrace + rollout.ReadyTimeout + rollout.PutBack; whole > rollout.Outage {
			t.Errorf("%s: a host is without it for up to %s, want %s at most", role, whole, rollout.Outage)
		}
		// The vendor's default for requests in flight is 10 s.
		if own, known := controller.Table.Lookup(service.GracefulShutdown); !known || own.Default != "10s" || spec.StopGrace.Seconds() < 15 {
			t.Errorf("%s: it is killed after %s, and lets requests in flight go on for %s", role, spec.StopGrace, own.Default)
		}
	}
}
