package etcd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Refusal says why no safe step exists. Member and Attribute point at the
// configuration where it is at fault; either may be empty.
type Refusal struct {
	Member    string
	Attribute string
	Summary   string
	Detail    string
}

// Error gives summary and detail on one line.
func (r *Refusal) Error() string { return r.Summary + ": " + r.Detail }

// Next returns the one safe step from what was observed toward what is
// desired, nil when nothing is left to do, or a [Refusal] that says why no
// safe step exists. It is deterministic and does no I/O.
func Next(d Desired, o Observed) (topology.Step, error) {
	states := look(d, o)
	if err := refuseOthers(d, o, states); err != nil {
		return nil, err
	}
	if d.Born {
		return nextLife(d, o)
	}
	return nextBootstrap(d, o, states)
}

// maxPlan bounds the steps of a plan: a cluster has at most a few steps per
// member.
const maxPlan = 500

// Plan repeats [Next] on a simulated copy of what was observed and returns all
// steps in order. These are the steps that apply takes as long as nothing but
// the apply changes the hosts.
func Plan(d Desired, o Observed) ([]topology.Step, error) {
	return simulate(o, func(o Observed) (topology.Step, error) { return Next(d, o) }, d)
}

func simulate(o Observed, next func(Observed) (topology.Step, error), d Desired) ([]topology.Step, error) {
	var steps []topology.Step
	o = o.clone()
	for range maxPlan {
		step, err := next(o)
		if err != nil || step == nil {
			return steps, err
		}
		steps = append(steps, step)
		o.apply(step, d)
	}
	return steps, fmt.Errorf("the plan of cluster %s has no end: this is a defect of the provider's planner; nothing was changed", d.Cluster)
}

// refuseOthers refuses to work beside containers that are not exactly this
// cluster's.
func refuseOthers(d Desired, o Observed, states []memberState) error {
	for _, s := range states {
		foreign := s.container
		if s.previous.Status == container.Foreign {
			foreign = s.previous
		}
		if foreign.Status == container.Foreign {
			return &Refusal{
				Member:  s.Name,
				Summary: "Container name is taken",
				Detail: fmt.Sprintf("On host %s there is already a container %q that does not belong to member %s of cluster %s (%s). "+
					"It was not touched, and nothing was changed on any host. Remove or rename it, or choose another name for the cluster or member.",
					s.Host, foreign.Name, s.Name, d.Cluster, ownerOf(foreign)),
			}
		}
	}
	found := strangers(d, o)
	if len(found) > 0 && d.Born {
		return &Refusal{
			Attribute: "members", Summary: "Members that are not configured",
			Detail: fmt.Sprintf("There are containers of cluster %s that no member of the configuration accounts for: %s. Nothing was changed. "+
				"They belong to another configuration of this name, or were left by an earlier life of this one. "+
				"If nobody needs them, remove each on its host with docker rm -f, which keeps its data, and apply again.", d.Cluster, strings.Join(found, ", ")),
		}
	}
	if len(found) > 0 {
		return &Refusal{
			Attribute: "members",
			Summary:   "Members that are not configured",
			Detail: fmt.Sprintf("There are containers of cluster %s that no member of the configuration accounts for: %s. "+
				"Nothing was changed. They belong to another configuration of this name, or to a state that was lost: import it with "+
				"terraform import anka_etcd_cluster.NAME %s, or choose another name for a new cluster.", d.Cluster, strings.Join(found, ", "), d.Cluster),
		}
	}
	return nil
}

func ownerOf(c container.Found) string {
	id, ours := c.Identity()
	if !ours {
		return "it carries no labels of this provider"
	}
	return fmt.Sprintf("its labels say owner %q, role %q, instance %q", id.Owner, id.Role, id.Instance)
}

// portConflict finds a running container of somebody else that publishes a
// port that the member needs.
func portConflict(d Desired, o Observed, s memberState) *Refusal {
	for _, found := range o.Containers[s.Host] {
		if found.ID != "" && (found.ID == s.container.ID || found.ID == s.previous.ID) {
			continue
		}
		for _, p := range found.Ports {
			var attribute string
			switch p.HostPort {
			case s.ClientPort:
				attribute = "client_port"
			case s.PeerPort:
				attribute = "peer_port"
			default:
				continue
			}
			return &Refusal{
				Member: s.Name, Attribute: attribute, Summary: "Port is taken",
				Detail: fmt.Sprintf("Port %d on host %s, wanted as %s of member %s, is published by the container %q. "+
					"Nothing was changed. %s", p.HostPort, s.Host, attribute, s.Name, found.Name, wayOut(d, found, attribute)),
			}
		}
	}
	return nil
}

// wayOut is what to do about a container that has a port. One of another etcd
// cluster holds data that somebody needs, for example after a cluster was
// renamed: then the old one is still there.
func wayOut(d Desired, c container.Found, attribute string) string {
	id, ours := c.Identity()
	switch {
	case ours && id.Role == container.Etcd && id.Owner == d.Cluster:
		return fmt.Sprintf("It is member %s of this same cluster. Remove it in an earlier apply, or choose another %s.", id.Instance, attribute)
	case ours && id.Role == container.Etcd:
		return fmt.Sprintf("It is a member of the etcd cluster %s. Choose other ports to run both. If this cluster is to take its place, "+
			"destroy the other first; its data stays, but the new cluster begins empty.", id.Owner)
	}
	return "Choose another port or remove that container."
}

// lacking are the hosts among those of the members that do not have the image
// of what members are made of, which is what is desired or what prevails.
func lacking(o Observed, d, of Desired, members ...memberState) []string {
	var hosts []string
	images := o.Images
	if of.Image != d.Image {
		images = o.OldImages
	}
	for _, s := range members {
		if !images[s.Host] && !slices.Contains(hosts, s.Host) {
			hosts = append(hosts, s.Host)
		}
	}
	slices.Sort(hosts)
	return hosts
}

func members(states []memberState) []Member {
	list := make([]Member, 0, len(states))
	for _, s := range states {
		list = append(list, s.Member)
	}
	return list
}

func filter(states []memberState, keep func(memberState) bool) []memberState {
	var kept []memberState
	for _, s := range states {
		if keep(s) {
			kept = append(kept, s)
		}
	}
	return kept
}

// silentHosts are the members' hosts that are not known to be reachable.
func silentHosts(states []memberState) []string {
	var hosts []string
	for _, s := range states {
		if s.reach != topology.Reachable && !slices.Contains(hosts, s.Host) {
			hosts = append(hosts, s.Host)
		}
	}
	slices.Sort(hosts)
	return hosts
}

// prove is the last step of every change, nil when there is nothing to prove.
func prove(o Observed, states []memberState, why string) topology.Step {
	if o.Proven {
		return nil
	}
	return Prove{Members: members(states), Why: why}
}
