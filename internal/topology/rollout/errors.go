package rollout

import (
	"fmt"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// UnreachableError says that hosts on which something has to change did not
// answer.
type UnreachableError struct {
	Role  container.Role
	Hosts []string // sorted
	Why   string   // what would have to change there
	// Destroying: it is not a change that is refused but the destruction.
	Destroying bool
}

// Error names the hosts and the way out.
func (e *UnreachableError) Error() string {
	it, is := "it", "it is"
	if len(e.Hosts) > 1 {
		it, is = "them", "they are"
	}
	if e.Destroying {
		return fmt.Sprintf("the %s cannot be destroyed while %s cannot be reached, because what is left there is not known. "+
			"Make %s reachable and destroy again; if %s gone for good, remove the resource from the state with terraform state rm, "+
			"and by hand what the other hosts still have of it", e.Role, Hosts(e.Hosts), it, is)
	}
	return fmt.Sprintf("the %s has to change on %s (%s), which cannot be reached. "+
		"Make %s reachable and apply again", e.Role, Hosts(e.Hosts), e.Why, it)
}

// Hosts names one or several hosts in a sentence: "host h1", "hosts h1, h2".
func Hosts(names []string) string {
	if len(names) == 1 {
		return "host " + names[0]
	}
	return "hosts " + strings.Join(names, ", ")
}

// ForeignError says that a name of ours is taken by a container that is not
// ours.
type ForeignError struct {
	Host, Container string
}

// Error names the container and the way out.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("host %s has a container named %s that this resource did not create; it is left alone. "+
		"Remove or rename it, or choose another name for this resource", e.Host, e.Container)
}

// PortTakenError says that another container publishes the port of a replica.
type PortTakenError struct {
	Role container.Role
	Host string
	Port int
	By   string // the container that has it
}

// Error names host, port and the way out.
func (e *PortTakenError) Error() string {
	return fmt.Sprintf("port %d of host %s, which the %s would be published on, is taken by the container %s. "+
		"Set another port, or stop that container", e.Port, e.Host, e.Role, e.By)
}
