package etcd

import (
	"fmt"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// apply changes the simulated observation as a step that succeeds would.
func (o *Observed) apply(step topology.Step, d Desired) {
	d = d.Renamed()
	switch s := step.(type) {
	case Pull:
		images := o.Images
		if s.Image != d.Image {
			images = o.OldImages
		}
		for _, host := range s.Hosts {
			images[host] = true
		}
	case Create:
		for _, m := range s.Members {
			o.put(m.Host, createdFrom(d.Spec(m, Bootstrap, s.Token)))
		}
	case Recreate:
		o.put(s.Member.Host, createdFrom(s.Of.Spec(s.Member, Rejoin, "")))
		o.Data[s.Member.Name] = true
	case JoinMember:
		o.put(s.Member.Host, createdFrom(s.Of.JoinSpec(s.Member, d.Token, s.Peers)))
	case Start:
		for _, m := range s.Members {
			o.start(d, m)
		}
	case Prove:
		o.Proven = true
	case Discard:
		for _, m := range s.Members {
			o.drop(d, m)
		}
	case Retire:
		o.drop(d, s.Member)
	case Remove:
		for _, m := range s.Members {
			o.drop(d, m)
		}
	case Purge:
		o.Volumes = map[string][]string{}
	case Replace:
		o.replace(s, d)
	case DropOld:
		o.dropNamed(s.Member.Host, PreviousName(d.identity(s.Member)))
	case Snapshot:
		o.Snapshotted = true
	case Downgrade:
		o.Downgrading = true
	case CancelDowngrade:
		o.Membership.DowngradeTarget = ""
	default:
		o.applyMembership(step, d)
	}
}

// applyMembership is apply for steps that only the cluster's members see.
func (o *Observed) applyMembership(step topology.Step, d Desired) {
	c := &o.Membership
	switch s := step.(type) {
	case AddLearner:
		c.Peers = append(c.Peers, Peer{ID: newID(c.Peers), PeerURLs: []string{s.Member.PeerURL()}, Learner: true})
	case Promote:
		c.change(s.Member, func(p *Peer) { p.Learner = false })
	case RemoveMember:
		c.Peers = slices.DeleteFunc(c.Peers, func(p Peer) bool { return p.is(s.Member) })
		if c.Leader == s.Member.PeerURL() {
			c.elect()
		}
		o.Proven = false
	case MoveLeader:
		c.Leader = s.To.PeerURL()
	case Await:
		if !c.Known {
			o.assume(d)
		}
		for _, m := range s.Members {
			o.answers(d, m)
		}
	}
}

// elect makes a voter the leader: which, nobody can say. Where one does not work
// nothing is planned that asks who leads.
func (m *Membership) elect() {
	m.Leader = ""
	for _, p := range m.Peers {
		if !p.Learner {
			m.Leader = p.url()
			return
		}
	}
}

func newID(peers []Peer) uint64 {
	var highest uint64
	for _, p := range peers {
		highest = max(highest, p.ID)
	}
	return highest + 1
}

func (m *Membership) change(member Member, do func(*Peer)) {
	for i := range m.Peers {
		if m.Peers[i].is(member) {
			do(&m.Peers[i])
		}
	}
}

// answers: the member runs and follows the leader.
func (o *Observed) answers(d Desired, m Member) {
	c := &o.Membership
	c.change(m, func(p *Peer) { p.Name = m.Name; c.Healthy[p.url()] = true })
	o.each(d, m, func(c *container.Found) {
		if c.Status == container.Restarting {
			c.Status = container.Running
		}
	})
	id := d.identity(m)
	if v := recordedVersion(o.named(m.Host, id.Name(), id)); !v.IsZero() && c.Healthy[m.PeerURL()] {
		c.Versions[m.PeerURL()] = v.String()
	}
}

// assume is what is expected once the members of a cluster that was silent were
// waited for: those answer that can.
func (o *Observed) assume(d Desired) {
	l := life{d: d, o: *o, states: look(d, *o), former: lookAt(d, *o, d.Former)}
	able := l.able()
	c := &o.Membership
	c.Known = true
	for i, s := range l.expected() {
		c.Peers = append(c.Peers, Peer{ID: uint64(i + 1), Name: s.Name, PeerURLs: []string{s.PeerURL()}})
	}
	for _, s := range able {
		o.answers(d, s.Member)
		if c.Leader == "" {
			c.Leader = s.PeerURL()
		}
	}
}

func (o *Observed) start(d Desired, m Member) {
	o.each(d, m, func(c *container.Found) { c.Status = container.Running })
	o.answers(d, m)
	o.Proven = false
}

// replace leaves the member on its new container, proven.
func (o *Observed) replace(s Replace, d Desired) {
	id := d.identity(s.Member)
	made := createdFrom(s.Of.Spec(s.Member, Rejoin, ""))
	old := o.named(s.Member.Host, PreviousName(id), id)
	if old.Status == container.Absent {
		old = o.named(s.Member.Host, id.Name(), id)
	}
	switch {
	case s.Back:
		made = old
		made.Name = id.Name()
	case s.Flush:
		made = createdFrom(d.FlushSpec(s.Member, old.Image, ""))
	}
	o.drop(d, s.Member)
	o.put(s.Member.Host, made)
	o.start(d, s.Member)
}

func createdFrom(spec container.Spec) container.Found {
	return container.Found{ID: "made-" + spec.Name, Name: spec.Name, Image: spec.Image, Status: container.Created, Labels: spec.Labels}
}

func (o *Observed) put(host string, c container.Found) {
	o.Containers[host] = append(o.Containers[host], c)
}

func (o *Observed) each(d Desired, m Member, change func(*container.Found)) {
	name := d.identity(m).Name()
	for i := range o.Containers[m.Host] {
		if o.Containers[m.Host][i].Name == name {
			change(&o.Containers[m.Host][i])
		}
	}
}

// drop removes the member's container and the one kept beside it.
func (o *Observed) drop(d Desired, m Member) {
	id := d.identity(m)
	o.dropNamed(m.Host, id.Name(), PreviousName(id))
}

func (o *Observed) dropNamed(host string, names ...string) {
	o.Containers[host] = slices.DeleteFunc(o.Containers[host], func(c container.Found) bool { return slices.Contains(names, c.Name) })
}

// Narrowest tells how near the steps bring the cluster to losing its quorum,
// "" when no voting member is touched.
func Narrowest(steps []topology.Step) string {
	margin, text := 0, ""
	note := func(all, working int) {
		if left := working - Quorum(all); text == "" || left < margin {
			margin = left
			text = fmt.Sprintf("At its narrowest %d of %d voting members work; a quorum is %d.", working, all, Quorum(all))
		}
	}
	for _, step := range steps {
		switch s := step.(type) {
		case Replace:
			if !s.Down {
				note(s.Total, s.Left)
			}
		case RemoveMember:
			note(s.Left, s.Working)
		case Promote:
			note(s.Voters, s.Working)
		}
	}
	return text
}
