package etcdcluster_test

import (
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// TestAccEtcdCluster_membership changes members, hosts and data of one cluster
// while a writer goes on. After every change nothing that was acknowledged may
// be missing.
func TestAccEtcdCluster_membership(t *testing.T) {
	lab := testlab.LabForTest(t, 5)
	p := newProof(t, lab, proof{image: images.Etcd35, transport: "ssh", members: map[string]string{"etcd-1": "h1"}})

	p.members = map[string]string{"etcd-1": "h1", "etcd-2": "h2", "etcd-3": "h3"}
	p.changes(change{what: "1 to 3"})

	p.members["etcd-4"], p.members["etcd-5"] = "h4", "h5"
	p.changes(change{what: "3 to 5"})

	leads := p.leader()
	delete(p.members, leads)
	delete(p.members, p.followerBut(leads))
	o := p.changes(change{what: "5 to 3, without the leader"})
	if !strings.Contains(strings.Join(o.done, "\n"), "move leadership from "+leads) {
		t.Errorf("leadership was not moved away from %s before its removal", leads)
	}

	moved := p.leader()
	p.members[moved] = p.freeHost()
	p.changes(change{what: "the leader moves to another host"})

	p.deadHost()
	p.dataGone()
}

// followerBut is a member that may leave beside the leader.
func (p *proof) followerBut(leads string) string {
	for name := range p.members {
		if name != leads {
			return name
		}
	}
	return ""
}

// deadHost: a host loses its power for good, and its member moves to a fresh
// one. When the old host comes back what is left there is cleared away.
func (p *proof) deadHost() {
	p.t.Helper()
	dead := p.follower()
	host := p.members[dead]
	must(p.t, p.lab.Host(host).PowerOff(p.t.Context()))
	p.members[dead] = p.freeHost()
	p.changes(change{what: "a dead host is replaced", involuntary: true})
	must(p.t, p.lab.Host(host).PowerOn(p.t.Context()))
	p.changes(change{what: "the dead host is back", involuntary: true})
}

// dataGone: somebody removes a member's container and its volume. The member is
// made anew, with another ID and other data.
func (p *proof) dataGone() {
	p.t.Helper()
	victim := p.follower()
	host, before := p.members[victim], p.state().Members[victim]
	docker(p.t, p.lab, host, "rm", "-f", "anka-acc-etcd-"+victim)
	docker(p.t, p.lab, host, "volume", "rm", before.Data)
	p.changes(change{what: "a member's data is gone", involuntary: true})
	if after := p.state().Members[victim]; after.ID == before.ID || after.Data == before.Data {
		p.t.Errorf("the member whose data was removed is still %+v", after)
	}
}
