package etcdcluster_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/etcdload"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

func three() map[string]string {
	return map[string]string{"etcd-1": "h1", "etcd-2": "h2", "etcd-3": "h3"}
}

// TestAccEtcdCluster_versionsAndSettings rolls a cluster through versions and
// settings while a writer goes on.
func TestAccEtcdCluster_versionsAndSettings(t *testing.T) {
	lab := testlab.LabForTest(t, 3)
	must(t, lab.LoadImages(t.Context(), images.Etcd36, images.Etcd37))
	snapshots := t.TempDir()
	keep := fmt.Sprintf("snapshot_before_change = {\n directory = %q\n retention = 2\n}", snapshots)
	p := newProof(t, lab, proof{image: images.Etcd35, transport: "tls", members: three(), attributes: []string{keep}})

	p.image = images.Etcd37
	p.refuses("3.5 to 3.7 at once", "one minor version at a time", "3.5.35 → 3.6.16 → 3.7.3", "Nothing was changed")

	p.image = images.Etcd36
	p.changes(change{what: "3.5 to 3.6"})
	p.runs("3.6.16")
	p.image = images.Etcd37
	p.changes(change{what: "3.6 to 3.7"})
	p.runs("3.7.3")
	p.image = images.Etcd36
	p.changes(change{what: "3.7 back to 3.6"})
	p.runs("3.6.16")
	p.attributes = append(p.attributes, "quota_backend_bytes = 4294967296", "snapshot_count = 5000")
	p.changes(change{what: "other settings"})

	files, err := filepath.Glob(filepath.Join(snapshots, "*"))
	must(t, err)
	if len(files) != 2 {
		t.Errorf("the snapshot directory has %v, two files were to be kept", files)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Size() < 20<<10 || filepath.Ext(file) != ".db" {
			t.Errorf("%s is no snapshot: %v, %v", file, info, err)
		}
	}
}

// runs: every member and the state say that this version runs.
func (p *proof) runs(version string) {
	p.t.Helper()
	if said := p.state().Version; said != version {
		p.t.Errorf("the state says version %s, want %s", said, version)
	}
	for name, host := range p.members {
		// etcd ends a downgrade by itself some seconds after the last member.
		await(p.t, "the downgrade has ended", func(context.Context) error {
			status, err := statusAt(url(p.lab, host))
			if err == nil && (status.Version != version || status.DowngradeTarget != "") {
				err = fmt.Errorf("%s runs %s, downgrade to %q, want %s", name, status.Version, status.DowngradeTarget, version)
			}
			return err
		})
	}
}

// TestAccEtcdCluster_badImage: a member that does not come back on the new image
// goes back to its old container, and no other host is touched. An image that
// cannot be had is found before anything is. One that was replaced, and whose old
// container an interrupted apply has left, is not touched: only that one goes. A
// name under which the host has another version brings no other.
func TestAccEtcdCluster_badImage(t *testing.T) {
	lab := testlab.LabForTest(t, 3)
	must(t, lab.LoadImages(t.Context(), images.Etcd36))
	const broken, mine = "anka-lab/etcd:v3.5.36", "anka-lab/etcd:mine"
	for host := range maps.Values(three()) {
		for image, name := range map[string]string{images.Controller: broken, images.Etcd36: mine} {
			docker(t, lab, host, "tag", image, name)
			t.Cleanup(func() { docker(t, lab, host, "rmi", name) })
		}
	}
	p := newProof(t, lab, proof{image: images.Etcd35, transport: "tcp", members: three()})

	before := p.containerIDs()
	p.image = "anka-lab/etcd:v3.5.99"
	p.fails("an image that is not there", "anka-lab/etcd:v3.5.99", "h1")
	p.same(before)

	first := p.follower()
	p.image = broken
	p.fails("an image that exits at once", first, p.members[first], "The old container was put back and works", "No other member was touched")
	p.same(before)

	p.image = images.Etcd35
	p.changes(change{what: "back to the image that works"})
	p.same(before)

	led := p.leader()
	p.leaveOld(led)
	o := p.changes(change{what: "an old container beside one that works"})
	if want := "remove the old container of " + led; len(o.done) == 0 || !strings.HasPrefix(o.done[0], want) {
		t.Errorf("done was %q, want first %q", o.done, want)
	}
	p.same(before)
	if again := p.leader(); again != led {
		t.Errorf("%s leads, %s did before", again, led)
	}

	// Killed between two containers: its data is there, as the old one shows.
	first = p.follower()
	member, id := p.state().Members[first], container.Identity{Owner: "acc", Role: container.Etcd, Instance: first}
	docker(t, lab, p.members[first], "stop", id.Name())
	docker(t, lab, p.members[first], "rename", id.Name(), etcd.PreviousName(id))
	p.inOrder(p.changes(change{what: "between two containers", involuntary: true}), "replace the container of "+first)
	if again := p.state().Members[first]; again != member {
		t.Errorf("the member was %+v and is %+v", member, again)
	}
	before = p.containerIDs()

	first = p.follower()
	p.image, p.attributes = mine, []string{`etcd_version = "3.5.35"`}
	p.fails("an image of another version than etcd_version says", first, mine+" is etcd 3.6.16, not 3.5.35", "The old container was put back and works")
	p.same(before)
}

// TestAccEtcdCluster_onlyMemberOfAnotherVersion: the image of the only member is
// of a later version than etcd_version says. Its old container would not start on
// data that has come up, so that it goes on, and plans say so until that is told.
func TestAccEtcdCluster_onlyMemberOfAnotherVersion(t *testing.T) {
	lab := testlab.LabForTest(t, 1)
	must(t, lab.LoadImages(t.Context(), images.Etcd36))
	const mine = "anka-lab/etcd:mine"
	docker(t, lab, "h1", "tag", images.Etcd36, mine)
	t.Cleanup(func() { docker(t, lab, "h1", "rmi", mine) })
	p := newProof(t, lab, proof{image: images.Etcd35, transport: "tcp", members: map[string]string{"etcd-1": "h1"}})

	p.image, p.attributes = mine, []string{`etcd_version = "3.5.35"`}
	p.write()
	p.says("another version than etcd_version says", p.apply(), mine+" is etcd 3.6.16, not 3.5.35", "It works, and stays so")
	p.changes(change{what: "the same once more", involuntary: true})
	told := func(w string) bool { return strings.Contains(w, "is etcd 3.6.16, not 3.5.35") }
	if o := p.plan(); o.err != nil || !slices.ContainsFunc(o.warnings, told) {
		t.Errorf("the plan does not warn: %v, %v", o.warnings, o.err)
	}

	p.attributes = []string{`etcd_version = "3.6.16"`}
	p.changes(change{what: "the version is told", involuntary: true})
	p.runs("3.6.16")
}

// leaveOld leaves on a member's host what an apply does that is killed just
// before it removes the container that it has replaced.
func (p *proof) leaveOld(member string) {
	p.t.Helper()
	id := container.Identity{Owner: "acc", Role: container.Etcd, Instance: member}
	var labels map[string]string
	must(p.t, json.Unmarshal([]byte(docker(p.t, p.lab, p.members[member], "inspect", "-f", "{{json .Config.Labels}}", id.Name())), &labels))
	create := []string{"create", "--name", etcd.PreviousName(id)}
	for name, value := range labels {
		create = append(create, "--label", name+"="+value)
	}
	docker(p.t, p.lab, p.members[member], append(create, p.image)...)
}

// TestAccEtcdCluster_refusesUnsafeChanges: what could lose the quorum or make
// things worse is refused by the plan, in words, and no host is touched.
func TestAccEtcdCluster_refusesUnsafeChanges(t *testing.T) {
	lab := testlab.LabForTest(t, 4)
	p := newProof(t, lab, proof{image: images.Etcd35, transport: "ssh", members: three()})

	alarm(t, lab, pb.AlarmRequest_ACTIVATE)
	p.members["etcd-4"] = "h4"
	p.refuses("adding with an alarm", "active alarm", "NOSPACE", "etcdctl", "Nothing was changed")
	p.members = three()
	p.attributes = []string{"snapshot_count = 5000"}
	p.refuses("rolling with an alarm", "active alarm", "NOSPACE", "Nothing was changed")
	p.attributes = nil
	p.alarmed()
	alarm(t, lab, pb.AlarmRequest_DEACTIVATE)
	must(t, p.apply().err)
	p.proven("the alarm was cleared")

	leads := p.leader()
	down := p.followerBut(leads)
	must(t, lab.Host(p.members[down]).PowerOff(t.Context()))
	p.flow(50)
	for _, victim := range slices.Sorted(maps.Keys(p.members)) {
		if victim == down {
			continue
		}
		p.members = three()
		delete(p.members, victim)
		p.refuses("removing "+victim+" with "+down+" down", "3 voting members, 1 down", "removing "+victim, "leaves 1 of 2", "no quorum",
			"bring "+three()[down]+" back first")
	}
	p.members = three()
	p.members["etcd-4"] = "h4"
	p.refuses("adding with "+down+" down", "3 voting members, 1 down", "Nothing was changed", "Bring "+three()[down]+" back first")
	p.members = three()
	p.attributes = []string{"snapshot_count = 5000"}
	p.refuses("rolling with "+down+" down", "3 voting members, 1 down", "Nothing was changed")
	p.attributes = nil

	must(t, lab.Host(p.members[down]).PowerOn(t.Context()))
	p.write()
	await(t, down+" is back", func(context.Context) error {
		_, err := statusAt(url(lab, p.members[down]))
		return err
	})
	p.proven("the host is back")
}

// alarm raises or clears NOSPACE of the member on h1.
func alarm(t *testing.T, lab *testlab.Lab, action pb.AlarmRequest_AlarmAction) {
	t.Helper()
	client, ctx, done := connect(t, lab, "h1")
	defer done()
	status, err := client.Status(ctx, url(lab, "h1"))
	must(t, err)
	_, err = pb.NewMaintenanceClient(client.ActiveConnection()).Alarm(ctx, &pb.AlarmRequest{
		Action: action, Alarm: pb.AlarmType_NOSPACE, MemberID: status.Header.MemberId,
	})
	must(t, err)
}

// alarmed: under an alarm a repair is made and told to be not all, and what only
// a person can do is not planned again and again.
func (p *proof) alarmed() {
	p.t.Helper()
	down := p.follower()
	docker(p.t, p.lab, p.members[down], "stop", "anka-acc-etcd-"+down)
	p.write()
	o := p.apply()
	must(p.t, o.err)
	if len(o.done) != 1 || !strings.HasPrefix(o.done[0], "start "+down) || !sameSteps(o.planned, o.done) {
		p.t.Errorf("planned was %v, done was %v", o.planned, o.done)
	}
	told := func(w string) bool {
		return strings.Contains(w, "active alarm") && strings.Contains(w, "alarm NOSPACE of etcd-1 on h1") && strings.Contains(w, "takes a person")
	}
	if !slices.ContainsFunc(o.warnings, told) {
		p.t.Errorf("the alarm is not told: %v", o.warnings)
	}
	if p.state().Ready {
		p.t.Error("the state says ready under an alarm")
	}
	p.nothingLeft("under an alarm")
}

// refuses: the plan is an error that says all of this, and no host was touched.
func (p *proof) refuses(what string, wants ...string) {
	p.t.Helper()
	p.write()
	before := p.containerIDs()
	o := p.plan()
	p.says(what, o, wants...)
	p.same(before)
}

// fails: the apply is an error that says all of this. The cluster goes on and
// has lost nothing.
func (p *proof) fails(what string, wants ...string) {
	p.t.Helper()
	p.write()
	p.flow(100)
	p.writer.Lap()
	o := p.apply()
	report := p.writer.Lap()
	p.t.Logf("%s: %s; %s\n  %s", what, o.took, report, strings.Join(o.done, "\n  "))
	p.says(what, o, wants...)
	if report.LongestGap > maxGap {
		p.t.Errorf("%s: no write was acknowledged for %s, at most %s is allowed", what, report.LongestGap, maxGap)
	}
	p.flow(50)
	verdict, err := etcdload.Check(p.t.Context(), p.writer.Record(), p.endpoints()...)
	must(p.t, err)
	if err := verdict.Err(); err != nil {
		p.t.Errorf("%s: %v", what, err)
	}
}

func (p *proof) says(what string, o outcome, wants ...string) {
	p.t.Helper()
	if o.err == nil || len(o.errors) != 1 {
		p.t.Fatalf("%s: want one error, got %v", what, o.errors)
	}
	for _, want := range wants {
		if !strings.Contains(o.text(), want) {
			p.t.Errorf("%s: the error does not say %q:\n%s", what, want, o.text())
		}
	}
	p.t.Logf("%s: %s", what, o.text())
}

// containerIDs are the IDs and names of all containers, by host that is up.
func (p *proof) containerIDs() map[string]string {
	p.t.Helper()
	ids := map[string]string{}
	for _, host := range p.lab.Hosts {
		if host.Running() {
			ids[host.Name] = docker(p.t, p.lab, host.Name, "ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}}")
		}
	}
	return ids
}

// same: the containers are those of before.
func (p *proof) same(before map[string]string) {
	p.t.Helper()
	if after := p.containerIDs(); !maps.Equal(before, after) {
		p.t.Errorf("containers were %v and are %v", before, after)
	}
}
