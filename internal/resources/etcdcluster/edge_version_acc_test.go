package etcdcluster_test

import (
	"context"
	"slices"
	"strings"
	"syscall"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// upEdges begin with 3.6, downEdges with 3.7.
var (
	upEdges = []edge{
		{"container removed and next minor version", (*proof).goneAndUp},
		{"upgrade killed at its end and taken back", (*proof).upTakenBack},
		{"put back behind the cluster", (*proof).overtaken},
	}
	downEdges = []edge{{"downgrade killed and taken back", (*proof).downTakenBack}}
)

// goneAndUp: a container is removed, and the next minor version is wanted in the
// same apply. It comes back as the others are, flushes as they do, and only then
// goes up with them.
func (p *proof) goneAndUp() {
	p.t.Helper()
	victim := p.follower()
	before := p.state().Members[victim]
	docker(p.t, p.lab, p.members[victim], "rm", "-f", "anka-acc-etcd-"+victim)
	p.image = images.Etcd37
	o := p.changes(change{what: "a container is removed, and the next minor version is wanted"})
	p.inOrder(o, "recreate "+victim, "with "+images.Etcd36, "flush the log of "+victim, "replace the container of "+victim)
	p.runs("3.7.3")
	if after := p.state().Members[victim]; after.ID != before.ID || after.Data != before.Data {
		p.t.Errorf("the member was replaced: %+v, before %+v", after, before)
	}
}

// inOrder: what was done has all of this, one not before the other.
func (p *proof) inOrder(o outcome, wants ...string) {
	p.t.Helper()
	text := strings.Join(o.done, "\n")
	for _, want := range wants {
		at := strings.Index(text, want)
		if at < 0 {
			p.t.Fatalf("%q was not done, or not after what comes before it:\n  %s", want, strings.Join(o.done, "\n  "))
		}
		text = text[at:]
	}
}

// downTakenBack: an apply that goes down one minor version is killed, once as
// soon as the cluster was told and once when the first member runs the older
// version, and then the configuration is as it was.
func (p *proof) downTakenBack() {
	p.t.Helper()
	told := func(ctx context.Context) bool {
		status, err := statusWithin(ctx, p.endpoints()[0])
		return err == nil && status.DowngradeTarget != ""
	}
	begun := func(ctx context.Context) bool {
		return slices.ContainsFunc(p.endpoints(), func(endpoint string) bool {
			status, err := statusWithin(ctx, endpoint)
			return err == nil && status.Version == "3.6.16"
		})
	}
	for _, when := range []func(context.Context) bool{told, begun} {
		p.image = images.Etcd36
		p.write()
		p.interrupt(interruption{when: when, signal: syscall.SIGKILL, group: true})()
		if !told(p.t.Context()) {
			p.t.Fatal("the apply was killed where no downgrade is under way")
		}
		p.image = images.Etcd37
		o := p.changes(change{what: "a killed downgrade is taken back", involuntary: true})
		p.inOrder(o, "not downgraded to 3.6")
		p.runs("3.7.3")
	}
}

// upTakenBack: an apply that goes up one minor version is killed as soon as the
// last member has come up, and then the configuration is as it was. Its old
// container, which may still be there, cannot start in a cluster that has come
// up, so that the cluster has to be told of the way down.
func (p *proof) upTakenBack() {
	p.t.Helper()
	up := func(ctx context.Context) bool {
		return !slices.ContainsFunc(p.endpoints(), func(endpoint string) bool {
			status, err := statusWithin(ctx, endpoint)
			return err != nil || status.Version != "3.7.3"
		})
	}
	p.image = images.Etcd37
	p.write()
	p.interrupt(interruption{when: up, signal: syscall.SIGKILL, group: true})()
	p.t.Logf("left were %v", p.containerIDs())
	p.image = images.Etcd36
	o := p.changes(change{what: "an upgrade that was killed at its end is taken back", involuntary: true})
	p.inOrder(o, "downgrade to 3.6", "replace the container")
	p.runs("3.6.16")
}

// otherKey: a host gets another key in the provider block. It is the same host,
// and no container is touched.
func (p *proof) otherKey() {
	p.t.Helper()
	before, members := p.containerIDs(), p.state().Members
	p.keys = map[string]string{"h3": "x3"}
	o := p.changes(change{what: "a host has another key"})
	for _, step := range o.done {
		if !strings.HasPrefix(step, "wait until ") {
			p.t.Errorf("done was: %s", step)
		}
	}
	p.same(before)
	after := p.state().Members
	if now := after["etcd-3"]; now.Host != "x3" || now.ID != members["etcd-3"].ID || now.Data != members["etcd-3"].Data {
		p.t.Errorf("the member is %+v and was %+v", now, members["etcd-3"])
	}
}
