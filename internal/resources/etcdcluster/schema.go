package etcdcluster

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/dockerattr"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// DefaultImage is the newest patch of the minor version that the vendor of the
// Build Cloud pins.
const DefaultImage = "quay.io/coreos/etcd:v3.5.35"

// Schema describes the resource.
func (r *clusterResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "An etcd cluster over several Docker hosts: the store of the Anka Build Cloud's controllers.\n\n" +
			"The resource is the whole cluster, not one container of it, because Terraform changes instances of a resource in parallel, " +
			"which would take all members down at once. All images are pulled before any container is made, all containers are made before any is started, " +
			"all are started together, and the resource is created once they are provably one cluster that accepts writes. " +
			"A plan that changes something tells the steps, in order, as a warning.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				Computed: true, MarkdownDescription: "The name of the cluster.",
				PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"name": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Name of the cluster, part of the names of its containers and volumes. Changing it replaces the cluster by a new, empty one, and on the same hosts only after the old one was destroyed: the plan refuses ports that are taken.",
				Validators:          []validator.String{validate.Name()},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"image": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(DefaultImage),
				MarkdownDescription: "Image of etcd. Default `" + DefaultImage + "`. Changing it rolls the members one at a time, one minor version of etcd at a time; the plan names the hops. An image that a host already has is not pulled, so a local name works too.",
				Validators:          []validator.String{validate.Image()},
			},
			"etcd_version": versionAttribute(),
			"members": schema.MapNestedAttribute{
				Required: true,
				MarkdownDescription: "The members of the cluster. The key is the member's name in etcd. Use an odd number, each on a host of its own: " +
					"three survive the loss of one host, five of two. Members are added, removed and moved to other hosts in place, one at a time; a removed member's data stays on its host.",
				Validators: validate.Names(),
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"host": schema.StringAttribute{
						// Not Required: the framework would miss it in a member that
						// is not known yet.
						Optional: true, MarkdownDescription: "Key of the host in the provider's `hosts`. Needed.",
						Validators: []validator.String{validate.Name()},
					},
					"client_port": schema.Int64Attribute{
						Optional: true, Computed: true, Default: int64default.StaticInt64(etcd.ClientPort),
						MarkdownDescription: "Port on the host for clients. Default `2379`.", Validators: []validator.Int64{validate.Port()},
					},
					"peer_port": schema.Int64Attribute{
						Optional: true, Computed: true, Default: int64default.StaticInt64(etcd.PeerPort),
						MarkdownDescription: "Port on the host for the other members. Default `2380`. Cannot be changed on a running member.", Validators: []validator.Int64{validate.Port()},
					},
					"bind_ip": schema.StringAttribute{
						Optional: true, MarkdownDescription: "Address of the host to publish both ports on, instead of the cluster's `bind_ip`.",
						Validators: []validator.String{validate.IP()},
					},
					"id":         schema.StringAttribute{Computed: true, MarkdownDescription: "ID of the member in etcd, in hexadecimal."},
					"client_url": schema.StringAttribute{Computed: true, MarkdownDescription: "URL for clients."},
					"peer_url":   schema.StringAttribute{Computed: true, MarkdownDescription: "URL for the other members."},
					"data":       schema.StringAttribute{Computed: true, MarkdownDescription: "Where the member's data lies: a volume or, with `data_path`, a directory of its host."},
				}},
			},
			"data_path": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Path on the hosts under which every member gets a directory of its own, `<data_path>/<cluster>/<member>-<suffix>`, with a new suffix when it starts on fresh data. " +
					"Without it members use named volumes. Put it on a fast local disk: etcd is sensitive to the latency of writes. Cannot be changed on a running cluster.",
				Validators: []validator.String{validate.HostPath()},
			},
			"bind_ip": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Address of the hosts to publish ports on. Default: all addresses. etcd is served without authentication, so keep these ports off public networks.",
				Validators:          []validator.String{validate.IP()},
			},
			"env":            dockerattr.Env("Further environment of the members, for what has neither an attribute nor an argument, such as `GOMEMLIMIT`. It is kept in state."),
			"extra_args":     extraArgs(),
			"restart_policy": dockerattr.RestartPolicy(""),
			"log":            dockerattr.Log(""),
			"purge_data_on_destroy": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false),
				MarkdownDescription: "Whether destroying the cluster also deletes its named volumes, with all data. Directories under `data_path` are never deleted. Default `false`.",
			},
			"snapshot_before_change": snapshotAttribute(),
			"timeouts":               operationTimeouts(ctx),
			"endpoints": schema.ListAttribute{
				Computed: true, ElementType: types.StringType, MarkdownDescription: "Client URLs of all members, in the order of their names.",
			},
			"cluster_id": schema.StringAttribute{Computed: true, MarkdownDescription: "ID of the cluster, in hexadecimal."},
			"version":    schema.StringAttribute{Computed: true, MarkdownDescription: "Version of etcd that runs, the lowest of all members."},
			"degraded_reason": schema.StringAttribute{
				Computed: true, MarkdownDescription: "What keeps the cluster from being ready, null when it is.",
			},
			"ready": schema.BoolAttribute{
				Computed: true,
				MarkdownDescription: "Whether all members are one cluster that accepts writes. While it is `false` the next plan proposes the steps that finish the work. " +
					"An alarm of etcd (`NOSPACE`, `CORRUPT`) keeps it `false` until a person has cleared it.",
			},
		},
	}
	tunableAttributes(resp.Schema.Attributes)
}

// operationTimeouts are described with their defaults, which Terraform itself
// does not show anywhere.
func operationTimeouts(ctx context.Context) schema.Attribute {
	within := func(act string, limit time.Duration) string {
		return fmt.Sprintf("%s may take this long, such as `90s` or `1h30m`. Default `%dm`.", act, int(limit.Minutes()))
	}
	return timeouts.Attributes(ctx, timeouts.Opts{
		Create: true, Read: true, Update: true, Delete: true,
		CreateDescription: within("Pulling the image and making the cluster", createTimeout),
		ReadDescription:   within("Looking at all hosts and members", readTimeout),
		UpdateDescription: within("All steps of one plan together", updateTimeout) + " Raise it where members have databases of gigabytes to fetch.",
		DeleteDescription: within("Removing all members", deleteTimeout),
	})
}

func extraArgs() schema.ListAttribute {
	return schema.ListAttribute{
		Optional: true, ElementType: types.StringType,
		MarkdownDescription: "Further arguments of etcd, such as `--max-txn-ops=256`. Those that the provider sets itself, that have an attribute, or that the version of etcd does not know are refused.",
		Validators:          []validator.List{listvalidator.NoNullValues()},
	}
}
