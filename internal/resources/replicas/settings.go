package replicas

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// Groups are the nested attributes that hold settings, by their name. Every
// group of a service's table has one.
type Groups map[string]types.Object

// Plain are the settings of a table that are kept in state, by variable.
func (g Groups) Plain(table service.Table) service.Values { return typed{table, g}.plain() }

// typed are the settings that a model has as attributes.
type typed struct {
	table  service.Table
	groups Groups
}

func (r *Resource[M]) typed(m *M) typed { return typed{r.Table, r.Groups(m)} }

// settingPath is where a setting is written.
func settingPath(s service.Setting) path.Path { return groupPath(s).AtName(s.Written()) }

// versionPath is where the version of a write-only setting is.
func versionPath(s service.Setting) path.Path { return groupPath(s).AtName(s.Version()) }

// groupPath is where the group of a setting is: storage.s3 is below storage.
func groupPath(s service.Setting) path.Path {
	names := strings.Split(s.Group, ".")
	at := path.Root(names[0])
	for _, name := range names[1:] {
		at = at.AtName(name)
	}
	return at
}

// attribute is the value of an attribute of a group; all are unknown as long as
// the group is.
func (t typed) attribute(group, name string) attr.Value {
	object, exists := t.groups[group]
	switch {
	case exists && object.IsUnknown():
		return types.StringUnknown()
	case !exists || object.IsNull():
		return types.StringNull()
	}
	value, exists := object.Attributes()[name]
	if !exists {
		return types.StringNull()
	}
	return value
}

// has reports whether a setting is written in the configuration or, where only
// a plan or state is there, its version is.
func (t typed) has(s service.Setting) bool {
	if t.groups[s.Group].IsUnknown() {
		return false
	}
	return !t.attribute(s.Group, s.Written()).IsNull() || s.WriteOnly() && !t.attribute(s.Group, s.Version()).IsNull()
}

// plain are the values that are kept in state.
func (t typed) plain() service.Values {
	return t.values(func(s service.Setting) bool { return !s.WriteOnly() })
}

// secret are the write-only values, which only a configuration has.
func (t typed) secret() service.Values { return t.values(service.Setting.WriteOnly) }

func (t typed) values(wanted func(service.Setting) bool) service.Values {
	values := service.Values{}
	for _, s := range t.table {
		if value := t.attribute(s.Group, s.Written()); wanted(s) && !value.IsNull() {
			values[s.Env] = text(value)
		}
	}
	return values
}

// given are the variables of the write-only settings whose version is set.
// Plan, state and configuration have the same ones.
func (t typed) given() []string {
	var given []string
	for _, s := range t.table {
		if s.WriteOnly() && !t.attribute(s.Group, s.Version()).IsNull() {
			given = append(given, s.Env)
		}
	}
	return given
}

// versions are those of the write-only settings, such as https.server_cert=2,
// in the order of the table.
func (t typed) versions() []string {
	var versions []string
	for _, s := range t.table {
		if !s.WriteOnly() {
			continue
		}
		if value := t.attribute(s.Group, s.Version()); !value.IsNull() {
			versions = append(versions, fmt.Sprintf("%s.%s=%s", s.Group, cmp.Or(s.VersionBy, s.Attribute), text(value)))
		}
	}
	slices.Sort(versions)
	return slices.Compact(versions)
}

// decided reports whether everything is known that says what a switch is: its
// own value, that in the other environment, and what turns it on.
func (t typed) decided(env string, otherwise map[string]string) bool {
	if otherwise[env] == service.Unknown {
		return false
	}
	for _, s := range t.table {
		if s.Env != env && s.Turns != env {
			continue
		}
		name := s.Written()
		if s.WriteOnly() {
			name = s.Version()
		}
		if t.attribute(s.Group, name).IsUnknown() {
			return false
		}
	}
	return true
}

// text is a value as the service reads it, [service.Unknown] as long as parts
// of it are not known. So are lists that their own validators refuse.
func text(value attr.Value) string {
	if value.IsUnknown() {
		return service.Unknown
	}
	switch v := value.(type) {
	case types.String:
		return v.ValueString()
	case types.Bool:
		return strconv.FormatBool(v.ValueBool())
	case types.Int64:
		return strconv.FormatInt(v.ValueInt64(), 10)
	case types.Float64:
		return strconv.FormatFloat(v.ValueFloat64(), 'f', -1, 64)
	case types.List:
		var elements []string
		for _, element := range v.Elements() {
			if element.IsUnknown() || checkElement(text(element)) != nil {
				return service.Unknown
			}
			elements = append(elements, text(element))
		}
		return cmp.Or(strings.Join(elements, ","), service.Unknown)
	default:
		return service.Unknown // the schema has no other types
	}
}

// secretEnvironment are the write-only values of a configuration that become
// variables: those of env_wo and the root token.
func (m *Model) secretEnvironment() map[string]string {
	secrets := map[string]string{}
	maps.Copy(secrets, Strings(m.EnvWO))
	if token := m.RootTokenWO.ValueString(); token != "" {
		secrets[service.RootToken] = token
	}
	return secrets
}

// secretVersion stands for all secrets; it changes whenever the user says that
// one of them has changed.
func (m *Model) secretVersion(t typed) string {
	var versions []string
	if !m.RootTokenWOVersion.IsNull() {
		versions = append(versions, fmt.Sprintf("root_token=%d", m.RootTokenWOVersion.ValueInt64()))
	}
	if !m.EnvWOVersion.IsNull() {
		versions = append(versions, fmt.Sprintf("env=%d", m.EnvWOVersion.ValueInt64()))
	}
	return strings.Join(append(versions, t.versions()...), ",")
}

// masked are the texts that no log may show. Certificates are shown to
// everybody who connects, so they stay readable.
func masked(t typed, environment map[string]string) []string {
	secrets := slices.Collect(maps.Values(environment))
	for env, value := range t.secret() {
		if s, _ := t.table.Lookup(env); s.Secret || s.Kind == service.KindPrivateKey {
			secrets = append(secrets, value)
		}
	}
	return secrets
}
