package rolloutops

import (
	"errors"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// Fault is the part of the configuration that would have to change.
type Fault struct {
	// Attribute is name, image, port, storage.volume, or that of a setting,
	// such as monitoring.port.
	Attribute string
	// Host is the replica's for the port of the service itself, "" otherwise.
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
		at      *HostError
	)
	switch {
	case errors.As(err, &volume), errors.As(err, &name) && name.Kind == "volume":
		return Fault{Attribute: "storage.volume"}, true
	case errors.As(err, &foreign), errors.As(err, &name):
		return Fault{Attribute: "name"}, true
	case errors.As(err, &planned):
		return faultOfPort(planned.Host, planned.Attribute), true
	case errors.As(err, &taken):
		attribute := ""
		if errors.As(err, &at) {
			attribute = at.ports[taken.Port]
		}
		return faultOfPort(taken.Host, attribute), true
	case errors.As(err, &image):
		return Fault{Attribute: "image"}, true
	default:
		return Fault{}, false
	}
}

// faultOfPort is at the attribute that asks for the port, which for that of the
// service itself is the replica's.
func faultOfPort(host, attribute string) Fault {
	if attribute != "" {
		return Fault{Attribute: attribute}
	}
	return Fault{Attribute: "port", Host: host}
}
