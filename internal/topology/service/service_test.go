package service_test

import (
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

func TestURL(t *testing.T) {
	for _, c := range []struct {
		scheme, address string
		port            int
		want            string
	}{
		{"http", "10.0.1.4", 80, "http://10.0.1.4"},
		{"https", "10.0.1.4", 443, "https://10.0.1.4"},
		{"http", "10.0.1.4", 443, "http://10.0.1.4:443"},
		{"http", "10.0.1.4", 8089, "http://10.0.1.4:8089"},
		{"http", "registry.example.com", 8089, "http://registry.example.com:8089"},
		{"http", "fd00::4", 80, "http://[fd00::4]"},
		{"https", "fd00::4", 8443, "https://[fd00::4]:8443"},
	} {
		if got := service.URL(c.scheme, c.address, c.port); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestOptions_nearest(t *testing.T) {
	options := service.Named("ANKA_REGISTRY ETCD_ENDPOINTS ROOT_TOKEN* LISTEN_ADDR V")
	for name, want := range map[string]string{
		"ANKA_ANKA_REGISRY":   "ANKA_ANKA_REGISTRY",
		"ANKA_REGISTRY_ADDR":  "ANKA_ANKA_REGISTRY",
		"ANKA_ETCD_ENDPOINT":  "ANKA_ETCD_ENDPOINTS",
		"ANKA_SOMETHING_ELSE": "",
	} {
		if got := options.Nearest(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if token, ok := options.Lookup("ANKA_ROOT_TOKEN"); !ok || !token.Secret {
		t.Error("ANKA_ROOT_TOKEN is not known as a secret")
	}
	if v, ok := options.Lookup("ANKA_V"); !ok || v.Secret {
		t.Error("ANKA_V is not known as a plain option")
	}
}

func TestWithSecrets_leavesTheFingerprintAlone(t *testing.T) {
	settings := service.Settings{Image: "i", SecretVersion: "1", Authenticated: true}
	id := container.Identity{Owner: "o", Role: container.Controller, Instance: "h1"}
	spec := settings.Spec(service.Replica{Host: "h1", Port: 80}, service.Inside{Port: 80}).Owned(id)
	secret := service.WithSecrets(spec, map[string]string{service.RootToken: "canary-token"})
	if secret.SecretEnv[service.RootToken] != "canary-token" {
		t.Error("the secret is not in the environment")
	}
	if secret.Labels[container.LabelHash] != spec.Labels[container.LabelHash] {
		t.Error("secrets changed the label")
	}
	settings.SecretVersion = "2"
	next := settings.Spec(service.Replica{Host: "h1", Port: 80}, service.Inside{Port: 80})
	if next.Hash() == spec.Labels[container.LabelHash] {
		t.Error("another version of the secrets has the same fingerprint")
	}
}

func TestOptions_secret(t *testing.T) {
	options := service.Named("ROOT_TOKEN* V")
	for name, want := range map[string]bool{
		"ANKA_ROOT_TOKEN": true, "ROOT_TOKEN": true, "AWS_SECRET_ACCESS_KEY": true, "AWS_SESSION_TOKEN": true,
		"ANKA_V": false, "V": false, "AWS_ACCESS_KEY_ID": false, "AWS_REGION": false, "TZ": false,
	} {
		if got := options.Secret(name); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
