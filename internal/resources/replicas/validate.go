package replicas

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// ValidateConfig checks what attributes say of each other, without a host.
func (r *Resource[M]) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config M
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	shared := r.Shared(&config)
	resp.Diagnostics.Append(checkAddresses(ctx, shared)...)
	resp.Diagnostics.Append(r.checkEnvironment(shared)...)
	resp.Diagnostics.Append(r.Validate(ctx, &config)...)
}

// checkEnvironment looks at the names in env and env_wo.
func (r *Resource[M]) checkEnvironment(m *Model) diag.Diagnostics {
	var all diag.Diagnostics
	secret := m.EnvWO.Elements()
	for _, name := range names(m.Env.Elements()) {
		at := path.Root("env").AtMapKey(name)
		_, both := secret[name]
		attribute, wired := r.wired(m, name)
		switch {
		case wired:
			all.Append(setByAttribute(at, name, attribute))
		case r.Options.Secret(name):
			all.AddAttributeError(at, "Secret in plain environment",
				fmt.Sprintf("%s is a secret, and env is kept in state. Put it into env_wo, which is write-only, and set env_wo_version.", name))
		case both:
			all.AddAttributeError(at, "Variable set twice", fmt.Sprintf("%s is in env and in env_wo. Keep one of them.", name))
		default:
			all.Append(r.checkName(at, name)...)
		}
	}
	for _, name := range names(secret) {
		// The path ends at the map, because below it are secrets.
		at := path.Root("env_wo")
		if attribute, wired := r.wired(m, name); wired {
			all.Append(setByAttribute(at, name, attribute))
			continue
		}
		all.Append(r.checkName(at, name)...)
	}
	return all
}

// wired returns the attribute that sets a variable.
func (r *Resource[M]) wired(m *Model, name string) (string, bool) {
	if name == service.EnableAuth {
		return "root_token_wo", !m.RootTokenWO.IsNull()
	}
	attribute, ok := r.Wired[name]
	return attribute, ok
}

func setByAttribute(at path.Path, name, attribute string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "Variable is set by an attribute",
		fmt.Sprintf("%s follows from %s. Use that instead.", name, attribute))
}

// checkName warns of names that the service does not read.
func (r *Resource[M]) checkName(at path.Path, name string) diag.Diagnostics {
	var all diag.Diagnostics
	_, known := r.Options.Lookup(name)
	if _, unprefixed := r.Options.Lookup(service.Prefix + name); unprefixed && !known {
		instead := service.Prefix + name
		if attribute, wired := r.Wired[instead]; wired {
			instead = "the attribute " + attribute
		}
		all.AddAttributeWarning(at, "Unknown variable", fmt.Sprintf("The %s does not read %s: its settings begin with %s. Did you mean %s?",
			r.Role, name, service.Prefix, instead))
		return all
	}
	if known || !strings.HasPrefix(name, service.Prefix) {
		return all
	}
	detail := fmt.Sprintf("%s is not a setting of the %s that this provider knows; it is passed on as it is.", name, r.Role)
	if nearest := r.Options.Nearest(name); nearest != "" {
		detail += fmt.Sprintf(" Did you mean %s?", nearest)
	}
	all.AddAttributeWarning(at, "Unknown variable", detail)
	return all
}

func names(elements map[string]attr.Value) []string { return slices.Sorted(maps.Keys(elements)) }
