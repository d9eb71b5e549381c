package rollout

import (
	"fmt"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Target says where a step acts and why. Every step has one.
type Target struct {
	// Role is the kind of service.
	Role container.Role
	// Hosts are sorted. Steps that take a serving container down have one.
	Hosts []string
	// Why is the cause as the plan shows it.
	Why string
}

// Cause tells why the step is needed.
func (t Target) Cause() string { return t.Why }

// On returns the hosts on which the step acts.
func (t Target) On() []string { return t.Hosts }

func (t Target) where() string { return "on " + strings.Join(t.Hosts, ", ") }

// Pull brings an image to hosts that do not have it. It comes before every
// step that changes a container, so that a missing image costs nothing.
type Pull struct {
	Target
	Image string
}

// Discard removes a container that serves nobody: never started, paused, dead,
// or the unproven successor of one that is kept.
type Discard struct{ Target }

// Clean removes a container that an interrupted apply has not finished making.
type Clean struct{ Target }

// Create creates containers, without starting them.
type Create struct{ Target }

// Start starts containers.
type Start struct{ Target }

// Wait waits until services answer as ready.
type Wait struct{ Target }

// Replace puts a new container in the place of the old one, which is stopped,
// renamed and kept. It is safe to carry out again after any interruption.
type Replace struct{ Target }

// Drop removes the container that was kept, its successor being ready.
type Drop struct{ Target }

// Restore puts the kept container back in its place and starts it.
type Restore struct{ Target }

// Remove stops and removes the replica of a host that is no longer asked for.
type Remove struct{ Target }

// Purge deletes named volumes and the data in them.
type Purge struct {
	Target
	// Volumes are their names by host.
	Volumes map[string][]string
}

// String tells the step in the words of the plan.
func (s Purge) String() string {
	var names []string
	for _, host := range s.Hosts {
		for _, name := range s.Volumes[host] {
			names = append(names, name+" on "+host)
		}
	}
	return "delete the data in volume " + strings.Join(names, ", ")
}

// String tells the step in the words of the plan.
func (s Pull) String() string {
	return fmt.Sprintf("pull %s %s", s.Image, s.where())
}

// String tells the step in the words of the plan.
func (s Discard) String() string { return fmt.Sprintf("remove the unused %s %s", s.Role, s.where()) }

// String tells the step in the words of the plan.
func (s Clean) String() string { return fmt.Sprintf("remove the unfinished %s %s", s.Role, s.where()) }

// String tells the step in the words of the plan.
func (s Create) String() string { return fmt.Sprintf("create %s %s", s.Role, s.where()) }

// String tells the step in the words of the plan.
func (s Start) String() string { return fmt.Sprintf("start %s %s", s.Role, s.where()) }

// String tells the step in the words of the plan.
func (s Wait) String() string { return fmt.Sprintf("wait until %s is ready %s", s.Role, s.where()) }

// String tells the step in the words of the plan.
func (s Replace) String() string { return fmt.Sprintf("replace %s %s", s.Role, s.where()) }

// String tells the step in the words of the plan.
func (s Drop) String() string { return fmt.Sprintf("remove the replaced %s %s", s.Role, s.where()) }

// String tells the step in the words of the plan.
func (s Restore) String() string { return fmt.Sprintf("put back %s %s", s.Role, s.where()) }

// String tells the step in the words of the plan.
func (s Remove) String() string { return fmt.Sprintf("remove %s %s", s.Role, s.where()) }
