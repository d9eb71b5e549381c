// Package dockerattr holds the attributes that every resource with containers
// has, and their conversion. It belongs to the layer of the framework.
package dockerattr

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Defaults of the containers' log and restart policy.
const (
	defaultMaxSize = "50m"
	defaultMaxFile = 5
	defaultRestart = "always"
)

// Env is the map env of plain environment variables.
func Env(description string) schema.MapAttribute {
	return schema.MapAttribute{
		Optional: true, ElementType: types.StringType, MarkdownDescription: description,
		Validators: []validator.Map{mapvalidator.KeysAre(validate.EnvName()), validate.NoNulls()},
	}
}

// RestartPolicy is the attribute restart_policy.
func RestartPolicy(note string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional: true, Computed: true, Default: stringdefault.StaticString(defaultRestart),
		MarkdownDescription: "When Docker restarts a container that ended: `always`, `unless-stopped`, `on-failure` or `no`. Default `always`." + note,
		Validators:          []validator.String{stringvalidator.OneOf("always", "unless-stopped", "on-failure", "no")},
	}
}

var logTypes = map[string]attr.Type{"max_size": types.StringType, "max_file": types.Int64Type}

// Log is the attribute log.
func Log(note string) schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional: true, Computed: true,
		MarkdownDescription: "Rotation of the containers' logs, which Docker by itself never rotates." + note,
		Default: objectdefault.StaticValue(types.ObjectValueMust(logTypes, map[string]attr.Value{
			"max_size": types.StringValue(defaultMaxSize), "max_file": types.Int64Value(defaultMaxFile),
		})),
		Attributes: map[string]schema.Attribute{
			"max_size": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(defaultMaxSize),
				MarkdownDescription: "Size at which a new file is begun, such as `50m`. Default `50m`.",
				Validators:          []validator.String{validate.LogSize()},
			},
			"max_file": schema.Int64Attribute{
				Optional: true, Computed: true, Default: int64default.StaticInt64(defaultMaxFile),
				MarkdownDescription: "How many files are kept. Default `5`.",
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
		},
	}
}

// LogOf converts the attribute log.
func LogOf(ctx context.Context, value types.Object) (container.Log, diag.Diagnostics) {
	var model struct {
		MaxSize types.String `tfsdk:"max_size"`
		MaxFile types.Int64  `tfsdk:"max_file"`
	}
	if value.IsNull() || value.IsUnknown() {
		return container.Log{MaxSize: defaultMaxSize, MaxFile: defaultMaxFile}, nil
	}
	diags := value.As(ctx, &model, basetypes.ObjectAsOptions{})
	return container.Log{MaxSize: model.MaxSize.ValueString(), MaxFile: int(model.MaxFile.ValueInt64())}, diags
}

// LogValue is the reverse of [LogOf].
func LogValue(log container.Log) (types.Object, diag.Diagnostics) {
	return types.ObjectValue(logTypes, map[string]attr.Value{
		"max_size": types.StringValue(log.MaxSize), "max_file": types.Int64Value(int64(log.MaxFile)),
	})
}

// Strings converts a map of strings; null and unknown give nil.
func Strings(ctx context.Context, value types.Map) (map[string]string, diag.Diagnostics) {
	if value.IsNull() || value.IsUnknown() {
		return nil, nil
	}
	var converted map[string]string
	diags := value.ElementsAs(ctx, &converted, false)
	return converted, diags
}
