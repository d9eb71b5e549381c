package registry

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/dockerattr"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

type replicationModel struct {
	Interval           types.Int64  `tfsdk:"interval"`
	Every              types.String `tfsdk:"every"`
	Cron               types.String `tfsdk:"cron"`
	Port               types.Int64  `tfsdk:"port"`
	Image              types.String `tfsdk:"image"`
	BandwidthLimit     types.Int64  `tfsdk:"bandwidth_limit"`
	MaxDeletePercent   types.Int64  `tfsdk:"max_delete_percent"`
	AllowDeletions     types.String `tfsdk:"allow_deletions"`
	Exclude            types.List   `tfsdk:"exclude"`
	Transfers          types.Int64  `tfsdk:"transfers"`
	Seeded             types.Set    `tfsdk:"seeded"`
	CredentialsVersion types.Int64  `tfsdk:"credentials_version"`
}

// replicationAttribute describes the replication. What its values may be is
// checked by [replication.Settings.Problems].
func replicationAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "Copies templates from the primary to all other replicas, by containers on the hosts, so that it goes on when Terraform does not run: " +
			"a source beside the primary's registry, which only reads, and a follower beside every other, which pulls from it with TLS and client certificates. " +
			"They are named `anka-<name>-registry-replication-<host>` and run after the registries, which they never change. " +
			"A tag becomes visible on a replica only when all its layers are there; uploads in progress are not copied. " +
			"What a replica has and the primary never had is reported and left alone. " +
			"Replication stops, and says so, where a storage lacks the file `.anka-registry`, which the provider writes when a replica is made: its disk is not mounted. " +
			"All containers of the replication are made anew together when one of them has to be, since each time they get certificates that only they know; what was transferred counts. " +
			"`replication = {}` is enough. Not set: each registry has what is pushed to it.",
		Attributes: map[string]schema.Attribute{
			"interval": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: fmt.Sprintf("Seconds between two passes of a continuous replication, 1 to 3600. Default `%d`, unless `every` or `cron` is set.", replication.DefaultInterval),
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"every": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Time between two passes, such as `3h`, at least `1m`; instead of `interval`.",
				Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"cron": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Times of the passes as a cron expression of five fields, in UTC, such as `30 */3 * * *`, or `@hourly`, `@daily`, `@weekly` or `@monthly`; instead of `interval`.",
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"port": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: fmt.Sprintf("Port of the primary's host on which the followers reach the source. Every replica needs it free, since each can become the primary. Default `%d`.", replication.DefaultPort),
				Validators:          []validator.Int64{validate.Port()},
			},
			"image": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: fmt.Sprintf("Image with rclone and a shell. Default `%s`.", replication.DefaultImage),
				Validators:          []validator.String{validate.Image()},
			},
			"bandwidth_limit": schema.Int64Attribute{
				Optional: true, MarkdownDescription: "Most bytes per second that each follower transfers. Default: no limit.",
				Validators: []validator.Int64{int64validator.AtLeast(1)},
			},
			"max_delete_percent": schema.Int64Attribute{
				Optional: true,
				MarkdownDescription: fmt.Sprintf("Largest part of its templates that a replica deletes within an hour because the primary has deleted them. Beyond that replication stops and says so, "+
					"with the ID for `allow_deletions`. `100` allows everything but a primary that has nothing left. One template may always go, unless it is the last. Default `%d`.", replication.DefaultMaxDeletePercent),
				Validators: []validator.Int64{int64validator.AtLeast(1)},
			},
			"allow_deletions": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "ID of a deletion that was over the limit and is to be carried out. It holds for that one only: each further deletion on the primary gives another ID. " +
					"The same can be said without an apply, by the ID in the file `.anka-replication/allow-deletions` of the replica's storage.",
			},
			"exclude": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Files that are neither copied nor deleted: patterns of a name, or of a path below the storage where they have a slash. " +
					"Central logs and everything else outside of layers and templates are never replicated.",
				Validators: []validator.List{validate.NoNulls(), listvalidator.SizeAtLeast(1)},
			},
			"transfers": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: fmt.Sprintf("Files that a follower transfers at a time, 1 to 32. Default `%d`.", replication.DefaultTransfers),
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"seeded": schema.SetAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Hosts of new replicas, or of replicas that get other storage, whose storage was filled beforehand, by a copy of the primary's. Without that it has to be empty, unless the copy has the file `.anka-registry` as well.",
				Validators:          []validator.Set{setvalidator.ValueStringsAre(validate.Name())},
			},
			"credentials_version": schema.Int64Attribute{
				Optional: true, MarkdownDescription: "Raise it to give all containers of the replication new certificates.",
			},
		},
	}
}

// replicates reports whether m asks for a replication that has something to do.
func (m *model) replicates() bool { return !m.Replication.IsNull() && len(m.Hosts()) > 1 }

// replicationSettings converts the attributes. What is not known yet is as if
// it were not given.
func (m *model) replicationSettings(ctx context.Context) (replication.Settings, []string, diag.Diagnostics) {
	var r replicationModel
	log, all := dockerattr.LogOf(ctx, m.Log)
	if !m.Replication.IsNull() && !m.Replication.IsUnknown() {
		all.Append(m.Replication.As(ctx, &r, basetypes.ObjectAsOptions{})...)
	}
	settings := replication.Settings{
		Image: r.Image.ValueString(), Port: int(r.Port.ValueInt64()), BindIP: m.BindIP.ValueString(),
		Interval: int(r.Interval.ValueInt64()), Every: r.Every.ValueString(), Cron: r.Cron.ValueString(),
		BandwidthLimit: r.BandwidthLimit.ValueInt64(), MaxDeletePercent: int(r.MaxDeletePercent.ValueInt64()),
		AllowDeletions: r.AllowDeletions.ValueString(), Transfers: int(r.Transfers.ValueInt64()),
		Restart: m.RestartPolicy.ValueString(), Log: log,
	}
	if !r.CredentialsVersion.IsNull() {
		settings.CredentialsVersion = strconv.FormatInt(r.CredentialsVersion.ValueInt64(), 10)
	}
	for _, each := range r.Exclude.Elements() {
		if text, is := each.(types.String); is && !text.IsUnknown() {
			settings.Exclude = append(settings.Exclude, text.ValueString())
		}
	}
	var seeded []string
	for _, each := range r.Seeded.Elements() {
		if text, is := each.(types.String); is {
			seeded = append(seeded, text.ValueString())
		}
	}
	return settings, seeded, all
}

// checkReplication checks what can be without a host.
func checkReplication(ctx context.Context, m *model) diag.Diagnostics {
	if m.Replication.IsNull() || m.Replication.IsUnknown() {
		return nil
	}
	settings, seeded, all := m.replicationSettings(ctx)
	at := path.Root("replication")
	all.Append(m.checkReach(seeded)...)
	port := settings.Port
	if port == 0 {
		port = replication.DefaultPort
	}
	// What is not known yet is 0.
	if int64(port) == m.Port.ValueInt64() {
		all.AddAttributeError(at.AtName("port"), "Port is the registries' own",
			fmt.Sprintf("The registries are published on port %d of their hosts. Choose another one for the replication, on which the followers reach the primary's host.", port))
	}
	for _, problem := range settings.Problems() {
		where := at
		if problem.Attribute != "" {
			where = at.AtName(problem.Attribute)
		}
		all.AddAttributeError(where, problem.Summary, problem.Detail)
	}
	all.Append(m.checkDirectories()...)
	return all
}

// checkReach refuses an address on which the source is out of the followers'
// reach, and seeded hosts that are none of the replicas, which a misspelt name
// would be.
func (m *model) checkReach(seeded []string) diag.Diagnostics {
	var all diag.Diagnostics
	if m.Replicas.IsUnknown() {
		return all
	}
	hosts := m.Hosts()
	if ip, err := netip.ParseAddr(m.BindIP.ValueString()); err == nil && ip.Unmap().IsLoopback() && len(hosts) > 1 {
		all.AddAttributeError(path.Root("bind_ip"), "Primary out of reach", fmt.Sprintf("The replication is published on bind_ip, too, and the followers on "+
			"the other hosts cannot reach %s of the primary's host. Use an address of the hosts' network, or remove bind_ip or replication.", ip))
	}
	for _, host := range seeded {
		// What is no name has been refused, and what is not known yet is "".
		if container.ValidName(host) && !slices.Contains(hosts, host) {
			all.AddAttributeError(path.Root("replication").AtName("seeded"), "Seeded host is not a replica",
				fmt.Sprintf("There is no replica on host %q. Remove it from seeded, or name one of: %s.", host, strings.Join(hosts, ", ")))
		}
	}
	return all
}

// checkDirectories refuses directories of the storage that replication cannot
// work with, or cannot know.
func (m *model) checkDirectories() diag.Diagnostics {
	var all diag.Diagnostics
	typed := m.groups().Plain(registry.Table)
	env, at := map[string]string{}, map[string]path.Path{}
	for _, variable := range registry.DirectoryVariables {
		setting, _ := registry.Table.Lookup(variable)
		if _, secret := m.EnvWO.Elements()[variable]; secret {
			all.AddAttributeError(path.Root("env_wo"), "Variable in secret environment", fmt.Sprintf(
				"%s is no secret, and says what is replicated, which env_wo is not looked at for. Use %s, or env.", variable, setting.Path()))
		}
		at[variable] = path.Root(setting.Group).AtName(setting.Attribute)
		if value, given := m.Env.Elements()[variable]; given {
			env[variable], at[variable] = service.Unknown, path.Root("env").AtMapKey(variable)
			if text, is := value.(types.String); is && !text.IsUnknown() {
				env[variable] = text.ValueString()
			}
		}
		if value, given := typed[variable]; given {
			env[variable], at[variable] = value, path.Root(setting.Group).AtName(setting.Attribute)
		}
	}
	if variable, err := registry.CheckDirectories(env); err != nil {
		all.AddAttributeError(at[variable], "Directory cannot be replicated", diags.Sentence(err)+".")
	}
	return all
}
