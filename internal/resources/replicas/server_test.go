package replicas_test

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/controller"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
)

// object is a configuration as HCL would have it; what is left out is null.
type object = map[string]any

// unknown is a value that is not known yet.
type unknown struct{}

// bare is a provider with the two resources and hosts of the test's choice.
type bare struct {
	provider.Provider
	data *providerdata.Data
}

func (p *bare) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "anka"
}

func (p *bare) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {}

func (p *bare) Configure(_ context.Context, _ provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	resp.ResourceData = p.data
}

func (p *bare) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{controller.New, registry.New}
}

func (p *bare) DataSources(context.Context) []func() datasource.DataSource { return nil }

// server speaks the plugin protocol with one resource.
type server struct {
	tfprotov6.ProviderServer
	t    *testing.T
	name string
	typ  tftypes.Object
}

func serve(t *testing.T, name string, fleet *dockerhost.Fleet) *server {
	t.Helper()
	s := &server{t: t, name: name}
	s.ProviderServer = providerserver.NewProtocol6(&bare{data: &providerdata.Data{Hosts: fleet}})()
	schemas, err := s.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	schema := schemas.ResourceSchemas[name]
	s.typ = schema.ValueType().(tftypes.Object)
	empty := tftypes.Object{AttributeTypes: map[string]tftypes.Type{}}
	config, _ := tfprotov6.NewDynamicValue(empty, tftypes.NewValue(empty, map[string]tftypes.Value{}))
	if _, err := s.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: &config}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *server) dynamic(v any) *tfprotov6.DynamicValue {
	s.t.Helper()
	dynamic, err := tfprotov6.NewDynamicValue(s.typ, value(s.typ, v))
	if err != nil {
		s.t.Fatal(err)
	}
	return &dynamic
}

// validate gives the diagnostics of a configuration, one line each.
func (s *server) validate(config object) string {
	s.t.Helper()
	resp, err := s.ValidateResourceConfig(s.t.Context(), &tfprotov6.ValidateResourceConfigRequest{
		TypeName: s.name, Config: s.dynamic(config),
		ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return lines(resp.Diagnostics)
}

// planned gives what is planned for a new resource. proposed is config with
// computed attributes unknown and write-only ones null, as Terraform sends it.
func (s *server) planned(config object) (map[string]tftypes.Value, string) {
	s.t.Helper()
	return s.replanned(config, nil)
}

// replanned gives what is planned for a resource with a state, nil for none.
func (s *server) replanned(config object, state any) (map[string]tftypes.Value, string) {
	s.t.Helper()
	proposed := object{}
	for name, v := range config {
		if !strings.HasSuffix(name, "_wo") {
			proposed[name] = v
		}
	}
	resp, err := s.PlanResourceChange(s.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: s.name, Config: s.dynamic(config), ProposedNewState: s.dynamic(proposed), PriorState: s.dynamic(state),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	planned, err := resp.PlannedState.Unmarshal(s.typ)
	if err != nil {
		s.t.Fatal(err)
	}
	var values map[string]tftypes.Value
	if err := planned.As(&values); err != nil {
		s.t.Fatal(err)
	}
	return values, lines(resp.Diagnostics)
}

func lines(diagnostics []*tfprotov6.Diagnostic) string {
	var all []string
	for _, d := range diagnostics {
		all = append(all, fmt.Sprintf("%s %s: %s: %s", strings.ToLower(d.Severity.String()), d.Attribute, d.Summary, d.Detail))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// value makes a value of a type of plain Go values.
func value(t tftypes.Type, v any) tftypes.Value {
	switch v := v.(type) {
	case nil:
		return tftypes.NewValue(t, nil)
	case unknown:
		return tftypes.NewValue(t, tftypes.UnknownValue)
	case int:
		return tftypes.NewValue(t, big.NewFloat(float64(v)))
	case []string:
		var elements []tftypes.Value
		for _, e := range v {
			elements = append(elements, tftypes.NewValue(tftypes.String, e))
		}
		return tftypes.NewValue(t, elements)
	case []any:
		var elements []tftypes.Value
		for _, e := range v {
			elements = append(elements, value(tftypes.String, e))
		}
		return tftypes.NewValue(t, elements)
	case object:
		elements := map[string]tftypes.Value{}
		switch t := t.(type) {
		case tftypes.Map:
			for name, e := range v {
				elements[name] = value(t.ElementType, e)
			}
		case tftypes.Object:
			for name, attribute := range t.AttributeTypes {
				elements[name] = value(attribute, v[name])
			}
		}
		return tftypes.NewValue(t, elements)
	default:
		return tftypes.NewValue(t, v)
	}
}
