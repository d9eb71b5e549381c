package replicas_test

import (
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/controller"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
)

// object is a configuration as HCL would have it; what is left out is null.
type object = protocol.Object

// unknown is a value that is not known yet.
type unknown = protocol.Unknown

// serve speaks the plugin protocol with one of the two resources.
func serve(t *testing.T, name string, fleet *dockerhost.Fleet) *protocol.Server {
	t.Helper()
	return protocol.Serve(t, name, fleet, controller.New, registry.New)
}
