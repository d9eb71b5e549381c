// Package etcdcluster is the resource anka_etcd_cluster. It belongs to the
// layer of the framework: it loads, converts, calls ops, and saves.
package etcdcluster

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/etcdops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

var (
	_ resource.ResourceWithConfigure      = (*clusterResource)(nil)
	_ resource.ResourceWithValidateConfig = (*clusterResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*clusterResource)(nil)
	_ resource.ResourceWithImportState    = (*clusterResource)(nil)
)

// Defaults of the operations' timeouts, used where timeouts says nothing.
const (
	createTimeout = 10 * time.Minute
	readTimeout   = time.Minute
	updateTimeout = 10 * time.Minute
	deleteTimeout = 10 * time.Minute
)

// stopGrace is how long a member may take to end by itself.
const stopGrace = 30 * time.Second

type clusterResource struct {
	data *providerdata.Data
}

// New makes the resource for the provider.
func New() resource.Resource { return &clusterResource{} }

// Metadata names the resource.
func (r *clusterResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_etcd_cluster"
}

// Configure takes the hosts over from the provider.
func (r *clusterResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	data, diags := providerdata.From(req.ProviderData)
	resp.Diagnostics.Append(diags...)
	r.data = data
}

// cluster binds what is desired to the hosts.
func (r *clusterResource) cluster(d etcd.Desired) *etcdops.Cluster {
	return &etcdops.Cluster{
		Desired: d,
		Fleet:   r.data.Hosts,
		Log: func(ctx context.Context, step topology.Step) {
			tflog.Info(ctx, "etcd cluster step", map[string]any{"cluster": d.Cluster, "step": step.String(), "cause": step.Cause()})
		},
	}
}
