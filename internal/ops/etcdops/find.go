package etcdops

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// Find looks for the cluster of this name on all hosts of the fleet and makes
// its configuration from the labels of its containers. It is an error when it
// is on no host, when members are on hosts that are not in the fleet, or when
// what was found is not one working cluster.
func Find(ctx context.Context, fleet *dockerhost.Fleet, name string) (etcd.Desired, Result, error) {
	s, err := survey.Take(ctx, fleet, fleet.Names())
	if err != nil {
		return etcd.Desired{}, Result{}, err
	}
	var d etcd.Desired
	for _, host := range fleet.Names() {
		for _, found := range s.Containers[host] {
			id, ours := found.Identity()
			if !ours || id.Owner != name || id.Role != container.Etcd || found.Name != id.Name() {
				continue
			}
			one, m, err := etcd.Recall(found)
			if err != nil {
				return d, Result{}, fmt.Errorf("host %s: %w", host, err)
			}
			h, err := fleet.Host(host)
			if err != nil {
				return d, Result{}, err
			}
			m.Host, m.Address = host, h.Address()
			members := append(d.Members, m)
			d = one
			d.Members = members
		}
	}
	if len(d.Members) == 0 {
		return d, Result{Report: Report{Survey: s}}, fmt.Errorf("there is no container of an etcd cluster %q on any of the hosts %s%s",
			name, strings.Join(fleet.Names(), ", "), silence(s))
	}
	return recognize(ctx, &Cluster{Desired: d, Fleet: fleet}, s)
}

// recognize checks what was found against what its members say.
func recognize(ctx context.Context, c *Cluster, s survey.Survey) (etcd.Desired, Result, error) {
	defer c.Close()
	result := Result{Report: Report{Survey: s, Incarnations: c.incarnations(s)}}
	views := c.Views(ctx)
	membership := etcd.Consensus(c.Desired.Members, views)
	if !membership.Known {
		return c.Desired, result, fmt.Errorf("containers of etcd cluster %q were found (%s), but no quorum of them answers%s. Bring them up first",
			c.Desired.Cluster, etcd.Places(c.Desired.Members), silence(s))
	}
	var elsewhere []string
	for _, p := range membership.Peers {
		url := strings.Join(p.PeerURLs, ",")
		if !slices.ContainsFunc(c.Desired.Members, func(m etcd.Member) bool { return m.PeerURL() == url }) {
			elsewhere = append(elsewhere, fmt.Sprintf("%s at %s", p.Name, url))
		}
	}
	if len(elsewhere) > 0 {
		return c.Desired, result, fmt.Errorf("etcd cluster %q has members that are on no host of the provider block: %s%s. Add their hosts first",
			c.Desired.Cluster, strings.Join(elsewhere, ", "), silence(s))
	}
	result.Verdict = etcd.Judge(c.Desired, views)
	result.Quorum, result.Whole = true, result.Verdict.Ailing == ""
	return c.Desired, result, nil
}

func silence(s survey.Survey) string {
	if silent := s.SilentHosts(); len(silent) > 0 {
		return "; there is no answer from " + strings.Join(silent, ", ")
	}
	return ""
}
