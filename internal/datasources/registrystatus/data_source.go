// Package registrystatus is the data source anka_registry_status. It belongs to
// the layer of the framework: it loads, asks, and saves.
package registrystatus

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/computed"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/controllerattr"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
)

var _ datasource.DataSourceWithConfigure = (*statusDataSource)(nil)

type statusDataSource struct {
	providerdata.DataSource
}

// New makes the data source for the provider.
func New() datasource.DataSource {
	return &statusDataSource{providerdata.DataSource{Name: "registry_status"}}
}

// Schema describes the data source.
func (d *statusDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "What the registries of an `anka_registry` hold, how much room they have, and whether replication keeps up.\n\n" +
			"Nothing is written. A host or registry that does not answer is data and no error, so that this fits `check` blocks: " +
			"only a host that the provider block does not have is an error. Texts are empty, and never null, where nothing is known.\n\n" +
			controllerattr.Credentials,
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: fmt.Sprintf("Name of the `anka_registry`. Default `%s`.", defaultName),
				Validators:          []validator.String{validate.Name()},
			},
			"hosts": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Hosts of the replicas, keys of the provider's `hosts`. Default: all hosts with a container of the registry. A host that does not " +
					"answer counts as one when the containers' labels say so, or nothing says anything. " +
					"Name them to have a replica that is gone in the result.",
				Validators: []validator.List{
					listvalidator.SizeAtLeast(1), listvalidator.UniqueValues(), validate.NoNulls(), listvalidator.ValueStringsAre(validate.Name()),
					listvalidator.ConflictsWith(path.MatchRoot("urls")),
				},
			},
			"urls": schema.MapAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "URLs of the registries by host, in place of `hosts`. `anka_registry.<name>.urls` fits, and has this read when the registries " +
					"are there. Each is reached the way the host's services are, such as through its ssh connection. Default: what the containers publish.",
				Validators: append(validate.Names(), validate.NoNulls(), mapvalidator.ValueStringsAre(validate.ServiceURL())),
			},
			"timeout": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: fmt.Sprintf("How long to wait for each answer of a registry; all are asked at the same time. Default `%s`.", statusops.DefaultTimeout),
				Validators:          []validator.String{validate.Duration()},
			},
			"primary": computed.Text("Host of the primary, empty when that cannot be told. " +
				"Without replication it is the one that was configured when the newest registry was made; a change of `primary` makes none anew."),
			"replicated": computed.Flag("Whether there is replication at all: at least one host has a container of it. It is not so with one replica, shared storage or an object store."),
			"all_in_sync": computed.Flag("Whether `replication.in_sync` is so for all replicas, and there is one at all. " +
				"Where nothing replicates, that is not known, and this is `false` for more than one replica."),
			"all_reachable": computed.Flag("Whether all registries answer, and there is one at all."),
			"replicas": schema.MapNestedAttribute{
				Computed: true, MarkdownDescription: "What was found out of each replica, by host. Numbers are `-1` where they are not known.",
				NestedObject: schema.NestedAttributeObject{Attributes: replicaAttributes()},
			},
		},
	}
}

func replicaAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"url":         computed.Text("URL that was asked."),
		"reachable":   computed.Flag("Whether the registry answered at all."),
		"error":       computed.Text("What is missing of the following, and why; empty when nothing is."),
		"status":      computed.Text("Status of the registry: `Running` when all is well."),
		"version":     computed.Text("Version, such as `1.50.1-5e3c3f5b`."),
		"primary":     computed.Flag("Whether this is the primary."),
		"templates":   computed.Number("Templates that it lists. Registries renew their list every 30 s (`ANKA_VM_LIST_CACHE_TTL`), so a replica tells of what came by replication that much later."),
		"tags":        computed.Number("Tags of all these templates. It takes one request for each template."),
		"bytes_total": computed.Number("Size of the file system of its layers."),
		"bytes_free":  computed.Number("Bytes of it that are free."),
		"bytes_used":  computed.Number("Bytes of it that are used, by whatever."),
		"replication": schema.SingleNestedAttribute{
			Computed: true, MarkdownDescription: "What its replication container says of itself, and what that is worth.",
			Attributes: map[string]schema.Attribute{
				"in_sync": computed.Flag("Whether the replica holds all that the primary does, as far as can be told. It is `false` while something is transferred, " +
					"between a push and the next pass, and for a replica whose replication has left out three passes: it hangs, whatever it said last. " +
					"Of the primary: whether it offers its data. Of registries that have the same data, on NFS, in an object store or `shared`, always `true`."),
				"lag_seconds": computed.Number("How long ago it last held all that the primary did: `0` in sync, `-1` when it never did or that is not known. " +
					"What matters is a lag beyond the time between two passes and a transfer."),
				"lag_bytes":    computed.Number("Bytes of layers that were missing at the last pass."),
				"last_success": computed.Text("When it last held all that the primary did, in RFC 3339, by the clock of its host."),
				"last_attempt": computed.Text("When it last compared itself with the primary, likewise."),
				"last_error":   computed.Text("Why it is not in sync, empty when it is."),
				"ahead": schema.ListAttribute{
					Computed: true, ElementType: types.StringType,
					MarkdownDescription: "Files, at most 50, that the primary never had or has otherwise, such as pushes to the wrong registry. " +
						"They are left alone. Push what is in them again, or remove them by hand.",
				},
				"ahead_count": computed.Number("How many of them there are."),
				"blocked_deletion": computed.Text("ID of a deletion that is over `max_delete_percent` and was therefore not carried out, empty when there is none. " +
					"Given as `allow_deletions` of the registry's `replication` it is."),
			},
		},
	}
}
