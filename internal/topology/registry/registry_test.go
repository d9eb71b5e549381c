package registry_test

import (
	"maps"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

func TestDesired(t *testing.T) {
	s := registry.Settings{Settings: service.Settings{Owner: "anka", Image: "i", Authenticated: true}}
	spec := s.Desired([]service.Replica{{Host: "h1", Port: 9000}}).Replicas[0].Spec
	want := map[string]string{"ANKA_LISTEN_ADDR": ":8089", "ANKA_BASE_PATH": "/mnt/vol", "ANKA_ENABLE_AUTH": "true"}
	if !maps.Equal(spec.Env, want) {
		t.Errorf("got %v, want %v", spec.Env, want)
	}
	if got := spec.Ports[0]; got != (container.Port{HostPort: 9000, ContainerPort: 8089}) {
		t.Errorf("got port %+v", got)
	}
}

func TestStorage_mount(t *testing.T) {
	for _, c := range []struct {
		storage registry.Storage
		want    container.Mount
	}{
		{registry.Storage{}, container.Mount{Type: container.Volume, Source: "anka-anka-registry-h1", Target: "/mnt/vol"}},
		{registry.Storage{Volume: "templates"}, container.Mount{Type: container.Volume, Source: "templates", Target: "/mnt/vol"}},
		{registry.Storage{Path: "/opt/registry-storage"}, container.Mount{Type: container.Bind, Source: "/opt/registry-storage", Target: "/mnt/vol"}},
	} {
		if got := c.storage.Mount("anka", "h1"); got != c.want {
			t.Errorf("got %+v, want %+v", got, c.want)
		}
	}
}

func TestOptions_tellSecrets(t *testing.T) {
	if token, ok := registry.Options.Lookup("ANKA_ROOT_TOKEN"); !ok || !token.Secret {
		t.Error("ANKA_ROOT_TOKEN is not known as a secret")
	}
}
