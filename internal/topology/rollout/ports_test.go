package rollout_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// TestPlan_takenPorts: one container that publishes a port on all addresses is
// in the way of all others, and a port that a setting asks for is that
// setting's.
func TestPlan_takenPorts(t *testing.T) {
	for name, c := range map[string]struct {
		want, taken container.Port
		attribute   string
		text        string // of the error, "" for none
	}{
		"free":                     {container.Port{HostPort: 80}, container.Port{HostPort: 81}, "", ""},
		"other address":            {container.Port{HostIP: "10.0.1.4", HostPort: 80}, container.Port{HostIP: "10.0.1.5", HostPort: 80}, "", ""},
		"same address":             {container.Port{HostIP: "10.0.1.4", HostPort: 80}, container.Port{HostIP: "10.0.1.4", HostPort: 80}, "", "Set another port,"},
		"on all, and one is taken": {container.Port{HostPort: 80}, container.Port{HostIP: "10.0.1.4", HostPort: 80}, "", "Set another port,"},
		"on one, and all is taken": {container.Port{HostIP: "10.0.1.4", HostPort: 80}, container.Port{HostIP: "0.0.0.0", HostPort: 80}, "", "Set another port,"},
		"all of IPv6":              {container.Port{HostIP: "10.0.1.4", HostPort: 80}, container.Port{HostIP: "::", HostPort: 80}, "", "Set another port,"},
		"that of a setting":        {container.Port{HostPort: 2112}, container.Port{HostPort: 2112}, "monitoring.port", "Set another monitoring.port,"},
	} {
		t.Run(name, func(t *testing.T) {
			d := rollout.Desired{Owner: owner, Role: container.Controller}
			spec := container.Spec{Image: "v1", Ports: []container.Port{c.want}}.Owned(d.Identity("h1"))
			d.Replicas = []rollout.Replica{{Host: "h1", Spec: spec, PortAttributes: map[int]string{2112: "monitoring.port"}}}
			o := rollout.Observed{Hosts: map[string]rollout.Host{"h1": {
				Container: container.Found{Status: container.Absent}, Previous: container.Found{Status: container.Absent},
				Incomplete: container.Found{Status: container.Absent}, Taken: []rollout.TakenPort{{Port: c.taken, By: "nginx"}},
			}}}
			_, err := rollout.Plan(d, o)
			var taken *rollout.PortTakenError
			if is := errors.As(err, &taken); is != (c.text != "") || is && (taken.Attribute != c.attribute || !strings.Contains(err.Error(), c.text)) {
				t.Errorf("got %v", err)
			}
		})
	}
}
