// Package protocol speaks Terraform's plugin protocol with resources inside a
// test, without terraform and without hosts. It belongs to the lab: offline
// tests of schemas, checks and plans use it.
package protocol

import (
	"math/big"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Object is a configuration, a block or a nested attribute as HCL would have
// it; what is left out is null.
type Object map[string]any

// Unknown is a value that is not known yet.
type Unknown struct{}

// Value makes a value of a type out of what a test wrote: nil, [Unknown],
// [Object], strings, booleans, numbers, slices of strings, and what [Server.Plan]
// gives.
func Value(t testing.TB, of tftypes.Type, v any) tftypes.Value {
	t.Helper()
	switch v := v.(type) {
	case nil:
		return tftypes.NewValue(of, nil)
	case tftypes.Value:
		return v
	case Unknown:
		return tftypes.NewValue(of, tftypes.UnknownValue)
	case int:
		return tftypes.NewValue(of, big.NewFloat(float64(v)))
	case []any:
		elements := make([]tftypes.Value, 0, len(v))
		for _, e := range v {
			elements = append(elements, Value(t, of.(tftypes.List).ElementType, e))
		}
		return tftypes.NewValue(of, elements)
	case []string:
		elements := make([]tftypes.Value, 0, len(v))
		for _, e := range v {
			elements = append(elements, tftypes.NewValue(tftypes.String, e))
		}
		return tftypes.NewValue(of, elements)
	case Object:
		return tftypes.NewValue(of, elements(t, of, v))
	default:
		return tftypes.NewValue(of, v)
	}
}

func elements(t testing.TB, of tftypes.Type, v Object) map[string]tftypes.Value {
	t.Helper()
	values := map[string]tftypes.Value{}
	switch of := of.(type) {
	case tftypes.Map:
		for name, e := range v {
			values[name] = Value(t, of.ElementType, e)
		}
	case tftypes.Object:
		for name, attribute := range of.AttributeTypes {
			values[name] = Value(t, attribute, v[name])
		}
		for name := range v {
			if _, exists := of.AttributeTypes[name]; !exists {
				t.Fatalf("the schema has no %q", name)
			}
		}
	default:
		t.Fatalf("an object was given where the schema has %s", of)
	}
	return values
}
