package replicas

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// checkAddresses refuses addresses that make no URL, and two replicas with the
// same one, as far as the resource itself tells.
func checkAddresses(ctx context.Context, m *Model) diag.Diagnostics {
	given := *m
	if given.Port.IsNull() {
		given.Port = types.Int64Value(anyPort) // defaults are not set yet
	}
	instances, all := given.Instances(ctx, nil)
	for _, r := range instances {
		if r.Address == "" {
			continue
		}
		if err := validate.CheckServiceURL(service.URL("http", r.Address, 1)); err != nil {
			all.AddAttributeError(replicaPath(r.Host).AtName("address"), "Invalid address",
				fmt.Sprintf("%q is neither an IP address nor a DNS name.", r.Address))
		}
	}
	all.Append(m.checkDuplicates(instances)...)
	return all
}

// anyPort stands for the default, whichever it is.
const anyPort = -1

// checkPlacement refuses replicas on hosts that the provider block does not
// have, and, with the addresses of the hosts, two replicas with the same one:
// one of them would be reached in the place of the other.
func (m *Model) checkPlacement(ctx context.Context, data *providerdata.Data) diag.Diagnostics {
	all := m.checkHosts(data)
	if all.HasError() {
		return all
	}
	instances, diagnostics := m.Instances(ctx, data)
	all.Append(diagnostics...)
	all.Append(m.checkDuplicates(instances)...)
	return all
}

func (m *Model) checkDuplicates(instances []service.Replica) diag.Diagnostics {
	var all diag.Diagnostics
	taken := map[string]string{}
	for _, r := range instances {
		if r.Address == "" || r.Port == 0 {
			continue // not known yet, or not before the plan
		}
		where := fmt.Sprintf("%s port %d", normal(r.Address), r.Port)
		other, twice := taken[where]
		if !twice {
			taken[where] = r.Host
			continue
		}
		at := replicaPath(r.Host)
		if object, ok := m.Replicas.Elements()[r.Host].(types.Object); ok && object.Attributes()["address"] != nil && !object.Attributes()["address"].IsNull() {
			at = at.AtName("address")
		}
		all.AddAttributeError(at, "Duplicate address", fmt.Sprintf("The replicas on %s and %s have the same address, %s, and the same port. "+
			"Give each its own: address of the hosts in the provider block, or address or port of the replicas.", other, r.Host, r.Address))
	}
	return all
}

// normal is the one spelling of an address.
func normal(address string) string {
	if ip, err := netip.ParseAddr(address); err == nil {
		return ip.String()
	}
	return strings.ToLower(address)
}
