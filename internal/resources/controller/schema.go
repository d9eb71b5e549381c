package controller

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/resources/replicas"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/controller"
)

func describe(ctx context.Context) schema.Schema {
	attributes := replicas.Attributes(ctx, replicas.Described{
		Role: container.Controller, Image: controller.DefaultImage, Port: controller.DefaultPort, Table: controller.Table,
	})
	attributes["etcd_endpoints"] = schema.ListAttribute{
		Required: true, ElementType: types.StringType,
		MarkdownDescription: "Client URLs of all etcd members, such as `anka_etcd_cluster.this.endpoints`. Their order does not matter.",
		Validators:          []validator.List{listvalidator.SizeAtLeast(1), validate.NoNulls(), listvalidator.ValueStringsAre(validate.ServiceURL())},
	}
	attributes["registry_urls"] = schema.MapAttribute{
		Optional: true, ElementType: types.StringType,
		MarkdownDescription: "Registry of each host's controller and of the nodes that use it, by host, such as `anka_registry.this.urls`. Every host of `replicas` needs one.",
		Validators: []validator.Map{
			validate.NoNulls(), mapvalidator.ValueStringsAre(validate.ServiceURL()), mapvalidator.ConflictsWith(path.MatchRoot("registry_url")),
		},
	}
	attributes["registry_url"] = schema.StringAttribute{
		Optional:            true,
		MarkdownDescription: "One registry, or the load balancer before several, for all controllers, instead of `registry_urls`.",
		Validators:          []validator.String{validate.ServiceURL(), stringvalidator.ConflictsWith(path.MatchRoot("registry_urls"))},
	}
	attributes["push_registry_url"] = schema.StringAttribute{
		Optional: true,
		MarkdownDescription: "Registry that receives all uploads, such as `anka_registry.this.primary_url`. Set it where there is more than one registry: without it nothing directs uploads to the primary. " +
			"It is one URL: the list that `ANKA_PUSH_REGISTRY` can be is not supported, in `env` neither, because replication copies from the primary only.",
		Validators: []validator.String{validate.ServiceURL()},
	}
	attributes["local_registry_urls"] = schema.MapAttribute{
		Optional: true, ElementType: types.StringType,
		MarkdownDescription: "Registry as each host's controller itself reaches it, by host, where that cannot use the address that nodes use. " +
			"Hosts that are left out use the address of the nodes.",
		Validators: []validator.Map{validate.NoNulls(), mapvalidator.ValueStringsAre(validate.ServiceURL())},
	}
	attributes["skip_compatibility_check"] = replicas.SkipCompatibilityCheck()
	attributes["join_urls"] = schema.ListAttribute{
		Computed: true, ElementType: types.StringType,
		MarkdownDescription: "URLs of all controllers in the order of their hosts, for `sudo ankacluster join`.",
	}
	return schema.Schema{
		MarkdownDescription: "Controllers of the Anka Build Cloud on several Docker hosts.\n\n" +
			"The resource is the controllers of all hosts, not one container of them, because Terraform changes instances of a resource in parallel, " +
			"which would take all controllers down at once. They are created together; an update replaces one after the other, each only when the last answers as ready. " +
			"The old container is kept until then, and put back when its successor does not get ready. " +
			"A plan that changes something tells the steps, in order, as a warning.\n\n" +
			"Controllers keep everything in etcd, so destroying them loses nothing.",
		Attributes: attributes,
	}
}
