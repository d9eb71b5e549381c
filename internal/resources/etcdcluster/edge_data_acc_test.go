package etcdcluster_test

import (
	"context"
	"errors"
	"strings"
)

// wiped: the data of a stopped member is deleted, and its container is left. A
// container that was made for a bootstrap would start on nothing. Then that of
// the member that took its place: one that was made to join does start on
// nothing, makes a new log, and ends again and again.
func (p *proof) wiped() {
	p.t.Helper()
	victim := p.follower()
	host, name := p.members[victim], "anka-acc-etcd-"+victim
	wipe := func(what string) {
		p.t.Helper()
		docker(p.t, p.lab, host, "stop", name)
		before := p.state().Members[victim]
		place := docker(p.t, p.lab, host, "volume", "inspect", "--format", "{{.Mountpoint}}", before.Data)
		// Without -f: where nothing was, nothing would be tested.
		_, err := p.lab.Host(host).Run(p.t.Context(), "rm -r "+place+"/member")
		must(p.t, err)
		if what != "" {
			docker(p.t, p.lab, host, "start", name)
			p.ends(host, name, what)
		}
		o := p.changes(change{what: "a member's data is deleted", involuntary: true})
		if after := p.state().Members[victim]; after.ID == before.ID || after.Data == before.Data {
			p.t.Errorf("the member whose data was deleted is still %+v", after)
		}
		if !strings.Contains(strings.Join(o.done, "\n"), "remove "+victim) {
			p.t.Errorf("%s was not replaced", victim)
		}
	}
	wipe("")
	wipe("Was the raft log corrupted, truncated, or lost?")
}

// ends waits until a container was restarted since it said text, and has ended
// again.
func (p *proof) ends(host, name, text string) {
	p.t.Helper()
	await(p.t, name+" ends again", func(ctx context.Context) error {
		said, err := p.lab.Host(host).Run(ctx, "docker inspect --format '{{.State.Status}} {{.RestartCount}}' "+name+" && docker logs --tail 150 "+name+" 2>&1")
		if err == nil && (!strings.HasPrefix(said, "restarting ") || strings.HasPrefix(said, "restarting 0") || !strings.Contains(said, text)) {
			err = errors.New(said)
		}
		return err
	})
}

// mended: a member runs on settings that end it again and again, which are not
// configured any more.
func (p *proof) mended() {
	p.t.Helper()
	victim := p.follower()
	host, before := p.members[victim], p.state().Members[victim]
	name := "anka-acc-etcd-" + victim
	labels := docker(p.t, p.lab, host, "inspect", "--format", "{{range $k, $v := .Config.Labels}}--label={{$k}}={{$v}}\n{{end}}", name)
	image := docker(p.t, p.lab, host, "inspect", "--format", "{{.Config.Image}}", name)
	docker(p.t, p.lab, host, "rm", "-f", name)
	run := []string{"run", "-d", "--name", name, "--restart", "always", "-v", before.Data + ":/etcd-data"}
	for label := range strings.Lines(labels) {
		label = strings.TrimSpace(label)
		if strings.Contains(label, "spec-hash=") {
			label, _, _ = strings.Cut(label, "spec-hash=")
			label += "spec-hash=other"
		}
		run = append(run, label)
	}
	docker(p.t, p.lab, host, append(run, image, "etcd", "--no-such-flag")...)
	p.changes(change{what: "a member that ends again and again on other settings", involuntary: true})
	if after := p.state().Members[victim]; after.ID != before.ID || after.Data != before.Data {
		p.t.Errorf("the member was replaced: %+v, before %+v", after, before)
	}
}

// stopped: members that are down when other settings are wanted get these at
// once, even where nobody speaks for the cluster.
func (p *proof) stopped() {
	p.t.Helper()
	before := p.state().Members
	victim := p.follower()
	docker(p.t, p.lab, p.members[victim], "stop", "anka-acc-etcd-"+victim)
	p.attributes = []string{"snapshot_count = 5000"}
	o := p.changes(change{what: "settings while a member is stopped", involuntary: true})
	if !strings.HasPrefix(o.done[0], "replace the container of "+victim) {
		p.t.Errorf("done was %v", o.done)
	}
	for name, host := range p.members {
		docker(p.t, p.lab, host, "stop", "anka-acc-etcd-"+name)
	}
	p.attributes = nil
	p.write()
	o = p.apply()
	must(p.t, o.err)
	p.t.Logf("settings while all are stopped:\n  %s", strings.Join(o.done, "\n  "))
	// How soon they speak for the cluster again, and the last can be proven, is a
	// matter of chance; that two have to be replaced before is not.
	if len(o.planned) < 2 || len(o.done) < 2 || !sameSteps(o.planned[:2], o.done[:2]) || strings.Contains(strings.Join(o.done, "\n"), "start ") {
		p.t.Errorf("planned was %v, done was %v", o.planned, o.done)
	}
	p.proven("settings while all are stopped")
	for name, after := range p.state().Members {
		if after.ID != before[name].ID || after.Data != before[name].Data {
			p.t.Errorf("%s was replaced: %+v, before %+v", name, after, before[name])
		}
	}
}
