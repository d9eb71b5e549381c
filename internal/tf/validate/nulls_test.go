package validate

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// TestNoNulls: a null is refused where it stands; unknown and empty values are
// none.
func TestNoNulls(t *testing.T) {
	at := path.Root("a")
	harmless := []attr.Value{types.StringValue(""), types.StringUnknown()}
	list := func(more ...attr.Value) diag.Diagnostics {
		resp := &validator.ListResponse{}
		value := types.ListValueMust(types.StringType, append(more, harmless...))
		NoNulls().ValidateList(t.Context(), validator.ListRequest{Path: at, ConfigValue: value}, resp)
		return resp.Diagnostics
	}
	table := func(more map[string]attr.Value) diag.Diagnostics {
		resp := &validator.MapResponse{}
		more["x"], more["y"] = harmless[0], harmless[1]
		NoNulls().ValidateMap(t.Context(), validator.MapRequest{Path: at, ConfigValue: types.MapValueMust(types.StringType, more)}, resp)
		return resp.Diagnostics
	}
	for _, good := range []diag.Diagnostics{list(), table(map[string]attr.Value{})} {
		if len(good) > 0 {
			t.Errorf("got %v", good)
		}
	}
	for text, bad := range map[string]diag.Diagnostics{
		"a[0]":      list(types.StringNull()),
		`a["null"]`: table(map[string]attr.Value{"null": types.StringNull()}),
	} {
		if len(bad) != 1 || bad[0].Summary() != "Null element" || bad[0].(diag.DiagnosticWithPath).Path().String() != text {
			t.Errorf("got %v at another place than %s", bad, text)
		}
	}
	resp := &validator.ListResponse{}
	NoNulls().ValidateList(t.Context(), validator.ListRequest{Path: at, ConfigValue: types.ListNull(types.StringType)}, resp)
	if len(resp.Diagnostics) > 0 {
		t.Errorf("a list that is not given: %v", resp.Diagnostics)
	}
}
