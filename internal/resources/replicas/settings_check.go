package replicas

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/certificates"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// checkSettings checks the settings of a configuration, which has the secrets.
// What is not known yet passes; it is checked again once it is.
func (r *Resource[M]) checkSettings(config *M) diag.Diagnostics {
	m, t := r.Shared(config), r.typed(config)
	all := t.checkVersions()
	values := t.plain()
	maps.Copy(values, t.secret())
	if all.HasError() {
		return all // the pairs would be told once more, in other words
	}
	// The texts begin with the path, which Terraform does not always show.
	for _, problem := range t.table.Check(values, r.otherwise(m), certificates.Reader{}) {
		all.AddAttributeError(settingPath(problem.Setting), "Invalid setting", problem.Setting.Path()+": "+period(problem.Err))
	}
	if version := tag(m.Image); version != "" {
		for _, problem := range t.table.TooNew(values, version) {
			all.AddAttributeError(settingPath(problem.Setting), "Setting is too new for the image", problem.Setting.Path()+": "+period(problem.Err))
		}
	}
	return all
}

// checkVersions checks that write-only settings come with their version, a
// version with its settings, and settings that share one together.
func (t typed) checkVersions() diag.Diagnostics {
	var all diag.Diagnostics
	var told []string
	for _, s := range t.table {
		if !s.WriteOnly() {
			continue
		}
		value, version := t.attribute(s.Group, s.Written()), t.attribute(s.Group, s.Version())
		switch {
		case value.IsNull() == version.IsNull() || value.IsNull() && version.IsUnknown():
		case version.IsNull() && slices.Contains(told, s.Group+s.Version()):
		case version.IsNull():
			told = append(told, s.Group+s.Version())
			all.AddAttributeError(settingPath(s), "Missing version", fmt.Sprintf(
				"%s is never kept in state, so a change of it is only seen by its version. Set %s.%s, and change it with the value.",
				s.Path(), s.Group, s.Version()))
		case t.written(s).IsNull():
			// Nothing of what the version stands for is there.
			if s.VersionBy == "" {
				all.AddAttributeError(versionPath(s), "Version without a value", fmt.Sprintf(
					"%s.%s is set, and what it is the version of is not. Set %s too, or remove the version.", s.Group, s.Version(), s.Path()))
			}
		default:
			all.AddAttributeError(settingPath(s), "Missing value", fmt.Sprintf(
				"%s is missing. It belongs to %s.%s, as what shares a version is given together.", s.Path(), s.Group, s.Version()))
		}
	}
	return all
}

// written is a value that is given of those that share the version of s, or
// null.
func (t typed) written(s service.Setting) attr.Value {
	for _, other := range t.table.InGroup(s.Group) {
		if other.Version() != s.Version() {
			continue
		}
		if value := t.attribute(other.Group, other.Written()); !value.IsNull() {
			return value
		}
	}
	return types.StringNull()
}

// otherwise are the variables that are not set by settings. Secrets and what is
// not known yet are [service.Unknown]; so is everything as long as nobody knows
// which variables there are.
func (r *Resource[M]) otherwise(m *Model) map[string]string {
	env := map[string]string{}
	if m.Env.IsUnknown() || m.EnvWO.IsUnknown() {
		for _, option := range r.Options {
			env[option.Name] = service.Unknown
		}
	}
	for name := range m.EnvWO.Elements() {
		env[name] = service.Unknown
	}
	for name, value := range m.Env.Elements() {
		env[name] = text(value)
	}
	if !m.RootTokenWO.IsNull() || !m.RootTokenWOVersion.IsNull() {
		env[service.RootToken] = service.Unknown
	} else {
		delete(env, service.RootToken)
	}
	return env
}

// tag is the version in an image's name, "" when there is none.
func tag(image types.String) string {
	if image.IsNull() || image.IsUnknown() {
		return "" // the default image has all settings
	}
	named, err := reference.ParseNormalizedNamed(image.ValueString())
	if err != nil {
		return ""
	}
	tagged, is := named.(reference.Tagged)
	if !is {
		return ""
	}
	return strings.TrimPrefix(tagged.Tag(), "v")
}

// period is the text of an error with a period.
func period(err error) string { return strings.TrimSuffix(err.Error(), ".") + "." }
