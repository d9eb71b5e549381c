package dockerhost

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
)

// Fleet is the hosts map of the provider block. It is filled once, at
// configuration, and then shared by everything in one run.
type Fleet struct {
	mu sync.RWMutex
	// hosts has a nil value for a declared host that is not known yet.
	hosts   map[string]*Host
	unknown bool
}

// NewFleet makes an empty fleet.
func NewFleet() *Fleet { return &Fleet{hosts: map[string]*Host{}} }

// Add declares a host.
func (f *Fleet) Add(h *Host) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hosts[h.Name()] = h
}

// AddUnknown declares a host whose configuration is not known yet.
func (f *Fleet) AddUnknown(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hosts[name] = nil
}

// SetUnknown says that it is not even known which hosts are declared.
func (f *Fleet) SetUnknown() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unknown = true
}

// Host gives a declared host. Errors are [*NoHostError] and
// [*HostNotKnownError].
func (f *Fleet) Host(name string) (*Host, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	h, declared := f.hosts[name]
	switch {
	case h != nil:
		return h, nil
	case declared || f.unknown:
		return nil, &HostNotKnownError{Name: name}
	default:
		return nil, &NoHostError{Name: name, Known: f.names()}
	}
}

// Declares says whether name is a host, and whether its configuration is
// known. While the whole map is unknown every name counts as declared.
func (f *Fleet) Declares(name string) (declared, known bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	h, declared := f.hosts[name]
	return declared || f.unknown, h != nil
}

// Reach is [topology.Unknown] for a host whose configuration is not known yet.
// It dials nothing: for all others it is [topology.Reachable] until a call
// says otherwise.
func (f *Fleet) Reach(name string) topology.Reach {
	if declared, known := f.Declares(name); declared && !known {
		return topology.Unknown
	}
	return topology.Reachable
}

// Names are the declared hosts, sorted.
func (f *Fleet) Names() []string {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.names()
}

func (f *Fleet) names() []string { return slices.Sorted(maps.Keys(f.hosts)) }

// Close ends the connections to all hosts.
func (f *Fleet) Close() error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	var errs []error
	for _, name := range f.names() {
		if h := f.hosts[name]; h != nil {
			errs = append(errs, h.Close())
		}
	}
	return errors.Join(errs...)
}
