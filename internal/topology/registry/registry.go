// Package registry is the pure part of anka_registry: how registries are
// configured and where they keep their data. It belongs to the layer topology
// and does no I/O.
package registry

import (
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

const (
	// DefaultImage is the vendor's.
	DefaultImage = "veertu/anka-build-cloud-registry:v1.50.1"
	// DefaultPort serves REST, uploads and downloads.
	DefaultPort = 8089
	// containerPort is where it listens inside its container.
	containerPort = 8089
	// BasePath is where the data is inside the container.
	BasePath = "/mnt/vol"
)

// BasePathVariable says to the registry where its data is. Images carry no
// defaults from 1.36 on, so it has to be set.
const BasePathVariable = "ANKA_BASE_PATH"

// BackendVariable says to the registry what keeps its data: disk, the default,
// or s3.
const BackendVariable = "ANKA_BACKEND_TYPE"

// Wired are the variables that the resource sets by itself, with the attribute
// that says their value. They cannot be given in env.
var Wired = map[string]string{
	BasePathVariable:   "storage",
	BackendVariable:    "storage",
	service.ListenAddr: "port",
	service.RootToken:  "root_token_wo",
}

// Settings of all registries of one resource.
type Settings struct {
	service.Settings
	Storage Storage
}

// Desired renders the registries of all replicas. No memory limit is ever set:
// the page cache of large transfers counts against it and gets the registry
// killed.
func (s Settings) Desired(replicas []service.Replica) rollout.Desired {
	desired := rollout.Desired{Owner: s.Owner, Role: container.Registry}
	for _, r := range replicas {
		wired := map[string]string{BasePathVariable: BasePath}
		if s.Storage.S3 {
			wired[BackendVariable] = "s3"
		}
		spec := s.Spec(r, service.Inside{Table: Table, Port: containerPort, Wired: wired, StopGrace: rollout.StopGrace})
		spec.Mounts = []container.Mount{s.Storage.mount(s.Values, s.Owner, r.Host)}
		desired.Replicas = append(desired.Replicas, rollout.Replica{
			Host:           r.Host,
			Spec:           spec.Owned(desired.Identity(r.Host)),
			PortAttributes: Table.PortAttributes(spec.Env),
		})
	}
	return desired
}
