// Package topology is the pure core: it decides, and never acts. Its packages
// take what is desired and what was observed and answer with ordered steps.
// They import nothing but the standard library, and from that neither the
// network, files, the clock nor randomness, so that every decision can be
// tested in microseconds and a plan shown is the plan executed.
package topology

import "strings"

// Step is one change that brings what was observed closer to what is desired.
// Each package of topology has its own step types; internal/ops knows how to
// carry each of them out.
type Step interface {
	// String tells the step in the words that the plan shows, deterministic
	// for equal input: "start etcd-1 on h1, etcd-2 on h2".
	String() string
	// Cause tells why the step is needed: "container is missing".
	Cause() string
}

// Reach says what is known of a host. Unreachable never means absent: no
// decision may take the silence of a host for the loss of what runs on it.
type Reach int

const (
	// Reachable hosts answered, and what they answered is current.
	Reachable Reach = iota
	// Unreachable hosts did not answer; what runs there is unknown.
	Unreachable
	// Unknown hosts are not known yet, because the provider block depends on
	// resources that the same apply creates.
	Unknown
)

// String names the reach as messages do.
func (r Reach) String() string {
	switch r {
	case Reachable:
		return "reachable"
	case Unreachable:
		return "unreachable"
	default:
		return "not known yet"
	}
}

// Hosts names one or several hosts in a sentence: "host h1", "hosts h1, h2".
func Hosts(names []string) string {
	if len(names) == 1 {
		return "host " + names[0]
	}
	return "hosts " + strings.Join(names, ", ")
}
