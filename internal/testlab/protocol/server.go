package protocol

import (
	"context"
	"fmt"
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
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
)

// bare is a provider with resources and hosts of the test's choice.
type bare struct {
	provider.Provider
	data      *providerdata.Data
	resources []func() resource.Resource
}

func (p *bare) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "anka"
}

func (p *bare) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {}

func (p *bare) Configure(_ context.Context, _ provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	resp.ResourceData = p.data
}

func (p *bare) Resources(context.Context) []func() resource.Resource { return p.resources }

func (p *bare) DataSources(context.Context) []func() datasource.DataSource { return nil }

// Server speaks the protocol with one resource.
type Server struct {
	tfprotov6.ProviderServer
	// Type is the resource's.
	Type tftypes.Object
	// Private is the private state, which [Server.Apply] changes.
	Private []byte

	t    testing.TB
	name string
}

// Serve makes a server of the resource type with this name, on these hosts.
func Serve(t testing.TB, name string, fleet *dockerhost.Fleet, resources ...func() resource.Resource) *Server {
	t.Helper()
	s := &Server{t: t, name: name}
	s.ProviderServer = providerserver.NewProtocol6(&bare{data: &providerdata.Data{Hosts: fleet}, resources: resources})()
	schemas, err := s.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	schema, found := schemas.ResourceSchemas[name]
	if !found {
		t.Fatalf("no resource %s: %s", name, Lines(schemas.Diagnostics))
	}
	s.Type = schema.ValueType().(tftypes.Object)
	empty := tftypes.Object{AttributeTypes: map[string]tftypes.Type{}}
	config, err := tfprotov6.NewDynamicValue(empty, tftypes.NewValue(empty, map[string]tftypes.Value{}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: &config}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *Server) dynamic(v any) *tfprotov6.DynamicValue {
	s.t.Helper()
	dynamic, err := tfprotov6.NewDynamicValue(s.Type, Value(s.t, s.Type, v))
	if err != nil {
		s.t.Fatal(err)
	}
	return &dynamic
}

// Validate gives the diagnostics of a configuration, see [Lines].
func (s *Server) Validate(config Object) string {
	s.t.Helper()
	resp, err := s.ValidateResourceConfig(s.t.Context(), &tfprotov6.ValidateResourceConfigRequest{
		TypeName: s.name, Config: s.dynamic(config),
		ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return Lines(resp.Diagnostics)
}

// Plan gives what is planned, from a prior state that is nil for a new
// resource or what [Server.Apply] gave, and the diagnostics. Write-only attributes are null in what
// Terraform proposes.
func (s *Server) Plan(prior any, config Object) (map[string]tftypes.Value, string) {
	s.t.Helper()
	proposed := stored(config)
	before, _ := prior.(Object)
	if applied, is := prior.(map[string]tftypes.Value); is {
		before = Object{}
		for name, v := range applied {
			before[name] = v
		}
	}
	for name, v := range before {
		if _, set := proposed[name]; !set {
			proposed[name] = v
		}
	}
	resp, err := s.PlanResourceChange(s.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: s.name, Config: s.dynamic(config), ProposedNewState: s.dynamic(proposed), PriorState: s.dynamic(prior), PriorPrivate: s.Private,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	state, err := resp.PlannedState.Unmarshal(s.Type)
	if err != nil {
		s.t.Fatal(err)
	}
	var values map[string]tftypes.Value
	if err := state.As(&values); err != nil {
		s.t.Fatal(err)
	}
	return values, Lines(resp.Diagnostics)
}

// Read gives the diagnostics of a refresh.
func (s *Server) Read(state Object) string {
	s.t.Helper()
	resp, err := s.ReadResource(s.t.Context(), &tfprotov6.ReadResourceRequest{TypeName: s.name, CurrentState: s.dynamic(state), Private: s.Private})
	if err != nil {
		s.t.Fatal(err)
	}
	return Lines(resp.Diagnostics)
}

// stored is a configuration without its write-only attributes, which Terraform
// takes out of all that is kept.
func stored(config Object) Object {
	kept := Object{}
	for name, v := range config {
		if nested, is := v.(Object); is {
			v = stored(nested)
		}
		if !strings.HasSuffix(name, "_wo") {
			kept[name] = v
		}
	}
	return kept
}

// Apply carries out a plan, such as one that [Server.Plan] gave, from a prior
// state that is nil for a new resource. It gives the new state, nil when there
// is none, and the diagnostics.
func (s *Server) Apply(prior, planned any, config Object) (map[string]tftypes.Value, string) {
	s.t.Helper()
	resp, err := s.ApplyResourceChange(s.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: s.name, Config: s.dynamic(config), PlannedState: s.dynamic(planned), PriorState: s.dynamic(prior), PlannedPrivate: s.Private,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.Private = resp.Private
	state, err := resp.NewState.Unmarshal(s.Type)
	if err != nil {
		s.t.Fatal(err)
	}
	var values map[string]tftypes.Value
	if !state.IsNull() {
		if err := state.As(&values); err != nil {
			s.t.Fatal(err)
		}
	}
	return values, Lines(resp.Diagnostics)
}

// Lines are diagnostics, one line each, sorted: severity, path, summary,
// detail.
func Lines(diagnostics []*tfprotov6.Diagnostic) string {
	var all []string
	for _, d := range diagnostics {
		at := strings.NewReplacer("AttributeName", "", "ElementKeyString", "", "ElementKeyInt", "").Replace(d.Attribute.String())
		all = append(all, fmt.Sprintf("%s %s: %s: %s", strings.ToLower(d.Severity.String()), at, d.Summary, d.Detail))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
