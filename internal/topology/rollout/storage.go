package rollout

import (
	"fmt"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Relocation is a replica whose data is going to be somewhere else. What was
// at From stays there: the service starts with what is at To.
type Relocation struct {
	Host string
	// From and To are places as messages show them, see
	// [container.Mount.Place].
	From, To string
}

// Relocations compares what is desired with the mounts that replicas had, by
// host, and returns what changes, by host and then by the place in the
// container.
func Relocations(d Desired, before map[string][]container.Mount) []Relocation {
	var all []Relocation
	for _, r := range d.sorted() {
		all = append(all, relocations(r, before[r.Host])...)
	}
	return all
}

// relocations leaves out targets that only one side has: an image may bring
// volumes of its own, and a first mount has nothing to leave behind.
func relocations(r Replica, before []container.Mount) []Relocation {
	var all []Relocation
	for _, to := range r.Spec.Mounts {
		at := slices.IndexFunc(before, func(m container.Mount) bool { return m.Target == to.Target })
		if at < 0 || before[at].SamePlace(to) {
			continue
		}
		all = append(all, Relocation{Host: r.Host, From: before[at].Place(), To: to.Place()})
	}
	return all
}

// String tells it as the cause of a step.
func (r Relocation) String() string {
	return fmt.Sprintf("storage changes from %s to %s: the data stays where it was and is not moved", r.From, r.To)
}
