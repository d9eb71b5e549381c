package etcd

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// way is between what members run and what is configured.
type way struct{ from, to string }

var ways = []way{{"3.5.35", "3.5.35"}, {"3.6.14", "3.6.16"}, {"3.5.35", "3.6.16"}, {"3.6.16", "3.7.3"}, {"3.7.3", "3.6.16"}}

// made is what a member's container was made of: what the cluster ran, what is
// desired, or, on the way that needs it, what flushes.
func (w way) made(t *rapid.T, d Desired, m Member) Desired {
	switch rapid.IntRange(0, 5).Draw(t, "made of "+m.Name) {
	case 0:
		return d
	case 1:
		if w.to == "3.7.3" {
			d.Settings.ExtraArgs = append(slices.Clone(d.Settings.ExtraArgs), flushCount)
		}
	}
	d.Image, d.Version = "etcd:v"+w.from, w.from
	return d
}

// lowest is what a cluster of these versions works as, unless it is going down.
func lowest(versions map[string]string) string {
	var least Version
	for _, text := range versions {
		if v, err := ParseVersion(text); err == nil && (least.IsZero() || v.Before(least)) {
			least = v
		}
	}
	if least.IsZero() {
		return ""
	}
	return least.minor() + ".0"
}

// checkWay is what must hold of every step on the way between two minor
// versions.
func checkWay(t *rapid.T, d Desired, o Observed, step topology.Step) {
	c := o.Membership
	if !c.Known {
		return
	}
	runs := map[string]bool{}
	for _, s := range lookAt(d, o, d.All()) {
		if v, err := ParseVersion(c.Versions[s.PeerURL()]); err == nil && c.Healthy[s.PeerURL()] && s.status() == container.Running {
			runs[v.minor()] = true
			runs[recordedVersion(s.previous).minor()] = s.kept()
		}
	}
	joins := func(of Desired) {
		v, err := ParseVersion(of.Version)
		if err != nil || len(runs) > 0 && !runs[v.minor()] {
			t.Fatalf("%s with %s among members that run %v", step, of.Version, runs)
		}
	}
	switch s := step.(type) {
	case Recreate:
		joins(s.Of)
	case JoinMember:
		joins(s.Of)
	case Replace:
		checkHopOf(t, d, o, s, runs)
	case Downgrade:
		to, _ := ParseVersion(d.Version)
		if s.To != to.minor() || len(runs) == 0 || runs[s.To] {
			t.Fatalf("%s while %v run", s, runs)
		}
	case CancelDowngrade:
		to, _ := ParseVersion(d.Version)
		if s.Target == to.minor() {
			t.Fatalf("%s is what is configured", s)
		}
	}
}

// checkHopOf: nobody comes to 3.7 without having flushed, nor to an older
// version without the cluster's knowing.
func checkHopOf(t *rapid.T, d Desired, o Observed, s Replace, runs map[string]bool) {
	one := lookAt(d, o, []Member{s.Member})[0]
	old := one.container
	if one.kept() {
		old = one.previous
	}
	from, to := recordedVersion(old), recordedVersion(createdFrom(s.Of.Spec(s.Member, Rejoin, "")))
	cluster, _ := ParseVersion(o.Membership.WorksAs)
	behind := from.Minor < cluster.Minor && !o.Downgrading && o.Membership.DowngradeTarget == "" && old.Status != container.Absent
	if s.Flush && behind {
		t.Fatalf("%s on %s, which does not start in a cluster that works as %s", s, from, cluster)
	}
	if s.Overtaken && (!behind || o.Membership.Healthy[s.Member.PeerURL()]) {
		t.Fatalf("%s leaves %s without a flush, where the cluster works as %q", s, from, o.Membership.WorksAs)
	}
	if s.Flush || s.Back || behind || old.Status == container.Absent {
		return
	}
	flushed := old.Hash() == d.FlushSpec(s.Member, old.Image, "").Labels[container.LabelHash]
	retried := one.container.Hash() == s.Of.Spec(s.Member, Rejoin, "").Labels[container.LabelHash]
	if from.minor() == "3.6" && to.minor() == "3.7" && !flushed && !retried {
		t.Fatalf("%s comes from %s to %s without having flushed", s, from, to)
	}
	if to.Minor < from.Minor && !runs[to.minor()] && !o.Downgrading && o.Membership.DowngradeTarget == "" {
		t.Fatalf("%s goes down without the cluster's knowing, where %v run", s, runs)
	}
}
