package etcd

import (
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Place is a host of the provider block with what it runs.
type Place struct {
	// Host is its key, Address what other hosts reach it by.
	Host, Address string
	Containers    []container.Found
}

// unstartedName stands for the name of a member that the cluster was told of
// and that has neither been started nor has a container: only its peer URL is
// known. It is no valid name, so that no container is called so.
const unstartedName = "(never started)"

// Unaccounted are the entries of the cluster's list that neither the
// configuration nor the state has.
func (d Desired) Unaccounted(c Membership) []Peer {
	known := d.All()
	return slices.DeleteFunc(slices.Clone(c.Peers), func(p Peer) bool {
		return slices.ContainsFunc(known, p.is)
	})
}

// Adopt are those unaccounted members that an apply which was killed has left
// behind, before it could write into the state that it had made them: members
// that run in a container with our labels for this cluster, made for joining
// it, and learners that were never started and would be on a host of the
// provider block. They are former members from now on. All others are somebody
// else's: a member that has been one for long, which a state of yesterday does
// not know either, is not taken out of its cluster for that.
func (d Desired) Adopt(c Membership, places []Place) []Member {
	var adopted []Member
	for _, p := range d.Unaccounted(c) {
		for _, place := range places {
			if m, ours := d.leftBehind(p, place); ours {
				adopted = append(adopted, m)
				break
			}
		}
	}
	return adopted
}

func (d Desired) leftBehind(p Peer, place Place) (Member, bool) {
	for _, found := range place.Containers {
		id, ours := found.Identity()
		if !ours || id.Owner != d.Cluster || id.Role != container.Etcd || found.Name != id.Name() {
			continue
		}
		_, m, err := Recall(found)
		m.Host, m.Address = place.Host, place.Address
		if err == nil && p.is(m) && Birth(found.Labels[LabelBirth]) == Join {
			return m, true
		}
	}
	if !p.Learner {
		return Member{}, false
	}
	_, port := splitURL(p.url())
	m := Member{Name: unstartedName, Host: place.Host, Address: place.Address, ClientPort: ClientPort, PeerPort: port}
	return m, p.is(m) // which is false of one that has been started: it has a name
}

// Address is the host part of a peer URL that this provider could have made,
// "" of others.
func (p Peer) Address() string {
	address, _ := splitURL(p.url())
	return address
}
