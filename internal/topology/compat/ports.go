package compat

import (
	"fmt"
	"strconv"
)

// Port is a TCP port that a planned component publishes on its host.
type Port struct {
	// Address of the host, "" for all of them.
	Address string
	Number  int
	// Attribute asks for the port, such as monitoring.port; "" for the port of
	// the component itself.
	Attribute string
}

// overlaps reports whether not both can be published on one host. The port 0
// is one that is not known yet.
func (p Port) overlaps(o Port) bool {
	return p.Number == o.Number && p.Number != 0 && (p.Address == o.Address || everywhere(p.Address) || everywhere(o.Address))
}

func everywhere(address string) bool { return address == "" || address == "0.0.0.0" || address == "::" }

// asked names the attribute of a resource.
func (p Port) asked() string {
	if p.Attribute == "" {
		return "port"
	}
	return p.Attribute
}

// Collisions finds ports that mine, the replicas of one resource, would publish
// twice, or where all, which the resources have announced, publish them as
// well. Those of a setting are told once, whatever the hosts.
func Collisions(mine, all []Planned) []Problem {
	var found []Problem
	told := map[string]bool{}
	compare := func(m Planned, p Port, other Planned, ports []Port) {
		for _, o := range ports {
			if p.overlaps(o) && !told[p.Attribute] {
				found = append(found, collision(m, p, other, o))
				told[p.Attribute] = p.Attribute != ""
			}
		}
	}
	for _, m := range mine {
		for i, p := range m.Ports {
			compare(m, p, m, m.Ports[:i])
			for _, other := range all {
				if other.Host == m.Host && (other.Component != m.Component || other.Owner != m.Owner) {
					compare(m, p, other, other.Ports)
				}
			}
		}
	}
	return found
}

func collision(m Planned, p Port, other Planned, o Port) Problem {
	problem := Problem{Attribute: p.Attribute, Summary: "Port is planned twice"}
	if p.Attribute == "" {
		problem.Attribute, problem.Key = "replicas", m.Host
	}
	problem.Detail = fmt.Sprintf("Port %s of host %q is asked for by %s of anka_%s %q and by %s of anka_%s %q, and only one container can publish it, "+
		"once. Choose another port for one of them.",
		strconv.Itoa(p.Number), m.Host, p.asked(), m.resource(), m.Owner, o.asked(), other.resource(), other.Owner)
	return problem
}
