package replicas

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
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
	resp.Diagnostics.Append(r.checkEnvironment(&config)...)
	resp.Diagnostics.Append(r.checkSettings(&config)...)
	resp.Diagnostics.Append(r.Validate(ctx, &config)...)
}

// checkEnvironment looks at the names in env and env_wo.
func (r *Resource[M]) checkEnvironment(config *M) diag.Diagnostics {
	var all diag.Diagnostics
	m, t := r.Shared(config), r.typed(config)
	secret := m.EnvWO.Elements()
	for _, name := range names(m.Env.Elements()) {
		at := path.Root("env").AtMapKey(name)
		_, both := secret[name]
		attribute, wired := r.wired(m, t, name)
		switch {
		case wired:
			all.Append(setByAttribute(at, name, attribute))
		case r.Options.Refused(name) != "":
			all.Append(r.refused(at, name))
		case r.Options.Secret(name):
			all.AddAttributeError(at, "Secret in plain environment",
				fmt.Sprintf("%s is a secret, and env is kept in state. %s", name, r.secretPlace(name)))
		case both:
			all.AddAttributeError(at, "Variable set twice", fmt.Sprintf("%s is in env and in env_wo. Keep one of them.", name))
		default:
			all.Append(r.checkName(at, name)...)
		}
	}
	for _, name := range names(secret) {
		// The path ends at the map, because below it are secrets.
		at := path.Root("env_wo")
		if attribute, wired := r.wired(m, t, name); wired {
			all.Append(setByAttribute(at, name, attribute))
			continue
		}
		if r.Options.Refused(name) != "" {
			all.Append(r.refused(at, name))
			continue
		}
		if s, exists := t.table.Lookup(name); exists && s.Shapes() {
			all.AddAttributeError(at, "Variable in secret environment", fmt.Sprintf(
				"%s is no secret, and what it says decides how the %s is run and asked whether it is ready, which env_wo is not looked at for. Use %s, or env.",
				name, r.Role, s.Path()))
			continue
		}
		all.Append(r.checkName(at, name)...)
	}
	return all
}

// secretPlace says where a secret belongs.
func (r *Resource[M]) secretPlace(name string) string {
	for _, known := range []string{name, service.Prefix + name} {
		if s, exists := r.Table.Lookup(known); exists {
			return fmt.Sprintf("Use %s, which is write-only, and set %s.%s.", s.Path(), s.Group, s.Version())
		}
	}
	return "Put it into env_wo, which is write-only, and set env_wo_version."
}

// wired returns the attribute that sets a variable.
func (r *Resource[M]) wired(m *Model, t typed, name string) (string, bool) {
	if s, exists := t.table.Lookup(name); exists && t.has(s) {
		return s.Path(), true
	}
	if name == service.EnableAuth && !m.RootTokenWO.IsNull() {
		return "root_token_wo", true
	}
	// A switch that is off although something turns it on is told at what is not
	// used then.
	for _, s := range t.table {
		if s.Turns == name && t.has(s) && !switchedOff(m.Env.Elements()[name]) {
			return s.Path(), true
		}
	}
	attribute, ok := r.Wired[name]
	return attribute, ok
}

// switchedOff reports whether the value of a variable is known to be false.
func switchedOff(value attr.Value) bool {
	if value == nil {
		return false
	}
	on, err := strconv.ParseBool(text(value))
	return err == nil && !on
}

func setByAttribute(at path.Path, name, attribute string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "Variable is set by an attribute",
		fmt.Sprintf("%s follows from %s. Use that instead.", name, attribute))
}

// refused is the error of a variable that must not be set.
func (r *Resource[M]) refused(at path.Path, name string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "Variable is not supported", fmt.Sprintf("%s is not for replicas. %s", name, r.Options.Refused(name)))
}

// checkName warns of names that the service does not read.
func (r *Resource[M]) checkName(at path.Path, name string) diag.Diagnostics {
	var all diag.Diagnostics
	_, known := r.Options.Lookup(name)
	if _, unprefixed := r.Options.Lookup(service.Prefix + name); unprefixed && !known {
		all.AddAttributeWarning(at, "Unknown variable", fmt.Sprintf("The %s does not read %s: its settings begin with %s. Did you mean %s?",
			r.Role, name, service.Prefix, r.called(service.Prefix+name)))
		return all
	}
	if known || !strings.HasPrefix(name, service.Prefix) {
		return all
	}
	detail := fmt.Sprintf("%s is not a setting of the %s that this provider knows; it is passed on as it is.", name, r.Role)
	if nearest := r.Options.Nearest(name); nearest != "" {
		detail += fmt.Sprintf(" Did you mean %s?", r.called(nearest))
	}
	all.AddAttributeWarning(at, "Unknown variable", detail)
	return all
}

// called is how a variable is best set: by its attribute, if it has one.
func (r *Resource[M]) called(name string) string {
	if attribute, wired := r.Wired[name]; wired {
		return "the attribute " + attribute
	}
	if s, exists := r.Table.Lookup(name); exists {
		return fmt.Sprintf("%s, for which there is the attribute %s", name, s.Path())
	}
	return name
}

func names(elements map[string]attr.Value) []string { return slices.Sorted(maps.Keys(elements)) }
