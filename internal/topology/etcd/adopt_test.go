package etcd

import (
	"maps"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// TestDesired_Adopt: of the members that nobody accounts for only those are
// taken over that an apply of this provider has left on a configured host.
func TestDesired_Adopt(t *testing.T) {
	d := Desired{Cluster: "anka", Image: "etcd:v3.5.35", Born: true, Members: []Member{at("h1", "etcd-1", "old")}}
	fourth := at("h4", "etcd-4", "")
	container4 := createdFrom(d.Spec(fourth, Join, "t"))
	place := Place{Host: "h4", Address: "10.0.0.4"}
	with := func(found container.Found) Place {
		p := place
		p.Containers = []container.Found{found}
		return p
	}
	of := func(owner string) container.Found {
		other := d
		other.Cluster = owner
		return createdFrom(other.Spec(fourth, Join, "t"))
	}
	settled := createdFrom(d.Spec(fourth, Rejoin, "t"))
	learner := Peer{ID: 4, PeerURLs: []string{"http://10.0.0.4:2380"}, Learner: true}
	started := Peer{ID: 4, Name: "etcd-4", PeerURLs: []string{"http://10.0.0.4:2380"}}
	renamed := started
	renamed.Name = "other"
	tls := started
	tls.PeerURLs = []string{"https://10.0.0.4:2380"}
	voter := learner
	voter.Learner = false
	moved := learner
	moved.PeerURLs = []string{"http://10.0.0.4:12380"}
	for name, c := range map[string]struct {
		peer  Peer
		place Place
		want  string
	}{
		"a learner that was never started":       {learner, place, unstartedName},
		"with a container":                       {learner, with(container4), "etcd-4"},
		"started":                                {started, with(container4), "etcd-4"},
		"started, and replaced since":            {started, with(settled), ""},
		"started and without a container":        {started, place, ""},
		"started under another name":             {renamed, with(container4), ""},
		"with URLs of another kind":              {tls, with(container4), ""},
		"a voter that somebody else told of":     {voter, place, ""},
		"a learner on another port":              {moved, place, unstartedName},
		"in a container of another cluster":      {started, with(of("other")), ""},
		"on a host that is not ours":             {learner, Place{Host: "h4", Address: "10.0.0.5"}, ""},
		"a learner's container has another port": {moved, with(container4), unstartedName},
	} {
		m := Membership{Known: true, Peers: []Peer{{ID: 1, Name: "etcd-1", PeerURLs: []string{"http://10.0.0.1:2380"}}, c.peer}}
		got := d.Adopt(m, []Place{{Host: "h9", Address: "10.0.0.9"}, c.place})
		switch {
		case c.want == "" && len(got) != 0:
			t.Errorf("%s: adopted %+v", name, got)
		case c.want != "" && (len(got) != 1 || got[0].Name != c.want || got[0].Host != "h4" || !c.peer.is(got[0])):
			t.Errorf("%s: got %+v, want %s", name, got, c.want)
		}
	}
	known := d
	known.Former = []Member{fourth}
	if got := known.Adopt(Membership{Peers: []Peer{started}}, []Place{with(container4)}); len(got) != 0 {
		t.Errorf("a member of the state is adopted: %+v", got)
	}
}

// TestAdoptOnceAndOnlyTheMember: neither the container that a replacement kept
// nor a container of another role is the member, and a host that has two keys
// is one.
func TestAdoptOnceAndOnlyTheMember(t *testing.T) {
	d := Desired{Cluster: "anka", Image: "etcd:v3.5.35", Born: true, Members: []Member{at("h1", "etcd-1", "old")}}
	m := at("h5", "etcd-5", "old")
	kept := createdFrom(d.Spec(m, Join, "t"))
	kept.Name = PreviousName(d.identity(m))
	other := createdFrom(d.Spec(m, Join, "t"))
	other.Labels = maps.Clone(other.Labels)
	other.Labels[container.LabelRole], other.Name = string(container.Registry), "anka-anka-registry-etcd-5"
	c := Membership{Known: true, Peers: []Peer{{ID: 5, Name: "etcd-5", PeerURLs: []string{"http://10.0.0.5:2380"}}}}
	for _, found := range []container.Found{kept, other} {
		if got := d.Adopt(c, []Place{{Host: "h5", Address: "10.0.0.5", Containers: []container.Found{found}}}); len(got) != 0 {
			t.Errorf("%s is taken for a member: %v", found.Name, got)
		}
	}
	c.Peers = []Peer{{ID: 5, PeerURLs: []string{"http://10.0.0.5:2380"}, Learner: true}}
	if got := d.Adopt(c, []Place{{Host: "h5", Address: "10.0.0.5"}, {Host: "h6", Address: "10.0.0.5"}}); len(got) != 1 {
		t.Errorf("adopted %v", got)
	}
}
