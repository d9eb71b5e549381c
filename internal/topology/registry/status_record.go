package registry

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Recorded is what the labels of registries tell of their resource, as it was
// when the newest of them was made.
type Recorded struct {
	// Primary is its host, "" when that is not told.
	Primary string
	// Hosts of all replicas, sorted, none when they are not told.
	Hosts []string
	// Common: all replicas have the same data, as [Storage.Common] tells.
	Common bool
}

// ReadRecords reads [container.LabelRecord] of containers. The newest counts.
func ReadRecords(registries []container.Found) Recorded {
	type label struct {
		Made       time.Time `json:"made"`
		Attributes struct {
			Primary  string         `json:"primary"`
			Replicas map[string]any `json:"replicas"`
			Storage  struct {
				Shared bool            `json:"shared"`
				NFS    *map[string]any `json:"nfs"`
				S3     *map[string]any `json:"s3"`
			} `json:"storage"`
		} `json:"attributes"`
	}
	var newest label
	for _, found := range registries {
		var record label
		// A label that cannot be read tells nothing.
		if json.Unmarshal([]byte(found.Labels[container.LabelRecord]), &record) == nil && !record.Made.Before(newest.Made) {
			newest = record
		}
	}
	of := newest.Attributes
	return Recorded{
		Primary: of.Primary, Hosts: slices.Sorted(maps.Keys(of.Replicas)),
		Common: of.Storage.Shared || of.Storage.NFS != nil || of.Storage.S3 != nil,
	}
}

// Published is where the registry in a container is reached on its host. False
// when it does not run, or publishes nothing.
func Published(found container.Found) (container.Port, bool) {
	at := slices.IndexFunc(found.Ports, func(p container.Port) bool { return p.ContainerPort == containerPort })
	if at < 0 || (found.Status != container.Running && found.Status != container.Restarting) {
		return container.Port{}, false
	}
	return found.Ports[at], true
}
