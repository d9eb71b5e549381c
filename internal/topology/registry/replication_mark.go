package registry

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// Mark is what the storage of one replica holds of [replication.Sentinel].
type Mark struct {
	// ID is the content of the marker file, "" when there is none.
	ID string
	// Filled: the storage has layers or templates.
	Filled bool
	// Place is how messages name where on the host it is, "" where that is not
	// known.
	Place string
}

// Marks decide which storages get the marker file.
type Marks struct {
	// Known is the registry's ID as far as Terraform knows it, "" before the
	// first replication.
	Known string
	// Before are the hosts that had the marker file at the end of an earlier
	// apply. Theirs is never written again.
	Before []string
	// Primary is the host of the primary, "" for one that is to begin empty.
	Primary string
	// Seeded are hosts of new replicas whose storage may have data.
	Seeded []string
	// Found has the storages of all hosts that answered.
	Found map[string]Mark
	// Fresh is the ID of a registry that has none.
	Fresh string
}

// Marking is the decision.
type Marking struct {
	// ID is the registry's.
	ID string
	// Write are the hosts whose storage gets the marker file, sorted.
	Write []string
	// Lost are hosts whose storage had it and has it no more, sorted: the disk
	// is not mounted, or was emptied.
	Lost []string
}

// Decide refuses storages of different registries and, for a new replica, data
// of which nobody has said that it belongs there. A marker file is only ever
// written where none has been: where it is gone, the disk is.
func (m Marks) Decide() (Marking, error) {
	id, owner := m.Known, "this registry"
	hosts := slices.Sorted(maps.Keys(m.Found))
	for _, host := range hosts {
		found := m.Found[host].ID
		switch {
		case found == "" || found == id:
		case id == "":
			id, owner = found, "the storage on "+m.on(host, host)
		default:
			return Marking{}, fmt.Errorf("the storage on %s belongs to another registry: its file %s holds %s, and that of %s is %s. "+
				"Give the replica the storage of this registry, or an empty one. If it really belongs here, and what only it has may be there as well, remove that file",
				m.on("host "+host, host), replication.Sentinel, found, owner, id)
		}
	}
	first := id == ""
	if first {
		id = m.Fresh
	}
	decided := Marking{ID: id}
	var filled []string
	for _, host := range hosts {
		switch found := m.Found[host]; {
		case found.ID != "":
		case slices.Contains(m.Before, host):
			decided.Lost = append(decided.Lost, host)
		case found.Filled && !first && !slices.Contains(m.Seeded, host):
			filled = append(filled, m.on(host, host))
		default:
			decided.Write = append(decided.Write, host)
		}
	}
	if err := m.bare(decided); err != nil {
		return Marking{}, err
	}
	if len(filled) > 0 {
		return Marking{}, fmt.Errorf("the storage of the new replica on %s has data and no file %s, so it is not known whether that data belongs to this registry. "+
			"Add the host to replication.seeded if it does, or give the replica an empty storage", strings.Join(filled, ", "), replication.Sentinel)
	}
	return decided, nil
}

// bare refuses to mark a primary that has nothing while another host has what
// belongs to this registry: its disk is not mounted. With the marker file in the
// directory below, followers would take it for a primary that was emptied, and
// so would they whenever the host starts without the disk.
func (m Marks) bare(decided Marking) error {
	if !slices.Contains(decided.Write, m.Primary) || m.Found[m.Primary].Filled {
		return nil
	}
	var others []string
	for _, host := range slices.Sorted(maps.Keys(m.Found)) {
		if found := m.Found[host]; found.ID != "" || found.Filled {
			others = append(others, m.on(host, host))
		}
	}
	if len(others) == 0 {
		return nil
	}
	return fmt.Errorf("the storage of the primary on %s is empty, and that on %s has data or the file %s of this registry, so the primary's disk is probably not mounted. "+
		"Mount the disk, restart the registry's container on %s, and apply again; or let the primary be a host that has the data, with accept_data_loss = true for that one apply. "+
		"If the registry is to begin anew, empty the other storages, too", m.on("host "+m.Primary, m.Primary), strings.Join(others, ", "), replication.Sentinel, m.Primary)
}

// on names a host with the place of its storage.
func (m Marks) on(name, host string) string {
	if place := m.Found[host].Place; place != "" {
		return name + " (" + place + ")"
	}
	return name
}
