// Package registry is the resource anka_registry. It belongs to the layer of
// the framework; what it shares with anka_controller is in package replicas.
package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/anka-ha/terraform-provider-anka/internal/resources/replicas"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
)

// New makes the resource for the provider.
func New() resource.Resource {
	return replicas.New(replicas.Kind[model]{
		Role:     container.Registry,
		Table:    registry.Table,
		Groups:   (*model).groups,
		Options:  registry.Options,
		Wired:    registry.Wired,
		Schema:   describe,
		Shared:   func(m *model) *replicas.Model { return &m.Model },
		Validate: validateConfig,
		Desired:  desired,
		Derive:   derive,
		Purge:    func(m *model) bool { return m.PurgeDataOnDestroy.ValueBool() },

		Companion: companion{},
		Beside:    container.Replication,
		Passing:   []string{"accept_data_loss"},
	})
}

// validateConfig checks storage, replication, that the primary is one of the
// replicas, and warns of a limit that is too tight by its nature.
func validateConfig(ctx context.Context, m *model) diag.Diagnostics {
	all := checkStorage(ctx, m)
	all.Append(checkReplication(ctx, m)...)
	if !m.Memory.IsNull() {
		all.AddAttributeWarning(path.Root("memory"), "Memory limit on registries",
			"The page cache of large uploads and downloads counts against the limit, and a registry that reaches it is killed in the middle of them. "+
				"The vendor advises against any limit. Remove memory unless you have measured that the registries stay below it.")
	}
	if m.Replicas.IsUnknown() || m.Primary.IsUnknown() {
		return all
	}
	hosts := m.Hosts()
	switch {
	case m.Primary.IsNull() && len(hosts) > 1:
		all.AddAttributeError(path.Root("primary"), "Missing primary",
			fmt.Sprintf("There are %d replicas, and templates can be pushed to only one of them. Set primary to one of: %s.",
				len(hosts), strings.Join(hosts, ", ")))
	case !m.Primary.IsNull() && !slices.Contains(hosts, m.Primary.ValueString()):
		all.AddAttributeError(path.Root("primary"), "Primary is not a replica",
			fmt.Sprintf("There is no replica on host %q. Set primary to one of: %s.", m.Primary.ValueString(), strings.Join(hosts, ", ")))
	}
	return all
}
