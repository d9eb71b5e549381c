package etcdcluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/etcdops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/dockerattr"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// ImportState takes a cluster over by its name, from the labels that its
// containers carry on the hosts of the provider block.
func (r *clusterResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	const summary = "Unable to import etcd cluster"
	if !container.ValidName(req.ID) {
		resp.Diagnostics.AddError(summary, fmt.Sprintf("%q is not the name of a cluster. Import by name: terraform import anka_etcd_cluster.this anka", req.ID))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	desired, result, err := etcdops.Find(ctx, r.data.Hosts, req.ID)
	if err != nil {
		resp.Diagnostics.Append(failure(summary, result.Survey, err))
		return
	}
	var m model
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), req.ID)...)
	resp.Diagnostics.Append(resp.State.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(m.recall(ctx, desired)...)
	resp.Diagnostics.Append(m.settle(ctx, desired, result)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// recall fills the model with a configuration that was found.
func (m *model) recall(ctx context.Context, d etcd.Desired) diag.Diagnostics {
	m.Name, m.Image, m.DataPath = types.StringValue(d.Cluster), types.StringValue(d.Image), textOrNull(d.DataPath)
	if _, told := etcd.VersionOfImage(d.Image); !told {
		m.EtcdVersion = textOrNull(d.Version)
	}
	m.BindIP, m.RestartPolicy = textOrNull(d.Settings.BindIP), types.StringValue(d.Settings.Restart)
	m.PurgeDataOnDestroy = types.BoolValue(false)
	m.ClusterID, m.Version = types.StringUnknown(), types.StringUnknown()
	m.Ready, m.DegradedReason = types.BoolUnknown(), types.StringUnknown()
	var all diag.Diagnostics
	if err := m.tune(d.Settings.Tuned); err != nil {
		all.AddError("Unable to import etcd cluster", err.Error())
	}
	log, diagnostics := dockerattr.LogValue(d.Settings.Log)
	all.Append(diagnostics...)
	m.Log = log
	if len(d.Settings.Env) > 0 {
		env, diagnostics := types.MapValueFrom(ctx, types.StringType, d.Settings.Env)
		all.Append(diagnostics...)
		m.Env = env
	}
	if len(d.Settings.ExtraArgs) > 0 {
		args, diagnostics := types.ListValueFrom(ctx, types.StringType, d.Settings.ExtraArgs)
		all.Append(diagnostics...)
		m.ExtraArgs = args
	}
	members := map[string]memberModel{}
	for _, one := range d.Members {
		members[one.Name] = memberModel{
			Host: types.StringValue(one.Host), BindIP: textOrNull(one.BindIP),
			ClientPort: types.Int64Value(int64(one.ClientPort)), PeerPort: types.Int64Value(int64(one.PeerPort)),
			ID: types.StringUnknown(), Data: types.StringUnknown(),
		}
	}
	all.Append(m.setMembers(ctx, members)...)
	return all
}

func textOrNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}

// tune is the reverse of tuned.
func (t *tunables) tune(tuned map[string]string) error {
	var faults []error
	for name, field := range t.fields() {
		text, set := tuned[name]
		if !set {
			continue
		}
		var err error
		switch f := field.(type) {
		case *types.String:
			*f = types.StringValue(text)
		case *types.Int64:
			var n int64
			n, err = strconv.ParseInt(text, 10, 64)
			*f = types.Int64Value(n)
		case *types.Bool:
			var b bool
			b, err = strconv.ParseBool(text)
			*f = types.BoolValue(b)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(faults...)
}
