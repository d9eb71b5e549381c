// Package etcdstatus is the data source anka_etcd_status. It belongs to the
// layer of the framework: it loads, asks, and saves.
package etcdstatus

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/computed"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
)

var _ datasource.DataSourceWithConfigure = (*statusDataSource)(nil)

type statusDataSource struct {
	providerdata.DataSource
}

// New makes the data source for the provider.
func New() datasource.DataSource {
	return &statusDataSource{providerdata.DataSource{Name: "etcd_status"}}
}

// Schema describes the data source.
func (d *statusDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "What the members of an etcd cluster say of themselves and of each other, and what that amounts to.\n\n" +
			"Nothing is written. A member that does not answer is data and no error, so that this fits `check` blocks: " +
			"only a host or URL that cannot be right is an error.",
		Attributes: map[string]schema.Attribute{
			"members": schema.MapNestedAttribute{
				Required: true,
				MarkdownDescription: "The members to ask, by their name in etcd. `anka_etcd_cluster.<name>.members` fits: attributes other than these two are ignored. " +
					"Name all of them, because one that is not asked counts as one that does not work.",
				Validators: append(validate.Names(), mapvalidator.SizeAtLeast(1)),
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"client_url": schema.StringAttribute{
						Required: true, MarkdownDescription: "URL for clients, such as `http://10.0.1.4:2379`.",
						Validators: []validator.String{validate.ServiceURL()},
					},
					"host": schema.StringAttribute{
						Optional: true,
						MarkdownDescription: "Key of a host in the provider's `hosts`, to reach the URL the way that host's services are reached, " +
							"such as through its ssh connection. Without it the URL is reached from where Terraform runs.",
						Validators: []validator.String{validate.Name()},
					},
				}},
			},
			"timeout": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: fmt.Sprintf("How long to wait for each member; all are asked at the same time. Default `%s`.", statusops.DefaultTimeout),
				Validators:          []validator.String{validate.Duration()},
			},
			"cluster_id": computed.Text("ID of the cluster in hexadecimal, empty when no member answered. Of members of different clusters, that of most."),
			"leader":     computed.Text("Name of the member that leads, empty when none does."),
			"quorum":     computed.Number("How many voting members have to work: more than half of them."),
			"margin": computed.Number("How many more members may be lost before the cluster stops: `1` for a healthy cluster of three, `2` for one of five. " +
				"Below zero it has stopped, and so many are missing."),
			"healthy": schema.BoolAttribute{
				Computed: true,
				MarkdownDescription: "Whether all members answer, vote, follow one leader, and answer a read that needs a quorum; " +
					"whether they are exactly the members of one cluster; and whether there is no alarm.",
			},
			"degraded_reason": computed.Text("What is wrong, empty when the cluster is healthy."),
			"alarms": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "Alarms that stop the cluster until a person has dealt with them.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"member": computed.Text("Name of the member that raised it, or its ID in hexadecimal when no such member is known."),
					"kind":   computed.Text("`NOSPACE`: the quota is reached and writes fail. `CORRUPT`: the member's data differs from the others'."),
				}},
			},
			"member_status": schema.MapNestedAttribute{
				Computed:            true,
				MarkdownDescription: "What each of `members` says, by the same names. All but `healthy` and `error` is zero or empty when it does not answer.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"id":             computed.Text("ID of the member, in hexadecimal."),
					"version":        computed.Text("Version of etcd, such as `3.5.35`."),
					"db_size":        computed.Number("Size of the database file, in bytes. The quota is about this."),
					"db_size_in_use": computed.Number("Bytes of it in use. Defragmentation would give back the rest."),
					"quota":          computed.Number("Size in bytes at which the database takes no more writes, `0` when the member does not tell, as before etcd 3.6."),
					"raft_index":     computed.Number("Newest entry of the raft log that the member knows to be committed."),
					"raft_applied":   computed.Number("Newest entry that it has applied."),
					"raft_lag":       computed.Number("Entries that other members have and this one has not applied. Some are normal while there are writes."),
					"learner":        computed.Flag("Whether it is a learner, which has no vote."),
					"leader":         computed.Flag("Whether it leads."),
					"healthy":        computed.Flag("Whether it answers, belongs to the cluster, follows its leader, and serves, without an alarm of its own."),
					"error":          computed.Text("Why it is not healthy, empty when it is."),
				}},
			},
		},
	}
}
