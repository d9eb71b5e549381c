// Package validate holds the checks of attribute values that several schemas
// share. All are offline: what needs a host is checked at plan. It belongs to
// the layer of the framework.
package validate

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// check is a string validator made of one function. Null and unknown values
// pass: the former are a matter of the schema, the latter of a later walk.
type check struct {
	summary string
	wants   string
	test    func(string) error
}

func (c check) Description(context.Context) string         { return c.wants }
func (c check) MarkdownDescription(context.Context) string { return c.wants }

func (c check) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := c.test(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, c.summary, fmt.Sprintf("%s The value must be %s.", sentence(err), c.wants))
	}
}

// sentence begins err's text with a capital and ends it with a period.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// Port accepts TCP ports.
func Port() validator.Int64 { return int64validator.Between(1, 65535) }

// Names is the validator of a map whose keys are names of hosts or members:
// at least one entry, every key a valid name.
func Names() []validator.Map {
	return []validator.Map{mapvalidator.SizeAtLeast(1), mapvalidator.KeysAre(Name())}
}
