package providerdata

import (
	"slices"
	"sync"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/compat"
)

// Announcements are what the resources of one run plan to run, told to those
// that depend on them. Terraform plans a resource after those it refers to and
// through one process of the provider, and what is asked of a running service
// would be answered as it was before the apply. The zero value is ready for
// use, by several resources at the same time.
type Announcements struct {
	mu      sync.Mutex
	planned []compat.Planned
}

// Announce replaces what the resource that owns a kind of component has told
// before.
func (a *Announcements) Announce(component compat.Component, owner string, planned []compat.Planned) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.planned = slices.DeleteFunc(a.planned, func(p compat.Planned) bool { return p.Component == component && p.Owner == owner })
	a.planned = append(a.planned, planned...)
}

// All are the announcements until now, in no certain order.
func (a *Announcements) All() []compat.Planned {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.planned)
}
