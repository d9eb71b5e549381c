package validate

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// NoNulls refuses null elements of lists and maps: converted, they would
// silently become empty text. The error is at the element.
func NoNulls() interface {
	validator.List
	validator.Map
} {
	return noNulls{}
}

type noNulls struct{}

const noNullsWants = "no element may be null"

func (noNulls) Description(context.Context) string         { return noNullsWants }
func (noNulls) MarkdownDescription(context.Context) string { return noNullsWants }

func (noNulls) ValidateList(_ context.Context, req validator.ListRequest, resp *validator.ListResponse) {
	for i, element := range req.ConfigValue.Elements() {
		refuseNull(req.Path.AtListIndex(i), element, &resp.Diagnostics)
	}
}

func (noNulls) ValidateMap(_ context.Context, req validator.MapRequest, resp *validator.MapResponse) {
	elements := req.ConfigValue.Elements()
	for _, key := range slices.Sorted(maps.Keys(elements)) {
		refuseNull(req.Path.AtMapKey(key), elements[key], &resp.Diagnostics)
	}
}

func refuseNull(at path.Path, element attr.Value, diagnostics *diag.Diagnostics) {
	if element.IsNull() {
		diagnostics.AddAttributeError(at, "Null element", fmt.Sprintf("%s is null. Give it a value, or leave it out.", at))
	}
}
