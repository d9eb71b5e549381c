package rollout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// MissingPathError says that directories of hosts that replicas need are not
// there.
type MissingPathError struct {
	Role container.Role
	// Paths has them by host, as "PATH on HOST", sorted.
	Paths []string
	// Hosts are those of Paths, sorted.
	Hosts []string
}

// Error names paths and hosts and the way out.
func (e *MissingPathError) Error() string {
	it, is := "it", "is"
	if len(e.Paths) > 1 {
		it, is = "them", "are"
	}
	return fmt.Sprintf("the storage of the %s %s not there: %s. If %s should have data, mount the disk. If this is a new %s, make the directory there, "+
		"or set create_path = true, which lets Docker make %s. An empty directory in the place of a disk that is not mounted looks like a registry that has lost all its templates",
		e.Role, is, strings.Join(e.Paths, ", "), it, e.Role, it)
}

// checkPaths refuses host paths that are not there, as far as they were looked
// for.
func checkPaths(d Desired, o Observed) error {
	var missing, hosts []string
	for _, r := range d.sorted() {
		for _, path := range existing(r) {
			if slices.Contains(o.Hosts[r.Host].Missing, path) {
				missing = append(missing, fmt.Sprintf("%s on %s", path, r.Host))
				hosts = append(hosts, r.Host)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &MissingPathError{Role: d.Role, Paths: missing, Hosts: slices.Compact(hosts)}
}

// existing are the host paths that have to be there before r can be made.
func existing(r Replica) []string {
	var paths []string
	for _, m := range r.Spec.Mounts {
		if m.Type == container.Bind && m.Existing {
			paths = append(paths, m.Source)
		}
	}
	return paths
}

// NeedPaths are the host paths, by host, that have to be there for steps to
// create their containers: the only ones that have to be looked for.
func NeedPaths(d Desired, steps []topology.Step) map[string][]string {
	needed := map[string][]string{}
	for _, step := range steps {
		for _, host := range creating(step) {
			if paths := existing(d.replica(host)); len(paths) > 0 {
				needed[host] = paths
			}
		}
	}
	return needed
}

// creating are the hosts on which step makes a container.
func creating(step topology.Step) []string {
	switch step := step.(type) {
	case Create:
		return step.Hosts
	case Replace:
		return step.Hosts
	}
	return nil
}
