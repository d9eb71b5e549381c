package registrystatus

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
)

// defaultName is the one that anka_registry has by default.
const defaultName = "anka"

// model is the data source as configuration and state hold it.
type model struct {
	Name         types.String       `tfsdk:"name"`
	Hosts        types.List         `tfsdk:"hosts"`
	URLs         types.Map          `tfsdk:"urls"`
	Timeout      types.String       `tfsdk:"timeout"`
	Primary      types.String       `tfsdk:"primary"`
	Replicated   types.Bool         `tfsdk:"replicated"`
	AllInSync    types.Bool         `tfsdk:"all_in_sync"`
	AllReachable types.Bool         `tfsdk:"all_reachable"`
	Replicas     map[string]replica `tfsdk:"replicas"`
}

type replica struct {
	URL         types.String `tfsdk:"url"`
	Reachable   types.Bool   `tfsdk:"reachable"`
	Error       types.String `tfsdk:"error"`
	Status      types.String `tfsdk:"status"`
	Version     types.String `tfsdk:"version"`
	Primary     types.Bool   `tfsdk:"primary"`
	Templates   types.Int64  `tfsdk:"templates"`
	Tags        types.Int64  `tfsdk:"tags"`
	BytesTotal  types.Int64  `tfsdk:"bytes_total"`
	BytesFree   types.Int64  `tfsdk:"bytes_free"`
	BytesUsed   types.Int64  `tfsdk:"bytes_used"`
	Replication replication  `tfsdk:"replication"`
}

type replication struct {
	InSync          types.Bool   `tfsdk:"in_sync"`
	LagSeconds      types.Int64  `tfsdk:"lag_seconds"`
	LagBytes        types.Int64  `tfsdk:"lag_bytes"`
	LastSuccess     types.String `tfsdk:"last_success"`
	LastAttempt     types.String `tfsdk:"last_attempt"`
	LastError       types.String `tfsdk:"last_error"`
	Ahead           []string     `tfsdk:"ahead"`
	AheadCount      types.Int64  `tfsdk:"ahead_count"`
	BlockedDeletion types.String `tfsdk:"blocked_deletion"`
}

// question is what the configuration asks.
func (m *model) question(ctx context.Context) (statusops.RegistriesQuestion, diag.Diagnostics) {
	if m.Name.IsNull() {
		m.Name = types.StringValue(defaultName)
	}
	q := statusops.RegistriesQuestion{Name: m.Name.ValueString()}
	q.Timeout, _ = time.ParseDuration(m.Timeout.ValueString()) // validated; 0 when not given
	all := m.Hosts.ElementsAs(ctx, &q.Hosts, false)
	all.Append(m.URLs.ElementsAs(ctx, &q.URLs, false)...)
	return q, all
}

// settle fills in what was found out. Texts are empty and never null, because
// Terraform evaluates the error_message of a check even while its condition
// holds, and null in one is an error.
func (m *model) settle(a statusops.RegistriesAnswer) {
	m.Primary, m.Replicated = types.StringValue(a.Replication.Primary), types.BoolValue(a.Replication.Replicated)
	m.Replicas = map[string]replica{}
	inSync, reachable := len(a.Replicas) > 0, len(a.Replicas) > 0
	for host, one := range a.Replicas {
		status := a.Replication.Replicas[host]
		inSync, reachable = inSync && status.InSync, reachable && one.Reachable
		m.Replicas[host] = replica{
			URL: types.StringValue(one.URL), Reachable: types.BoolValue(one.Reachable), Error: types.StringValue(one.Failure),
			Status: types.StringValue(one.Status), Version: types.StringValue(one.Version),
			Primary:   types.BoolValue(host == a.Replication.Primary),
			Templates: types.Int64Value(one.Templates), Tags: types.Int64Value(one.Tags),
			BytesTotal: types.Int64Value(one.Total), BytesFree: types.Int64Value(one.Free), BytesUsed: types.Int64Value(one.Used),
			Replication: replicationOf(status),
		}
	}
	m.AllInSync, m.AllReachable = types.BoolValue(inSync), types.BoolValue(reachable)
}

func replicationOf(s registry.ReplicationStatus) replication {
	return replication{
		InSync: types.BoolValue(s.InSync), LagSeconds: types.Int64Value(s.LagSeconds), LagBytes: types.Int64Value(s.LagBytes),
		LastSuccess: types.StringValue(s.LastSuccess), LastAttempt: types.StringValue(s.LastAttempt), LastError: types.StringValue(s.Reason),
		Ahead: append([]string{}, s.Ahead...), AheadCount: types.Int64Value(s.AheadCount), BlockedDeletion: types.StringValue(s.BlockedDeletion),
	}
}
