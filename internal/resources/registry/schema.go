package registry

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/anka-ha/terraform-provider-anka/internal/resources/replicas"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
)

func describe(ctx context.Context) schema.Schema {
	attributes := replicas.Attributes(ctx, replicas.Described{
		Role: container.Registry, Image: registry.DefaultImage, Port: registry.DefaultPort, Table: registry.Table, Replica: replicaAttributes(),
	})
	if memory, is := attributes["memory"].(schema.StringAttribute); is {
		memory.MarkdownDescription += " Leave it so: the page cache of large uploads and downloads counts against the limit, and gets the registry killed."
		attributes["memory"] = memory
	}
	attributes["primary"] = schema.StringAttribute{
		Optional:            true,
		MarkdownDescription: "Host of the registry that receives all pushes; one of `replicas`. Not needed when there is only one.",
		Validators:          []validator.String{validate.Name()},
	}
	attributes["storage"] = storageAttribute()
	attributes["replication"] = replicationAttribute()
	attributes["accept_data_loss"] = acceptDataLossAttribute()
	attributes["purge_data_on_destroy"] = schema.BoolAttribute{
		Optional: true, Computed: true, Default: booldefault.StaticBool(false),
		MarkdownDescription: "Whether destroying the registries also deletes the named volumes that they use at that time, with all templates. " +
			"A `path`, what is on an NFS server and a bucket are never deleted, and neither is a volume that was used before `storage` changed. Default `false`.",
	}
	attributes["primary_url"] = schema.StringAttribute{
		Computed: true, MarkdownDescription: "URL of the registry that receives all pushes.",
	}
	return schema.Schema{
		MarkdownDescription: "Registries of the Anka Build Cloud on several Docker hosts.\n\n" +
			"The resource is the registries of all hosts, not one container of them, because Terraform changes instances of a resource in parallel, " +
			"which would take all registries down at once. They are created together; an update replaces one after the other, each only when the last answers as ready. " +
			"The old container is kept until then, and put back when its successor does not get ready. " +
			"A plan that changes something tells the steps, in order, as a warning.\n\n" +
			"Each registry has its own data, unless `storage` says that they share it. Destroying the resource keeps it, and says where, unless `purge_data_on_destroy` is set.",
		Attributes: attributes,
	}
}
