package etcdstatus

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
)

// Read asks the members.
func (d *statusDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	q := m.question()
	q.Fleet = d.Data.Hosts
	q.Timeout, _ = time.ParseDuration(m.Timeout.ValueString()) // validated; 0 when not given
	status, err := statusops.AskEtcd(ctx, q)
	if err != nil {
		resp.Diagnostics.Append(failure(err))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(status.Members)) {
		if status.Members[name].Err == statusops.PendingHost {
			// Not an error: this apply makes the host, and the next read sees it.
			resp.Diagnostics.AddAttributeWarning(path.Root("members").AtMapKey(name).AtName("host"), "Host is not known yet",
				"The provider block does not know this host yet, so its member was not asked. Refresh when the host is there.")
		}
	}
	m.settle(status)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

func failure(err error) diag.Diagnostic {
	var unaskable *statusops.UnaskableError
	if !errors.As(err, &unaskable) {
		return diag.NewErrorDiagnostic("Unable to ask the etcd members", err.Error())
	}
	at := path.Root("members").AtMapKey(unaskable.Member)
	if unknown, is := diags.UnknownHost(at.AtName("host"), err); is {
		return unknown
	}
	return diag.NewAttributeErrorDiagnostic(at.AtName("client_url"), "Unable to ask an etcd member", err.Error())
}
