package replicas_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	controllerresource "github.com/anka-ha/terraform-provider-anka/internal/resources/controller"
	registryresource "github.com/anka-ha/terraform-provider-anka/internal/resources/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/controller"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// tables are the settings of the two resources.
var tables = map[string]service.Table{"anka_controller": controller.Table, "anka_registry": registry.Table}

// material is the PEM text of an authority, a server and revoked clients.
type material struct{ authority, certificate, key, revoked string }

func newMaterial(t *testing.T) material {
	t.Helper()
	authority := pki.NewAuthority(t, "authority")
	server := authority.Issue(t, "server")
	revoked, err := os.ReadFile(authority.Revoke(t, authority.Issue(t, "client")))
	if err != nil {
		t.Fatal(err)
	}
	return material{authority.PEM, server.CertPEM, server.KeyPEM, string(revoked)}
}

// minimal is a valid configuration of a resource with replicas on some hosts.
func minimal(resource string, hosts ...string) object {
	replicas := object{}
	for _, host := range hosts {
		replicas[host] = object{}
	}
	if resource == "anka_registry" {
		return object{"replicas": replicas, "primary": hosts[0], "storage": object{"path": "/opt/templates"}}
	}
	return object{"replicas": replicas, "etcd_endpoints": []string{"http://10.0.1.4:2379"}, "registry_url": "http://10.0.1.4:8089"}
}

// set adds a value to a configuration at GROUP.ATTRIBUTE. What is below storage
// replaces the path that is there.
func set(config object, group, attribute string, value any) object {
	if outer, inner, is := strings.Cut(group, "."); is {
		storage := object{}
		if before, exists := config[outer].(object)[inner]; exists {
			storage[inner] = before
		}
		return with(config, object{outer: set(storage, inner, attribute, value)})
	}
	nested := object{}
	if before, exists := config[group].(object); exists {
		nested = maps.Clone(before)
	}
	nested[attribute] = value
	return with(config, object{group: nested})
}

// valid is a good value of a row as a configuration has it, and as the service
// reads it.
func valid(t *testing.T, s service.Setting, made material) (value any, read string) {
	t.Helper()
	if s.Path() == "storage.s3.bucket" {
		return "templates", "templates"
	}
	switch s.Kind {
	case service.KindBool:
		return true, "true"
	case service.KindInt:
		n := 9
		if s.Range != nil {
			n = min(max(n, int(s.Range.Min)), int(s.Range.Max))
		}
		return n, fmt.Sprint(n)
	case service.KindFloat:
		return 1.5, "1.5"
	case service.KindText:
		if s.Secret {
			return "canary " + s.Env, "canary " + s.Env
		}
		return "some_text", "some_text"
	case service.KindPath:
		return "/var/log/anka", "/var/log/anka"
	case service.KindDuration:
		return "90s", "1m30s"
	case service.KindEnum:
		return s.Allowed[0], s.Allowed[0]
	case service.KindList:
		if len(s.Allowed) > 0 {
			// The last cipher suites exist in the first version of TLS.
			last := s.Allowed[len(s.Allowed)-2:]
			return last, strings.Join(last, ",")
		}
		return []string{"upload=5", "a=1"}, "upload=5,a=1"
	case service.KindLevelList:
		return []string{"upload=5", "auth*=2"}, "upload=5,auth*=2"
	case service.KindURL:
		return "https://10.0.1.9:8443", "https://10.0.1.9:8443"
	case service.KindURLList:
		return []string{"http://10.0.1.9:1", "http://10.0.1.9:2"}, "http://10.0.1.9:1,http://10.0.1.9:2"
	case service.KindAddress:
		return ":8090", ":8090"
	case service.KindMACRange:
		return "02:00:00:00:00:00-02:00:00:00:ff:ff", "02:00:00:00:00:00-02:00:00:00:ff:ff"
	case service.KindSize:
		if s.Range != nil {
			return "100MB", fmt.Sprint(100 << 20 / s.Unit)
		}
		return "2GB", fmt.Sprint(2 << 30 / s.Unit)
	case service.KindCertificate:
		if s.Attribute == "ca_cert" {
			return made.authority, service.FilePath(s)
		}
		return made.certificate, service.FilePath(s)
	case service.KindPrivateKey:
		return made.key, service.FilePath(s)
	case service.KindCRL:
		return made.revoked, service.FilePath(s)
	}
	t.Fatalf("no good value for the kind of %s: add one", s.Path())
	return nil, ""
}

// everything is a configuration with all rows of the table, the environment
// that follows from them, and the files.
func everything(t *testing.T, resource string, made material) (config object, env, files map[string]string) {
	t.Helper()
	config = with(minimal(resource, "h1"), object{"root_token_wo": "canary-root-token", "root_token_wo_version": 1})
	env, files = map[string]string{"ANKA_ROOT_TOKEN": "canary-root-token"}, map[string]string{}
	for _, s := range tables[resource] {
		value, read := valid(t, s, made)
		config = set(config, s.Group, s.Written(), value)
		if s.WriteOnly() {
			config = set(config, s.Group, s.Version(), 1)
		}
		if s.Kind.PEM() {
			files[read] = fmt.Sprint(value)
		}
		env[s.Env] = read
	}
	return config, env, files
}

// TestSettings_everyRowReachesTheContainer sets all rows at once, through the
// plugin protocol, and looks at the container that the daemon is asked for.
func TestSettings_everyRowReachesTheContainer(t *testing.T) {
	made := newMaterial(t)
	wired := map[string]map[string]string{
		"anka_controller": {"ANKA_LISTEN_ADDR": ":80", "ANKA_ETCD_ENDPOINTS": "http://10.0.1.4:2379", "ANKA_ANKA_REGISTRY": "http://10.0.1.4:8089"},
		"anka_registry":   {"ANKA_LISTEN_ADDR": ":8089", "ANKA_BASE_PATH": "/mnt/vol", "ANKA_BACKEND_TYPE": "s3"},
	}
	for resource := range tables {
		t.Run(resource, func(t *testing.T) {
			config, want, files := everything(t, resource, made)
			maps.Copy(want, wired[resource])
			config = with(config, object{"ready_timeout": "1ms"}) // nothing will listen
			fleet := dockerhost.NewFleet()
			daemon := record(t, fleet, "h1")
			s := serve(t, resource, fleet)
			if said := s.Validate(config); said != "" {
				t.Fatalf("all values are good, and got %s", said)
			}
			planned, said := s.Plan(nil, config)
			if strings.Contains(said, "error") {
				t.Fatal(said)
			}
			state, told := s.Apply(nil, planned, config)
			c := daemon.container("anka-anka-" + strings.TrimPrefix(resource, "anka_") + "-h1")
			if c == nil || state == nil {
				t.Fatalf("nothing was made: %s", told)
			}
			for _, difference := range differences(c.environment(), want) {
				t.Error(difference)
			}
			for _, difference := range differences(c.Files, files) {
				t.Errorf("file %s", difference)
			}
			for name, mode := range c.Modes {
				if mode != 0o600 {
					t.Errorf("%s has mode %o", name, mode)
				}
			}
			kept := said + told + fmt.Sprint(state, planned, c.Labels)
			for what, secret := range map[string]string{"a secret": "canary", "the key": keyLine(made)} {
				if strings.Contains(kept, secret) {
					t.Errorf("%s is in plan, state, diagnostics or labels", what)
				}
			}
			if strings.Contains(c.Request, keyLine(made)) {
				t.Error("the key is in the request, where docker inspect shows it")
			}
		})
	}
}

// keyLine is a part of the key that nothing else has.
func keyLine(made material) string { return strings.Split(made.key, "\n")[1] }

// differences are the keys whose values differ, sorted.
func differences(got, want map[string]string) []string {
	all := maps.Clone(want)
	maps.Copy(all, got)
	var found []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		g, is := got[name]
		w, wanted := want[name]
		if g != w || is != wanted {
			found = append(found, fmt.Sprintf("%s: got %q (set: %t), want %q (set: %t)", name, g, is, w, wanted))
		}
	}
	return found
}

// TestSettings_schema: every row is an attribute that says what the row says,
// and secrets are in no state.
func TestSettings_schema(t *testing.T) {
	for name, of := range map[string]resource.Resource{"anka_controller": controllerresource.New(), "anka_registry": registryresource.New()} {
		var described resource.SchemaResponse
		of.Schema(t.Context(), resource.SchemaRequest{}, &described)
		if diagnostics := described.Schema.ValidateImplementation(t.Context()); diagnostics.HasError() {
			t.Errorf("%s: %v", name, diagnostics)
		}
		for _, s := range tables[name] {
			outer, inner, _ := strings.Cut(s.Group, ".")
			group, is := described.Schema.Attributes[outer].(schema.SingleNestedAttribute)
			if inner != "" {
				group, is = group.Attributes[inner].(schema.SingleNestedAttribute)
			}
			attribute, exists := group.Attributes[s.Written()]
			if !is || !exists {
				t.Errorf("%s has no %s", name, s.Path())
				continue
			}
			if attribute.IsWriteOnly() != s.WriteOnly() || attribute.IsSensitive() != s.WriteOnly() || !attribute.IsOptional() ||
				!strings.HasPrefix(attribute.GetMarkdownDescription(), s.Doc()) {
				t.Errorf("%s %s: %+v", name, s.Path(), attribute)
			}
			if version, exists := group.Attributes[s.Version()]; exists != s.WriteOnly() || exists && !strings.Contains(version.GetMarkdownDescription(), "`"+s.Written()+"`") {
				t.Errorf("%s %s has the version %+v", name, s.Path(), version)
			}
		}
	}
}

// invalid is a bad value of a row, nil where every value of the type is good.
func invalid(s service.Setting) any {
	switch s.Kind {
	case service.KindBool:
		return nil
	case service.KindInt:
		return int(s.Range.Max) + 1
	case service.KindFloat:
		return -1.5
	case service.KindList, service.KindURLList:
		if len(s.Allowed) == 0 {
			return []string{"canary,b"}
		}
		return []string{"canary"}
	case service.KindLevelList:
		return []string{"canary"}
	case service.KindText:
		return "canary\ntext"
	default:
		return "canary"
	}
}

// TestSettings_everyRowIsChecked gives every row a bad value, among good ones
// for all others, and wants the error at its path.
func TestSettings_everyRowIsChecked(t *testing.T) {
	made := newMaterial(t)
	for resource, table := range tables {
		all, _, _ := everything(t, resource, made)
		server := serve(t, resource, dockerhost.NewFleet())
		for _, s := range table {
			bad := invalid(s)
			if bad == nil {
				continue
			}
			got := server.Validate(set(all, s.Group, s.Written(), bad))
			want := fmt.Sprintf("error (%q).(%q)", strings.ReplaceAll(s.Group, ".", `").("`), s.Written())
			want = strings.ReplaceAll(want, `\"`, `"`)
			if first, _, _ := strings.Cut(got, "\n"); !strings.HasPrefix(got, want) || s.WriteOnly() && strings.Contains(got, "canary") {
				t.Errorf("%s %s = %v: got %s\nwant %s", resource, s.Path(), bad, first, want)
			}
		}
	}
}

// TestSettings_everyRowMayBeUnknown: what is not known yet is neither refused
// nor taken for something.
func TestSettings_everyRowMayBeUnknown(t *testing.T) {
	made := newMaterial(t)
	for resource, table := range tables {
		all, _, _ := everything(t, resource, made)
		fleet := dockerhost.NewFleet()
		fleet.SetUnknown()
		server := serve(t, resource, fleet)
		unsure := all
		for _, s := range table {
			if said := server.Validate(set(all, s.Group, s.Written(), unknown{})); said != "" {
				t.Errorf("%s unknown: %s", s.Path(), said)
			}
			if said := server.Validate(set(minimal(resource, "h1"), s.Group, s.Written(), unknown{})); !s.WriteOnly() && strings.Contains(said, fmt.Sprintf("(%q)", s.Written())) && len(s.Needs) == 0 {
				t.Errorf("%s alone and unknown: %s", s.Path(), said)
			}
			group, _, _ := strings.Cut(s.Group, ".")
			unsure = with(unsure, object{group: unknown{}})
		}
		if said := server.Validate(unsure); said != "" {
			t.Errorf("all groups unknown: %s", said)
		}
		if planned, said := server.Plan(nil, unsure); said != "" || planned["ready"].IsKnown() {
			t.Errorf("all groups unknown: %s", said)
		}
	}
}
