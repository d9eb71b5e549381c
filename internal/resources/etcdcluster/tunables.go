package etcdcluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// tunables are the attributes of the table [etcd.Tunables]: a row there makes
// the attribute, a field here holds it.
type tunables struct {
	AutoCompactionMode      types.String `tfsdk:"auto_compaction_mode"`
	AutoCompactionRetention types.String `tfsdk:"auto_compaction_retention"`
	QuotaBackendBytes       types.Int64  `tfsdk:"quota_backend_bytes"`
	SnapshotCount           types.Int64  `tfsdk:"snapshot_count"`
	HeartbeatInterval       types.String `tfsdk:"heartbeat_interval"`
	ElectionTimeout         types.String `tfsdk:"election_timeout"`
	MaxRequestBytes         types.Int64  `tfsdk:"max_request_bytes"`
	MaxSnapshots            types.Int64  `tfsdk:"max_snapshots"`
	MaxWALs                 types.Int64  `tfsdk:"max_wals"`
	LogLevel                types.String `tfsdk:"log_level"`
	Metrics                 types.String `tfsdk:"metrics"`
	InitialCorruptCheck     types.Bool   `tfsdk:"initial_corrupt_check"`
	CompactHashCheck        types.Bool   `tfsdk:"compact_hash_check"`
	CorruptCheckTime        types.String `tfsdk:"corrupt_check_time"`
}

// fields are the attributes by name.
func (t *tunables) fields() map[string]any {
	return map[string]any{
		"auto_compaction_mode":      &t.AutoCompactionMode,
		"auto_compaction_retention": &t.AutoCompactionRetention,
		"quota_backend_bytes":       &t.QuotaBackendBytes,
		"snapshot_count":            &t.SnapshotCount,
		"heartbeat_interval":        &t.HeartbeatInterval,
		"election_timeout":          &t.ElectionTimeout,
		"max_request_bytes":         &t.MaxRequestBytes,
		"max_snapshots":             &t.MaxSnapshots,
		"max_wals":                  &t.MaxWALs,
		"log_level":                 &t.LogLevel,
		"metrics":                   &t.Metrics,
		"initial_corrupt_check":     &t.InitialCorruptCheck,
		"compact_hash_check":        &t.CompactHashCheck,
		"corrupt_check_time":        &t.CorruptCheckTime,
	}
}

// values are what the attributes hold, by name.
func (t tunables) values() map[string]attr.Value {
	held := map[string]attr.Value{}
	for name, field := range t.fields() {
		switch f := field.(type) {
		case *types.String:
			held[name] = *f
		case *types.Int64:
			held[name] = *f
		case *types.Bool:
			held[name] = *f
		}
	}
	return held
}

// tuned converts the attributes to what the planner takes: those that are not
// set are missing, those that are not known yet are empty.
func (t tunables) tuned() map[string]string {
	tuned := map[string]string{}
	for name, value := range t.values() {
		switch v := value.(type) {
		case types.String:
			tuned[name] = v.ValueString()
		case types.Int64:
			tuned[name] = strconv.FormatInt(v.ValueInt64(), 10)
		case types.Bool:
			tuned[name] = strconv.FormatBool(v.ValueBool())
		}
		if value.IsUnknown() {
			tuned[name] = ""
		}
		if value.IsNull() {
			delete(tuned, name)
		}
	}
	return tuned
}

// tunableAttributes adds the attributes of the table to those of the schema.
func tunableAttributes(attributes map[string]schema.Attribute) {
	for _, t := range etcd.Tunables {
		attributes[t.Attribute] = tunableAttribute(t)
	}
}

// tunableAttribute is the attribute of a row of the table. The rows are fixed,
// so their defaults always parse; the test of the schema holds that.
func tunableAttribute(t etcd.Tunable) schema.Attribute {
	switch t.Kind {
	case etcd.Number:
		a := schema.Int64Attribute{Optional: true, MarkdownDescription: t.Description, Validators: []validator.Int64{int64validator.AtLeast(t.Min)}}
		if t.Max != 0 {
			a.Validators = []validator.Int64{int64validator.Between(t.Min, t.Max)}
		}
		if n, err := strconv.ParseInt(t.Default, 10, 64); err == nil {
			a.Computed, a.Default = true, int64default.StaticInt64(n)
		}
		return a
	case etcd.Switch:
		return schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(t.Default == "true"), MarkdownDescription: t.Description,
		}
	default:
		a := schema.StringAttribute{Optional: true, MarkdownDescription: t.Description}
		switch {
		case t.Kind != etcd.Text:
			a.Validators = []validator.String{duration{t}}
		case len(t.Values) > 0:
			a.Validators = []validator.String{stringvalidator.OneOf(t.Values...)}
		}
		if t.Default != "" {
			a.Computed, a.Default = true, stringdefault.StaticString(t.Default)
		}
		return a
	}
}

// duration is the validator of a tunable that is one.
type duration struct{ of etcd.Tunable }

func (d duration) Description(context.Context) string {
	return "a duration that etcd takes for " + d.of.Attribute
}

func (d duration) MarkdownDescription(ctx context.Context) string { return d.Description(ctx) }

func (d duration) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := d.of.Check(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid duration", fmt.Sprintf("%s: %s.", d.of.Attribute, err))
	}
}

// versionAttribute is etcd_version.
func versionAttribute() schema.StringAttribute {
	return schema.StringAttribute{
		Optional: true,
		MarkdownDescription: "Version of etcd in the image, such as `3.5.35`, for an image whose tag does not tell it. " +
			"Flags are spelled, and changes of the version are checked, by it. A member that comes back with another minor version goes back to its old container where it still can.",
	}
}

// imageVersion is the version that the image runs as far as it is told, the
// zero version when it is not or not yet.
func (m model) imageVersion() (etcd.Version, diag.Diagnostics) {
	var all diag.Diagnostics
	if m.Image.IsUnknown() || m.EtcdVersion.IsUnknown() {
		return etcd.Version{}, nil
	}
	image := m.Image.ValueString()
	if m.Image.IsNull() {
		image = DefaultImage
	}
	v, err := etcd.VersionOf(image, m.EtcdVersion.ValueString())
	var refusal *etcd.Refusal
	if errors.As(err, &refusal) {
		all.AddAttributeError(path.Root(refusal.Attribute), refusal.Summary, refusal.Detail)
	}
	return v, all
}

// versionText is how the planner takes a version: "" for one nobody told.
func versionText(v etcd.Version) string {
	if v.IsZero() {
		return ""
	}
	return v.String()
}
