package registrystatus

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
)

// Read asks the registries and their hosts.
func (d *statusDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	q, diagnostics := m.question(ctx)
	resp.Diagnostics.Append(diagnostics...)
	if resp.Diagnostics.HasError() {
		return
	}
	q.Fleet, q.Credentials = d.Data.Hosts, d.Data.Credentials
	answer, err := statusops.AskReplicas(ctx, q)
	if err != nil {
		resp.Diagnostics.Append(failure(q, err))
		return
	}
	var pending []string
	for host, one := range answer.Replicas {
		if one.Failure == statusops.PendingHost {
			pending = append(pending, host)
		}
	}
	if slices.Sort(pending); len(pending) > 0 {
		// Not an error: this apply makes the hosts, and the next read sees them.
		resp.Diagnostics.AddWarning("Hosts are not known yet", fmt.Sprintf("The provider block does not know %s yet, so registries there were not asked. "+
			"Refresh when the hosts are there.", strings.Join(pending, ", ")))
	}
	m.settle(answer)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// failure tells what is wrong with the configuration.
func failure(q statusops.RegistriesQuestion, err error) diag.Diagnostic {
	if name, missing := diags.MissingHost(err); missing {
		at := path.Root("urls").AtMapKey(name)
		if i := slices.Index(q.Hosts, name); i >= 0 {
			at = path.Root("hosts").AtListIndex(i)
		}
		unknown, _ := diags.UnknownHost(at, err)
		return unknown
	}
	return diag.NewErrorDiagnostic("Unable to ask the registries", diags.Sentence(err))
}
