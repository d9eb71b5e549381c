package registry

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/resources/replicas"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
)

// storageAttribute describes where the templates are.
func storageAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "Where the templates are: one of `path`, `volume`, `nfs` and `s3`. Default: a named volume on each host, `anka-<name>-registry-<host>`. " +
			"Changing it moves no data: the registries start with what is at the new place. See the guide on storage of registries.",
		Attributes: map[string]schema.Attribute{
			"path": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Directory of the hosts; on a data disk, one below its mount point. It has to exist, because an empty directory in the place of a disk " +
					"that is not mounted would look like a registry that has lost everything. It is never deleted.",
				Validators: []validator.String{validate.HostPath()},
			},
			"create_path": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "Whether Docker makes `path` when it is not there, each time that a container is made or started. Default `false`.",
			},
			"volume": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Name of the Docker volume on each host. It is made when it is not there.",
				Validators:          []validator.String{validate.VolumeName()},
			},
			"nfs":    nfsAttribute(),
			"s3":     replicas.SettingsAttribute(registry.Table, registry.S3Group),
			"shared": sharedAttribute(),
		},
	}
}

func nfsAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "Export of an NFS server, which each host's Docker mounts through a volume of its local driver, `anka-<name>-registry-<host>-nfs-<fingerprint>`. " +
			"Other options make another volume of the same data. What is on the server is never deleted.",
		Attributes: map[string]schema.Attribute{
			"server": schema.StringAttribute{
				Required: true, MarkdownDescription: "IP address or DNS name of the server, as the hosts reach it.",
			},
			"path": schema.StringAttribute{
				Required: true, MarkdownDescription: "Path that the server exports, such as `/srv/anka`.",
			},
			"options": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Options of the mount, such as `[\"nfsvers=4.1\", \"hard\"]`; see nfs(5). The server's address is added. " +
					"`soft` makes a registry take a slow server for a broken disk: leave it out.",
				Validators: []validator.List{validate.NoNulls(), listvalidator.SizeAtLeast(1)},
			},
		},
	}
}

func sharedAttribute() schema.BoolAttribute {
	return schema.BoolAttribute{
		Optional: true,
		MarkdownDescription: "Whether all replicas have the same data on purpose: `nfs`, or a `path` at which every host has mounted the same network file system. " +
			"There is nothing to replicate then, and `replication` is refused. Default `false`.",
	}
}

// replicaAttributes are those of a single replica.
func replicaAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		ownPath: schema.StringAttribute{
			Optional: true, MarkdownDescription: "Directory on this host, instead of `storage.path`, for hosts whose disks are mounted elsewhere.",
			Validators: []validator.String{validate.HostPath()},
		},
	}
}
