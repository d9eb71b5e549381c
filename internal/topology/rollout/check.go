package rollout

import (
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// check refuses what no step could make right, before anything is touched.
func check(d Desired, o Observed) error {
	if err := checkReach(d, o); err != nil {
		return err
	}
	if err := checkPaths(d, o); err != nil {
		return err
	}
	for _, r := range d.sorted() {
		host := o.Hosts[r.Host]
		if host.Reach != topology.Reachable {
			continue
		}
		id := d.Identity(r.Host)
		for _, found := range []container.Found{host.Container, host.Previous, host.Incomplete} {
			if !absent(found) && !ours(found, id) {
				return &ForeignError{Host: r.Host, Container: found.Name}
			}
		}
		if err := checkVolumes(d, r, host); err != nil {
			return err
		}
		if d.Partial && alive(host.Container) {
			continue
		}
		if err := checkPorts(d.Role, r, host); err != nil {
			return err
		}
	}
	return nil
}

func checkReach(d Desired, o Observed) error {
	changed := &UnreachableError{Role: d.Role, Why: "its configuration changed"}
	missing := &UnreachableError{Role: d.Role, Why: "it does not run there yet"}
	removed := &UnreachableError{Role: d.Role, Why: "it is no longer among the replicas"}
	for _, r := range d.sorted() {
		if o.Hosts[r.Host].Reach == topology.Reachable {
			continue
		}
		hash, known := o.Recorded[r.Host]
		switch {
		case !known:
			missing.Hosts = append(missing.Hosts, r.Host)
		case d.Partial:
		case hash == "" && changing(d, o), hash != "" && hash != r.Spec.Labels[container.LabelHash]:
			changed.Hosts = append(changed.Hosts, r.Host)
		}
	}
	for _, host := range d.surplus(o) {
		if o.Hosts[host].Reach != topology.Reachable {
			removed.Hosts = append(removed.Hosts, host)
		}
	}
	for _, err := range []*UnreachableError{missing, changed, removed} {
		if len(err.Hosts) > 0 {
			return err
		}
	}
	return nil
}

// changing reports whether a replica that can be seen is made of another
// configuration. Then so may be one that cannot, where nothing is recorded.
func changing(d Desired, o Observed) bool {
	return slices.ContainsFunc(d.Replicas, func(r Replica) bool {
		h, id := o.Hosts[r.Host], d.Identity(r.Host)
		return slices.ContainsFunc([]container.Found{h.Container, h.Previous}, func(found container.Found) bool {
			return ours(found, id) && found.Hash() != r.Spec.Labels[container.LabelHash]
		})
	})
}

// checkPorts looks at ports only where a container is about to be started: one
// that runs has its ports already.
func checkPorts(role container.Role, r Replica, host Host) error {
	current := host.Container
	if alive(current) && current.Hash() == r.Spec.Labels[container.LabelHash] {
		return nil
	}
	for _, want := range r.Spec.Ports {
		at := slices.IndexFunc(host.Taken, func(t TakenPort) bool {
			return t.HostPort == want.HostPort && overlap(t.HostIP, want.HostIP)
		})
		if at >= 0 {
			return &PortTakenError{Role: role, Host: r.Host, Port: want.HostPort, By: host.Taken[at].By, Attribute: r.PortAttributes[want.HostPort]}
		}
	}
	return nil
}

// overlap reports whether two published addresses cannot have the same port.
func overlap(a, b string) bool { return a == b || everywhere(a) || everywhere(b) }

func everywhere(ip string) bool { return ip == "" || ip == "0.0.0.0" || ip == "::" }
