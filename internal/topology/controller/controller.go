// Package controller is the pure part of anka_controller: how controllers are
// configured and wired to etcd and the registries. It belongs to the layer
// topology and does no I/O.
package controller

import (
	"fmt"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

const (
	// DefaultImage is the vendor's.
	DefaultImage = "veertu/anka-build-cloud-controller:v1.50.1"
	// DefaultPort serves UI and REST.
	DefaultPort = 80
	// containerPort is where it listens inside its container.
	containerPort = 80
	// stopGrace leaves the controller its own 10 s for requests in flight.
	stopGrace = 15 * time.Second
)

// Names of variables that wire a controller to what it needs.
const (
	EtcdEndpoints      = "ANKA_ETCD_ENDPOINTS"
	Registry           = "ANKA_ANKA_REGISTRY"
	LocalRegistry      = "ANKA_LOCAL_ANKA_REGISTRY"
	PushRegistry       = "ANKA_PUSH_REGISTRY"
	AllowEmptyRegistry = "ANKA_ALLOW_EMPTY_REGISTRY"
)

// Wired are the variables that the resource sets by itself, with the attribute
// that says their value. They cannot be given in env.
var Wired = map[string]string{
	EtcdEndpoints:      "etcd_endpoints",
	Registry:           "registry_urls or registry_url",
	LocalRegistry:      "local_registry_urls",
	PushRegistry:       "push_registry_url",
	service.ListenAddr: "port",
	service.RootToken:  "root_token_wo",
}

// Settings of all controllers of one resource.
type Settings struct {
	service.Settings
	// EtcdEndpoints are the client URLs of all members, in any order.
	EtcdEndpoints []string
	// RegistryURLs has the registry of each host's controller. It is nil when
	// all use RegistryURL.
	RegistryURLs map[string]string
	// RegistryURL is the one registry, or load balancer, of all controllers.
	RegistryURL string
	// LocalRegistryURLs are the URLs under which controllers themselves reach
	// the registry, by host, where they cannot reach the one that nodes use.
	// Hosts that are not in it have none.
	LocalRegistryURLs map[string]string
	// PushRegistryURL receives all uploads; "" leaves it to the controller.
	PushRegistryURL string
}

// NoRegistryError says that a host has a controller and no registry URL.
type NoRegistryError struct{ Host string }

// Error names the host and the way out.
func (e *NoRegistryError) Error() string {
	return fmt.Sprintf("there is no registry URL for host %q: add the key to registry_urls, "+
		"or use registry_url when all controllers share one registry or load balancer", e.Host)
}

// Desired renders the controllers of all replicas. The error is a
// [*NoRegistryError].
func (s Settings) Desired(replicas []service.Replica) (rollout.Desired, error) {
	desired := rollout.Desired{Owner: s.Owner, Role: container.Controller}
	for _, r := range replicas {
		wired := map[string]string{EtcdEndpoints: service.Join(s.EtcdEndpoints)}
		registry := s.RegistryURL
		if s.RegistryURLs != nil {
			var ok bool
			if registry, ok = s.RegistryURLs[r.Host]; !ok {
				return rollout.Desired{}, &NoRegistryError{Host: r.Host}
			}
		}
		if registry != "" {
			wired[Registry] = registry
		}
		if local := s.LocalRegistryURLs[r.Host]; local != "" {
			wired[LocalRegistry] = local
		}
		if s.PushRegistryURL != "" {
			wired[PushRegistry] = s.PushRegistryURL
		}
		spec := s.Spec(r, service.Inside{Table: Table, Port: containerPort, Wired: wired, StopGrace: stopGrace})
		desired.Replicas = append(desired.Replicas, rollout.Replica{
			Host:           r.Host,
			Spec:           spec.Owned(desired.Identity(r.Host)),
			PortAttributes: Table.PortAttributes(spec.Env),
		})
	}
	return desired, nil
}
