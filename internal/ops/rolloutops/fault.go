package rolloutops

import (
	"errors"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// Fault is the part of the configuration that would have to change.
type Fault struct {
	// Attribute is name, image, port or storage.volume.
	Attribute string
	// Host is the replica's for a port, "" otherwise.
	Host string
}

// FaultOf tells which part of the configuration an error is about; ok is false
// when it is about none.
func FaultOf(err error) (fault Fault, ok bool) {
	var (
		foreign *rollout.ForeignError
		volume  *rollout.VolumeTakenError
		name    *dockerhost.NameTakenError
		planned *rollout.PortTakenError
		taken   *dockerhost.PortTakenError
		image   *dockerhost.ImageError
	)
	switch {
	case errors.As(err, &volume), errors.As(err, &name) && name.Kind == "volume":
		return Fault{Attribute: "storage.volume"}, true
	case errors.As(err, &foreign), errors.As(err, &name):
		return Fault{Attribute: "name"}, true
	case errors.As(err, &planned):
		return Fault{Attribute: "port", Host: planned.Host}, true
	case errors.As(err, &taken):
		return Fault{Attribute: "port", Host: taken.Host}, true
	case errors.As(err, &image):
		return Fault{Attribute: "image"}, true
	default:
		return Fault{}, false
	}
}
