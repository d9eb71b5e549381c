package rollout

import (
	"fmt"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// UnreachableError says that hosts did not answer without which something
// cannot change.
type UnreachableError struct {
	Role  container.Role
	Hosts []string // sorted
	Why   string   // what would have to change there
	// Spared: nothing has to change on Hosts, but on this one, whose service
	// would be taken down while those of Hosts may not serve; "" otherwise.
	Spared string
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
			"and by hand what the other hosts still have of it", e.Role, topology.Hosts(e.Hosts), it, is)
	}
	if e.Spared != "" {
		return fmt.Sprintf("the %s on host %s has to be replaced, and %s cannot be reached: nothing has to change there, but whether it serves "+
			"is not known, so none that serves is taken down. Make %s reachable and apply again; if %s gone for good, point the same key of the "+
			"provider's hosts to a machine that takes its place, and it is made there", e.Role, e.Spared, topology.Hosts(e.Hosts), it, is)
	}
	return fmt.Sprintf("the %s has to change on %s (%s), which cannot be reached. "+
		"Make %s reachable and apply again; if %s gone for good, point the same key of the provider's hosts to a machine that takes its place",
		e.Role, topology.Hosts(e.Hosts), e.Why, it, is)
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
	// Attribute asks for the port, such as monitoring.port; "" for the port of
	// the service itself.
	Attribute string
}

// Error names host, port and the way out.
func (e *PortTakenError) Error() string {
	if e.Attribute != "" {
		return fmt.Sprintf("port %d of host %s, which the %s would be given by %s, is taken by the container %s. "+
			"Set another %s, or stop that container", e.Port, e.Host, e.Role, e.Attribute, e.By, e.Attribute)
	}
	return fmt.Sprintf("port %d of host %s, which the %s would be published on, is taken by the container %s. "+
		"Set another port, or stop that container", e.Port, e.Host, e.Role, e.By)
}
