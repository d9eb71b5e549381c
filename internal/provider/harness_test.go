package provider

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
)

// unknown stands for a value that is not known while planning.
type unknown struct{}

// object is a block or a nested attribute in a test's configuration.
type object map[string]any

// value makes a value of a type out of what a test wrote; what it left out is
// null.
func value(t *testing.T, of tftypes.Type, v any) tftypes.Value {
	t.Helper()
	if _, is := v.(unknown); is {
		return tftypes.NewValue(of, tftypes.UnknownValue)
	}
	if v == nil {
		return tftypes.NewValue(of, nil)
	}
	switch of := of.(type) {
	case tftypes.Object:
		attributes := map[string]tftypes.Value{}
		for name, inner := range of.AttributeTypes {
			attributes[name] = value(t, inner, v.(object)[name])
		}
		for name := range v.(object) {
			if _, exists := of.AttributeTypes[name]; !exists {
				t.Fatalf("the schema has no %q", name)
			}
		}
		return tftypes.NewValue(of, attributes)
	case tftypes.Map:
		elements := map[string]tftypes.Value{}
		for name, inner := range v.(object) {
			elements[name] = value(t, of.ElementType, inner)
		}
		return tftypes.NewValue(of, elements)
	default:
		return tftypes.NewValue(of, v)
	}
}

func schemaType(t *testing.T) tftypes.Type {
	t.Helper()
	var resp provider.SchemaResponse
	New("test")().Schema(context.Background(), provider.SchemaRequest{}, &resp)
	return resp.Schema.Type().TerraformType(context.Background())
}

// validated gives the diagnostics of the offline checks, each as
// "path: summary: detail".
func validated(t *testing.T, config object) []string {
	t.Helper()
	server := providerserver.NewProtocol6(New("test")())()
	of := schemaType(t)
	dynamic, err := tfprotov6.NewDynamicValue(of, value(t, of, config))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.ValidateProviderConfig(context.Background(), &tfprotov6.ValidateProviderConfigRequest{Config: &dynamic})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, d := range resp.Diagnostics {
		at := strings.ReplaceAll(strings.ReplaceAll(d.Attribute.String(), "AttributeName", ""), "ElementKeyString", "")
		all = append(all, at+": "+d.Summary+": "+d.Detail)
	}
	return all
}

// configured gives what resources are handed, and the diagnostics' details.
func configured(t *testing.T, config object) (*providerdata.Data, []string) {
	t.Helper()
	p := New("test")()
	var schema provider.SchemaResponse
	p.Schema(context.Background(), provider.SchemaRequest{}, &schema)
	var resp provider.ConfigureResponse
	p.Configure(context.Background(), provider.ConfigureRequest{
		Config: tfsdk.Config{Raw: value(t, schemaType(t), config), Schema: schema.Schema},
	}, &resp)
	var details []string
	for _, d := range resp.Diagnostics {
		details = append(details, d.Detail())
	}
	data, _ := resp.ResourceData.(*providerdata.Data)
	if data != nil {
		t.Cleanup(func() { _ = data.Hosts.Close() })
	}
	return data, details
}
