package etcdcluster

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// formerKey is the place in the private state of members that are no longer
// configured and of which something is left: one on a host that did not answer,
// or one that an interrupted apply did not come to.
const formerKey = "former"

type privateReader interface {
	GetKey(context.Context, string) ([]byte, diag.Diagnostics)
}

type privateWriter interface {
	SetKey(context.Context, string, []byte) diag.Diagnostics
}

// former are the members of before that desired has not, or has on another
// host, and those that private remembers.
func former(ctx context.Context, private privateReader, before, desired []etcd.Member) ([]etcd.Member, diag.Diagnostics) {
	var remembered []etcd.Member
	content, diagnostics := private.GetKey(ctx, formerKey)
	if len(content) > 0 {
		if err := json.Unmarshal(content, &remembered); err != nil {
			diagnostics.AddError("Unable to read the private state", "What it says of former members of the cluster cannot be read: "+err.Error())
			return nil, diagnostics
		}
	}
	gone := slices.DeleteFunc(append(slices.Clone(before), remembered...), func(m etcd.Member) bool {
		return slices.ContainsFunc(desired, func(d etcd.Member) bool { return d.Key() == m.Key() })
	})
	slices.SortStableFunc(gone, func(a, b etcd.Member) int { return cmp.Compare(a.Key(), b.Key()) })
	return slices.CompactFunc(gone, func(a, b etcd.Member) bool { return a.Key() == b.Key() }), diagnostics
}

// remember saves the members of which something is left.
func remember(ctx context.Context, private privateWriter, left []etcd.Member) diag.Diagnostics {
	if len(left) == 0 {
		return private.SetKey(ctx, formerKey, nil)
	}
	content, err := json.Marshal(left)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unable to write the private state", err.Error())}
	}
	return private.SetKey(ctx, formerKey, content)
}
