package controller_test

import (
	"errors"
	"maps"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/controller"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

func settings() controller.Settings {
	return controller.Settings{
		Settings:        service.Settings{Owner: "anka", Image: controller.DefaultImage, Env: map[string]string{"ANKA_V": "5"}},
		EtcdEndpoints:   []string{"http://10.0.1.6:2379", "http://10.0.1.4:2379", "http://10.0.1.5:2379"},
		RegistryURLs:    map[string]string{"h1": "http://10.0.1.4:8089", "h2": "http://10.0.1.5:8089"},
		PushRegistryURL: "http://10.0.1.4:8089",
	}
}

var replicas = []service.Replica{{Host: "h1", Address: "10.0.1.4", Port: 80}, {Host: "h2", Address: "10.0.1.5", Port: 8080}}

func TestDesired_wiresEachControllerToItsOwnRegistry(t *testing.T) {
	desired, err := settings().Desired(replicas)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"ANKA_V":              "5",
		"ANKA_LISTEN_ADDR":    ":80",
		"ANKA_ETCD_ENDPOINTS": "http://10.0.1.4:2379,http://10.0.1.5:2379,http://10.0.1.6:2379",
		"ANKA_ANKA_REGISTRY":  "http://10.0.1.5:8089",
		"ANKA_PUSH_REGISTRY":  "http://10.0.1.4:8089",
	}
	h2 := desired.Replicas[1].Spec
	if !maps.Equal(h2.Env, want) {
		t.Errorf("got %v, want %v", h2.Env, want)
	}
	if h2.Name != "anka-anka-controller-h2" || h2.Labels[container.LabelInstance] != "h2" {
		t.Errorf("got the name %s and labels %v", h2.Name, h2.Labels)
	}
	if got := h2.Ports[0]; got != (container.Port{HostPort: 8080, ContainerPort: 80}) {
		t.Errorf("got port %+v", got)
	}
	if wired := desired.Replicas[0].Spec.Env["ANKA_ANKA_REGISTRY"]; wired != "http://10.0.1.4:8089" {
		t.Errorf("h1 has the registry %s", wired)
	}
}

func TestDesired_oneRegistryForAll(t *testing.T) {
	s := settings()
	s.RegistryURLs, s.RegistryURL = nil, "http://registry.example.com"
	desired, err := s.Desired(replicas)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range desired.Replicas {
		if got := r.Spec.Env["ANKA_ANKA_REGISTRY"]; got != "http://registry.example.com" {
			t.Errorf("%s has the registry %q", r.Host, got)
		}
	}
}

func TestDesired_missingRegistry(t *testing.T) {
	s := settings()
	delete(s.RegistryURLs, "h2")
	_, err := s.Desired(replicas)
	var missing *controller.NoRegistryError
	if !errors.As(err, &missing) || missing.Host != "h2" {
		t.Errorf("got %v", err)
	}
}

func TestDesired_orderOfEndpointsChangesNothing(t *testing.T) {
	a, _ := settings().Desired(replicas)
	s := settings()
	s.EtcdEndpoints = []string{"http://10.0.1.4:2379", "http://10.0.1.5:2379", "http://10.0.1.6:2379"}
	b, _ := s.Desired(replicas)
	if a.Replicas[0].Spec.Hash() != b.Replicas[0].Spec.Hash() {
		t.Error("the order of endpoints changes the container")
	}
	s.EtcdEndpoints = s.EtcdEndpoints[:2]
	c, _ := s.Desired(replicas)
	if a.Replicas[0].Spec.Hash() == c.Replicas[0].Spec.Hash() {
		t.Error("an endpoint less does not change the container")
	}
}
