package etcdstatus

import (
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// model is the data source as configuration and state hold it.
type model struct {
	Members        map[string]member       `tfsdk:"members"`
	Timeout        types.String            `tfsdk:"timeout"`
	ClusterID      types.String            `tfsdk:"cluster_id"`
	Leader         types.String            `tfsdk:"leader"`
	Quorum         types.Int64             `tfsdk:"quorum"`
	Margin         types.Int64             `tfsdk:"margin"`
	Healthy        types.Bool              `tfsdk:"healthy"`
	DegradedReason types.String            `tfsdk:"degraded_reason"`
	Alarms         []alarm                 `tfsdk:"alarms"`
	MemberStatus   map[string]memberStatus `tfsdk:"member_status"`
}

type member struct {
	ClientURL types.String `tfsdk:"client_url"`
	Host      types.String `tfsdk:"host"`
}

type alarm struct {
	Member types.String `tfsdk:"member"`
	Kind   types.String `tfsdk:"kind"`
}

type memberStatus struct {
	ID          types.String `tfsdk:"id"`
	Version     types.String `tfsdk:"version"`
	DBSize      types.Int64  `tfsdk:"db_size"`
	DBSizeInUse types.Int64  `tfsdk:"db_size_in_use"`
	Quota       types.Int64  `tfsdk:"quota"`
	RaftIndex   types.Int64  `tfsdk:"raft_index"`
	RaftApplied types.Int64  `tfsdk:"raft_applied"`
	RaftLag     types.Int64  `tfsdk:"raft_lag"`
	Learner     types.Bool   `tfsdk:"learner"`
	Leader      types.Bool   `tfsdk:"leader"`
	Healthy     types.Bool   `tfsdk:"healthy"`
	Error       types.String `tfsdk:"error"`
}

// question is what the configuration asks.
func (m *model) question() statusops.EtcdQuestion {
	q := statusops.EtcdQuestion{Members: map[string]statusops.EtcdMember{}}
	for name, one := range m.Members {
		q.Members[name] = statusops.EtcdMember{Host: one.Host.ValueString(), URL: one.ClientURL.ValueString()}
	}
	return q
}

// settle fills in what was found out. Texts are empty and never null, because
// Terraform evaluates the error_message of a check even while its condition
// holds, and null in one is an error.
func (m *model) settle(s etcd.Status) {
	m.ClusterID, m.Leader = hex(s.ClusterID), types.StringValue(name(s, s.Leader))
	m.Quorum, m.Margin = types.Int64Value(int64(s.Quorum)), types.Int64Value(int64(s.Margin))
	m.Healthy, m.DegradedReason = types.BoolValue(s.Healthy()), types.StringValue(s.Degraded)
	m.Alarms = []alarm{}
	for _, a := range s.Alarms {
		m.Alarms = append(m.Alarms, alarm{Member: types.StringValue(name(s, a.MemberID)), Kind: types.StringValue(a.Kind)})
	}
	m.MemberStatus = map[string]memberStatus{}
	for name, one := range s.Members {
		m.MemberStatus[name] = memberStatus{
			ID: hex(one.MemberID), Version: types.StringValue(one.Version),
			DBSize: types.Int64Value(one.Size), DBSizeInUse: types.Int64Value(one.InUse), Quota: types.Int64Value(one.Quota),
			RaftIndex: count(one.Index), RaftApplied: count(one.Applied), RaftLag: count(one.Lag),
			Learner: types.BoolValue(one.Learner), Leader: types.BoolValue(one.Leads),
			Healthy: types.BoolValue(one.Trouble == ""), Error: types.StringValue(one.Trouble),
		}
	}
}

// name is the name of a member, its ID when the name is not known, "" for none.
func name(s etcd.Status, id uint64) string {
	if known, is := s.Names[id]; is {
		return known
	}
	return hex(id).ValueString()
}

// hex is an ID as etcd's own tools print it, "" for none.
func hex(id uint64) types.String {
	if id == 0 {
		return types.StringValue("")
	}
	return types.StringValue(etcd.HexID(id))
}

func count(n uint64) types.Int64 { return types.Int64Value(int64(n)) }
