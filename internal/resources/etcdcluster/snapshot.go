package etcdcluster

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/etcdops"
)

// snapshotAttribute is snapshot_before_change.
func snapshotAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "Saves a snapshot of the database on the machine that runs Terraform before an apply changes members, version or settings of the cluster. " +
			"The snapshot is verified by its checksum; when it cannot be saved, nothing is changed. " +
			"Restoring one, when a quorum is lost for good, is for a person: [disaster recovery](https://etcd.io/docs/v3.6/op-guide/recovery/).",
		Attributes: map[string]schema.Attribute{
			"directory": schema.StringAttribute{
				Required: true, MarkdownDescription: "Directory for the snapshots. It is made when it is missing.",
				Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"retention": schema.Int64Attribute{
				Optional: true, MarkdownDescription: "How many snapshots of this cluster are kept in the directory; older ones are deleted. Default: all are kept.",
				Validators: []validator.Int64{int64validator.AtLeast(1)},
			},
		},
	}
}

// snapshots hands snapshot_before_change to the operation.
func (m model) snapshots(ctx context.Context, cluster *etcdops.Cluster) diag.Diagnostics {
	if m.SnapshotBeforeChange.IsNull() || m.SnapshotBeforeChange.IsUnknown() {
		return nil
	}
	var snapshot struct {
		Directory types.String `tfsdk:"directory"`
		Retention types.Int64  `tfsdk:"retention"`
	}
	diagnostics := m.SnapshotBeforeChange.As(ctx, &snapshot, basetypes.ObjectAsOptions{})
	cluster.SnapshotDir = snapshot.Directory.ValueString()
	cluster.SnapshotKeep = int(snapshot.Retention.ValueInt64())
	return diagnostics
}
