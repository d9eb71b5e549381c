package replicas

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// TestEncodeObject_leavesOutSecrets even if they were given: nothing that is
// write-only, sensitive or computed is recorded, on no level.
func TestEncodeObject_leavesOutSecrets(t *testing.T) {
	attributes := map[string]schema.Attribute{
		"plain": schema.StringAttribute{Optional: true}, "required": schema.BoolAttribute{Required: true}, "null": schema.StringAttribute{Optional: true},
		"wo": schema.StringAttribute{Optional: true, WriteOnly: true}, "sensitive": schema.StringAttribute{Optional: true, Sensitive: true},
		"computed": schema.StringAttribute{Computed: true}, "list": schema.ListAttribute{Optional: true, ElementType: types.Int64Type},
	}
	values := protocol.Object{
		"plain": "a", "required": false, "wo": "canary", "sensitive": "canary", "computed": protocol.Unknown{}, "list": []any{1, 2},
	}
	s := schema.Schema{Attributes: map[string]schema.Attribute{
		"one": schema.SingleNestedAttribute{Optional: true, Attributes: attributes},
		"map": schema.MapNestedAttribute{Required: true, NestedObject: schema.NestedAttributeObject{Attributes: attributes}},
	}}
	value := protocol.Value(t, s.Type().TerraformType(t.Context()), protocol.Object{"one": values, "map": protocol.Object{"h1": values}})
	got, err := encodeObject(s.Attributes, value)
	if err != nil {
		t.Fatal(err)
	}
	one := map[string]any{"plain": "a", "required": false, "list": []any{json.Number("1"), json.Number("2")}}
	if want := map[string]any{"one": one, "map": map[string]any{"h1": one}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestRemember_leavesOutWhatPasses: what holds for one apply is not of the next
// one, which an import is followed by.
func TestRemember_leavesOutWhatPasses(t *testing.T) {
	type small struct {
		Plain types.String `tfsdk:"plain"`
		Once  types.Bool   `tfsdk:"once"`
	}
	r := Resource[small]{Kind: Kind[small]{Passing: []string{"once"}, Schema: func(context.Context) schema.Schema {
		return schema.Schema{Attributes: map[string]schema.Attribute{"plain": schema.StringAttribute{Optional: true}, "once": schema.BoolAttribute{Optional: true}}}
	}}}
	d := rollout.Desired{Replicas: []rollout.Replica{{Host: "h1", Spec: container.Spec{Labels: map[string]string{}}}}}
	if all := r.remember(t.Context(), &small{types.StringValue("a"), types.BoolValue(true)}, &d); all.HasError() {
		t.Fatal(all)
	}
	got, ok, err := recall(container.Found{Labels: d.Replicas[0].Spec.Labels})
	if err != nil || !ok || !reflect.DeepEqual(got.Attributes, map[string]any{"plain": "a"}) {
		t.Errorf("got %v, %t, %v", got, ok, err)
	}
}

// TestDecode_leavesOutWhatIsUnknown: a record of a newer version has more.
func TestDecode_leavesOutWhatIsUnknown(t *testing.T) {
	of := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"a": tftypes.String, "b": tftypes.Number}}
	got, err := decode(of, map[string]any{"a": "x", "newer": true})
	if want := protocol.Value(t, of, protocol.Object{"a": "x"}); err != nil || !got.Equal(want) {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	for what, bad := range map[string]any{"text": json.Number("1"), "list": []any{}, "object": map[string]any{}, "boolean": true} {
		if got, err := decode(tftypes.String, bad); err == nil {
			t.Errorf("%s became %s", what, got)
		}
	}
}
