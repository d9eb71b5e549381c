// Package controller is the resource anka_controller. It belongs to the layer
// of the framework; what it shares with anka_registry is in package replicas.
package controller

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/resources/replicas"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/controller"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// New makes the resource for the provider.
func New() resource.Resource {
	return replicas.New(replicas.Kind[model]{
		Role:     container.Controller,
		Table:    controller.Table,
		Groups:   (*model).groups,
		Options:  controller.Options,
		Wired:    controller.Wired,
		Schema:   describe,
		Shared:   func(m *model) *replicas.Model { return &m.Model },
		Validate: validateConfig,
		Desired:  desired,
		Derive:   derive,
		Deferred: true,
		Wiring:   wiring,
	})
}

// validateConfig checks that every controller gets exactly one registry.
func validateConfig(_ context.Context, m *model) diag.Diagnostics {
	var all diag.Diagnostics
	if !m.RegistryURLs.IsUnknown() && !m.RegistryURLs.IsNull() && !m.Replicas.IsUnknown() {
		urls := m.RegistryURLs.Elements()
		for _, host := range m.Hosts() {
			if _, given := urls[host]; !given {
				all.AddAttributeError(path.Root("registry_urls"), "Missing registry URL", sentence(&controller.NoRegistryError{Host: host}))
			}
		}
	}
	if m.RegistryURLs.IsNull() && m.RegistryURL.IsNull() && !allowsEmptyRegistry(m) {
		all.AddAttributeError(path.Root("registry_urls"), "No registry",
			"Controllers need registry_urls, the registry of each host, or registry_url, one for all. "+
				"Without any registry they only start with general.allow_empty_registry = true.")
	}
	return all
}

func sentence(err error) string { return "There" + err.Error()[len("there"):] + "." }

// allowsEmptyRegistry is true as well while that is not known.
func allowsEmptyRegistry(m *model) bool {
	if m.Env.IsUnknown() {
		return true
	}
	value, given := m.Env.Elements()[controller.AllowEmptyRegistry].(types.String)
	if given && (value.IsUnknown() || value.ValueString() == "true") {
		return true
	}
	setting := m.groups().Plain(controller.Table)[controller.AllowEmptyRegistry]
	return setting == service.Unknown || setting == "true"
}
