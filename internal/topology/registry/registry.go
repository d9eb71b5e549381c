// Package registry is the pure part of anka_registry: how registries are
// configured and where they keep their data. It belongs to the layer topology
// and does no I/O.
package registry

import (
	"time"

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
	// stopGrace leaves uploads in flight some time to end.
	stopGrace = 30 * time.Second
)

// BasePathVariable says to the registry where its data is. Images carry no
// defaults from 1.36 on, so it has to be set.
const BasePathVariable = "ANKA_BASE_PATH"

// Wired are the variables that the resource sets by itself, with the attribute
// that says their value. They cannot be given in env.
var Wired = map[string]string{
	BasePathVariable:   "storage",
	service.ListenAddr: "port",
	service.RootToken:  "root_token_wo",
}

// Storage is where a registry keeps templates on its host.
type Storage struct {
	// Path is a directory of the host; "" means a named volume.
	Path string
	// Volume is the name of the volume; "" means [VolumeName].
	Volume string
}

// VolumeName is the volume of the registry on host unless one is named.
func VolumeName(owner, host string) string {
	return container.Identity{Owner: owner, Role: container.Registry, Instance: host}.Name()
}

// Mount is the storage of the registry on host.
func (s Storage) Mount(owner, host string) container.Mount {
	switch {
	case s.Path != "":
		return container.Mount{Type: container.Bind, Source: s.Path, Target: BasePath}
	case s.Volume != "":
		return container.Mount{Type: container.Volume, Source: s.Volume, Target: BasePath}
	default:
		return container.Mount{Type: container.Volume, Source: VolumeName(owner, host), Target: BasePath}
	}
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
		spec := s.Spec(r, containerPort, map[string]string{BasePathVariable: BasePath})
		spec.Mounts = []container.Mount{s.Storage.Mount(s.Owner, r.Host)}
		spec.StopGrace = stopGrace
		desired.Replicas = append(desired.Replicas, rollout.Replica{
			Host: r.Host,
			Spec: spec.Owned(desired.Identity(r.Host)),
		})
	}
	return desired
}
