package etcd

import (
	"fmt"
	"strings"
)

// Pull fetches the image on the hosts that lack it, all at once, before
// anything is created anywhere.
type Pull struct {
	Image string
	Hosts []string
}

// Create makes the containers of a new cluster on all their hosts, without
// starting any.
type Create struct {
	Members []Member
	// Token is the cluster's; equal in all members.
	Token string
}

// Start starts members, all at the same moment: a lone member of a new
// cluster hangs until the others are there.
type Start struct {
	Members []Member
	Why     string
}

// Recreate makes the container of a member again, on the data the member has.
type Recreate struct {
	Member Member
	// Of is what the container is made of.
	Of Desired
	// Other: that is what the others run, not yet what is desired.
	Other bool
}

// Discard removes containers that were made for a bootstrap and have never
// been started, so that nothing can be lost with them.
type Discard struct {
	Members []Member
	Why     string
}

// Prove waits until the cluster is one: one cluster ID, all members started, a
// leader, and a write and a read through every endpoint.
type Prove struct {
	Members []Member
	Why     string
}

// Remove ends the cluster: all its containers go at once, without member
// removals, for there is nobody left to tell.
type Remove struct {
	Members []Member
}

// Purge deletes the cluster's named volumes, which the user asked for.
type Purge struct {
	// Volumes by host.
	Volumes map[string][]string
}

func (s Pull) String() string {
	return fmt.Sprintf("pull %s on %s", s.Image, strings.Join(s.Hosts, ", "))
}

// Cause tells why the image is pulled.
func (s Pull) Cause() string { return "the image is missing there" }

func (s Create) String() string { return "create " + Places(s.Members) }

// Cause tells why members are created.
func (s Create) Cause() string { return "there is no cluster yet" }

func (s Start) String() string {
	if len(s.Members) == 1 {
		return "start " + Places(s.Members)
	}
	return "start at once " + Places(s.Members)
}

// Cause tells why members are started.
func (s Start) Cause() string { return s.Why }

func (s Recreate) String() string {
	return "recreate " + s.Member.place() + " on its data" + with(s.Of, s.Other)
}

func with(of Desired, other bool) string {
	if !other {
		return ""
	}
	return ", with " + of.Image + " that others run"
}

// Cause tells why the container is made again.
func (s Recreate) Cause() string { return "its container is missing" }

func (s Discard) String() string {
	return "discard the never started containers of " + Places(s.Members)
}

// Cause tells why containers are discarded.
func (s Discard) Cause() string { return s.Why }

func (s Prove) String() string {
	names := make([]string, 0, len(s.Members))
	for _, m := range s.Members {
		names = append(names, m.Name)
	}
	return "wait until " + strings.Join(names, ", ") + " are one cluster and a write and a read through each succeed"
}

// Cause tells why the cluster must be proven.
func (s Prove) Cause() string { return s.Why }

func (s Remove) String() string { return "remove the containers of " + Places(s.Members) }

// Cause tells why containers are removed.
func (s Remove) Cause() string { return "the cluster is destroyed" }

func (s Purge) String() string {
	return "delete the volumes " + strings.Join(perHost(s.Volumes), ", ")
}

// Cause tells why data is deleted.
func (s Purge) Cause() string { return "purge_data_on_destroy is set" }
