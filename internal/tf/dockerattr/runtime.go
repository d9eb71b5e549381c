package dockerattr

import (
	"context"
	"math"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/float64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Runtime are the attributes memory, cpus, healthcheck, extra_hosts and dns. It
// is embedded in the models of resources that have [RuntimeAttributes].
type Runtime struct {
	Memory      types.String  `tfsdk:"memory"`
	CPUs        types.Float64 `tfsdk:"cpus"`
	Healthcheck types.Object  `tfsdk:"healthcheck"`
	ExtraHosts  types.Map     `tfsdk:"extra_hosts"`
	DNS         types.List    `tfsdk:"dns"`
}

// RuntimeAttributes are those of [Runtime], by name, for containers that run a
// service of this name.
func RuntimeAttributes(service string) map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"memory": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Most memory that each container may use, such as `512m` or `2g`; at least `6m`. The kernel ends a " + service +
				" that needs more. Default: no limit.",
			Validators: []validator.String{memory{}},
		},
		"cpus": schema.Float64Attribute{
			Optional: true,
			MarkdownDescription: "Most processor time that each container may use, in CPUs, such as `1.5`; at least `0.01`, at most what the host has. " +
				"Default: no limit.",
			Validators: []validator.Float64{float64validator.AtLeast(0.01)},
		},
		"healthcheck": healthcheckAttribute(service),
		"extra_hosts": schema.MapAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "Names that the containers resolve without DNS: the IP address of each, by name. `host-gateway` stands for the host itself.",
			Validators: []validator.Map{
				mapvalidator.KeysAre(hostName{}), validate.NoNulls(), mapvalidator.ValueStringsAre(hostAddress{}),
			},
		},
		"dns": schema.ListAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "IP addresses of the name servers that the containers ask, in this order. Default: those of the host.",
			Validators: []validator.List{
				listvalidator.SizeAtLeast(1), listvalidator.UniqueValues(), validate.NoNulls(), listvalidator.ValueStringsAre(validate.IP()),
			},
		},
	}
}

func healthcheckAttribute(service string) schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "Command that Docker runs in each container to tell whether it is healthy, as `docker ps` and monitoring show it. " +
			"Docker itself does nothing about an unhealthy container, and this provider does not depend on it: it asks the " + service +
			" itself whether it is ready. Default: the image's own check, if it has one.",
		Validators: []validator.Object{wholeHealthcheck{}},
		Attributes: map[string]schema.Attribute{
			"enabled": schema.BoolAttribute{
				Optional: true, MarkdownDescription: "`false`, and nothing else beside it, turns off the image's own check. Default `true`.",
			},
			"command": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Program and arguments, run without a shell inside the container, such as `[\"curl\", \"-fsS\", \"http://localhost/readyz\"]`. " +
					"The program must be in the image. Exit code 0 means healthy.",
				Validators: []validator.List{listvalidator.SizeAtLeast(1), validate.NoNulls()},
			},
			"interval":     checkDuration("Time between two runs. Default `30s`."),
			"timeout":      checkDuration("Longest time that a run may take. Default `30s`."),
			"start_period": checkDuration("Time after the start in which failures do not count. Default: none."),
			"retries": schema.Int64Attribute{
				Optional: true, MarkdownDescription: "Number of failures in a row that make the container unhealthy. Default `3`.",
				Validators: []validator.Int64{int64validator.AtLeast(1)},
			},
		},
	}
}

func checkDuration(description string) schema.StringAttribute {
	return schema.StringAttribute{Optional: true, MarkdownDescription: description, Validators: []validator.String{validate.Duration()}}
}

type healthcheckModel struct {
	Enabled     types.Bool   `tfsdk:"enabled"`
	Command     types.List   `tfsdk:"command"`
	Interval    types.String `tfsdk:"interval"`
	Timeout     types.String `tfsdk:"timeout"`
	StartPeriod types.String `tfsdk:"start_period"`
	Retries     types.Int64  `tfsdk:"retries"`
}

// Container converts the attributes. What is not known yet is left out.
func (r Runtime) Container(ctx context.Context) (container.Runtime, diag.Diagnostics) {
	// Other texts have not passed validation.
	bytes, _ := parseMemory(r.Memory.ValueString())
	converted := container.Runtime{
		Memory: bytes, CPUs: int64(math.Round(r.CPUs.ValueFloat64() * 1e9)), DNS: texts(r.DNS),
	}
	for name, element := range r.ExtraHosts.Elements() {
		if address, ok := element.(types.String); ok {
			if converted.ExtraHosts == nil {
				converted.ExtraHosts = map[string]string{}
			}
			converted.ExtraHosts[name] = address.ValueString()
		}
	}
	if r.Healthcheck.IsNull() || r.Healthcheck.IsUnknown() {
		return converted, nil
	}
	var m healthcheckModel
	diags := r.Healthcheck.As(ctx, &m, basetypes.ObjectAsOptions{})
	if m.disabled() {
		converted.Healthcheck = &container.Healthcheck{Disabled: true}
		return converted, diags
	}
	converted.Healthcheck = &container.Healthcheck{
		Command: texts(m.Command), Interval: length(m.Interval), Timeout: length(m.Timeout),
		StartPeriod: length(m.StartPeriod), Retries: int(m.Retries.ValueInt64()),
	}
	return converted, diags
}

func (m healthcheckModel) disabled() bool {
	return !m.Enabled.IsNull() && !m.Enabled.IsUnknown() && !m.Enabled.ValueBool()
}

func texts(list types.List) []string {
	var all []string
	for _, element := range list.Elements() {
		if text, ok := element.(types.String); ok {
			all = append(all, text.ValueString())
		}
	}
	return all
}

// length is 0, which is Docker's default, for what is not given.
func length(value types.String) time.Duration {
	d, err := time.ParseDuration(value.ValueString())
	if err != nil {
		return 0
	}
	return d
}

// given reports whether an attribute has a value, known or not.
func given(values ...attr.Value) bool {
	for _, value := range values {
		if !value.IsNull() {
			return true
		}
	}
	return false
}
