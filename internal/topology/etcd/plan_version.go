package etcd

import (
	"fmt"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Renamed is the cluster without the former members that are still configured,
// only under another key of the same host: they have the name and the peer URL
// of one that is, so that they are that one, on its data.
func (d Desired) Renamed() Desired {
	d.Members, d.Former = slices.Clone(d.Members), slices.Clone(d.Former)
	for i, m := range d.Members {
		d.Former = slices.DeleteFunc(d.Former, func(old Member) bool {
			same := old.Name == m.Name && old.PeerURL() == m.PeerURL()
			if same && d.Members[i].Incarnation == "" {
				d.Members[i].Incarnation = old.Incarnation
			}
			return same
		})
	}
	return d
}

// Prevailing is what a member is made of that comes, or comes back, before the
// roll: what is desired, but as long as members run another minor version the
// image and settings of those. The rules of a way between versions hold for
// all members, and only the roll goes that way.
func (d Desired) Prevailing(o Observed) Desired {
	wanted, _ := ParseVersion(d.Version)
	for _, s := range lookAt(d, o, d.All()) {
		if s.Out || o.Membership.Known && !o.Membership.Healthy[s.PeerURL()] {
			continue // what does not work, or is no member any more, is no model
		}
		found := s.container
		if s.kept() && !o.Membership.Known { // else it works as what it is
			found = s.previous
		}
		if s.status() == container.Restarting || found.Image == d.Image {
			continue
		}
		version := recordedVersion(found)
		if v, err := ParseVersion(o.Membership.Versions[s.PeerURL()]); err == nil {
			version = v
		}
		if version.sameMinor(wanted) {
			continue
		}
		if old, err := d.madeAs(found, version); err == nil {
			return old
		}
	}
	return d
}

// madeAs is the cluster as the container was made, which runs the version. It
// fails when the container does not tell.
func (d Desired) madeAs(found container.Found, version Version) (Desired, error) {
	was, _, err := Recall(found)
	if err != nil {
		return d, err
	}
	grace := d.Settings.StopGrace
	d.Image, d.Version, d.Settings = was.Image, "", was.Settings
	if !version.IsZero() {
		d.Version = version.String()
	}
	d.Settings.StopGrace = grace
	d.Settings.ExtraArgs = slices.DeleteFunc(slices.Clone(was.Settings.ExtraArgs), func(arg string) bool { return arg == flushCount })
	return d, nil
}

// other: members run another image than the desired one, and those that come
// before the roll do, too.
func (l life) other() bool { return l.now.Image != l.d.Image }

// recordedVersion is what the container was made to run, the zero value when it
// does not tell.
func recordedVersion(found container.Found) Version {
	if was, _, err := Recall(found); err == nil {
		if v, err := ParseVersion(was.Version); err == nil {
			return v
		}
	}
	v, _ := VersionOfImage(found.Image)
	return v
}

// running are the versions that the members run, each once or more: those that
// answer tell, and of others the containers do, the old one where a member is
// being replaced. One that ends again and again may never have worked as what
// it is, and does not count. Without any container the state tells.
//
// work are those of the members that tell, or that are being replaced.
func (l life) running() (running, work []Version) {
	for _, s := range append(slices.Clone(l.states), l.former...) {
		if s.Out || l.c.Known && !l.listed(s) {
			continue
		}
		v, err := ParseVersion(l.c.Versions[s.PeerURL()])
		old, made := recordedVersion(s.previous), recordedVersion(s.container)
		switch {
		case err == nil:
			running, work = append(running, v), append(work, v)
		case s.kept() && !old.IsZero():
			running, work = append(running, old), append(work, old)
		case s.status() != container.Restarting && !made.IsZero():
			running = append(running, made)
		}
	}
	if v, err := ParseVersion(l.d.Ran); len(running) == 0 && err == nil {
		running = append(running, v)
	}
	return running, work
}

// change is what the way from the running versions to the desired one needs.
func (l life) change() (Path, error) {
	running, work := l.running()
	renewed := false
	for _, s := range l.states {
		for _, found := range []container.Found{s.container, s.previous} {
			renewed = renewed || found.Image != "" && found.Image != l.d.Image
		}
	}
	to, err := ParseVersion(l.d.Version)
	// Under a name that stays, too, there can be another version: etcd_version
	// tells.
	another := func(v Version) bool { return err == nil && !v.sameMinor(to) }
	switch {
	case !renewed && !slices.ContainsFunc(running, another):
		return Path{}, nil
	case err != nil:
		return Path{}, &Refusal{
			Attribute: "image", Summary: "Version of etcd is not known",
			Detail: fmt.Sprintf("Which version of etcd the image %s runs cannot be told from its tag, so that it cannot be told either whether the way to it is safe. "+
				"Nothing was changed. Use a tag with a version, such as v3.5.35, or set etcd_version.", l.d.Image),
		}
	}
	way, err := CheckChange(running, to)
	if known, refused := CheckChange(work, to); len(work) > 0 && err == nil && refused == nil {
		// A member that runs the older version has come to it only where it
		// works: that the cluster was told is not known by its container.
		way.Downgrade = known.Downgrade
	}
	return way, err
}

// refuseLeap refuses to make members again on another minor version where no
// container is left that tells which image they ran.
func (l life) refuseLeap(absent []memberState) error {
	ran, known := parsed(l.d.Ran)
	to, told := parsed(l.d.Version)
	left := filter(l.states, func(s memberState) bool { return s.container.Image != "" || s.kept() })
	if !known || !told || ran.sameMinor(to) || len(left) > 0 {
		return nil
	}
	return &Refusal{
		Attribute: "image", Summary: "Missing etcd members ran another version",
		Detail: fmt.Sprintf("The containers of %s are gone, and they ran etcd %s, where %s runs %s. The way between the two can only be gone with members that work. "+
			"Nothing was changed. Apply with the image of %s first, and change it afterwards.", Places(members(absent)), ran, l.d.Image, to, ran),
	}
}

// flushing: what an interrupted replacement has to go on with is the container
// that flushes the log, since the one that was put aside has not done it.
func (l life) flushing(s memberState) bool {
	if !l.way.Flush || s.container.Hash() == l.hash(l.d, s) || l.overtaken(s.previous) {
		return false
	}
	flush := l.d.FlushSpec(s.Member, s.previous.Image, s.token())
	return recordedVersion(s.previous).minor() == "3.6" && s.previous.Hash() != flush.Labels[container.LabelHash]
}

// worksAs is the version that the cluster works as, the zero value when nobody
// tells.
func (l life) worksAs() Version {
	v, _ := parsed(l.c.WorksAs)
	return v
}

// overtaken: the container is of an older minor version than the one that the
// cluster works as, and it was not told of a downgrade. etcd refuses to start
// then ("lower than determined cluster version"), so that no wait helps. It is
// so when the last member on the way up is put back: from the moment on at
// which all members run the later version there is no way back.
func (l life) overtaken(found container.Found) bool {
	made, cluster := recordedVersion(found), l.worksAs()
	told := l.o.Downgrading || l.c.DowngradeTarget != ""
	return !told && !made.IsZero() && made.Major == cluster.Major && made.Minor < cluster.Minor
}

// early: an interrupted replacement cannot go on to an older minor version,
// because the cluster does not know of the downgrade.
func (l life) early(s memberState) bool {
	return l.untold() && recordedVersion(s.previous).minor() != l.way.Downgrade
}

// untold: the way down needs telling the cluster, which was not done yet.
func (l life) untold() bool {
	target, err := ParseVersion(l.c.DowngradeTarget)
	told := l.o.Downgrading || err == nil && target.minor() == l.way.Downgrade
	return l.way.Downgrade != "" && !told
}

// parsed is the version in text; ok is false when there is none.
func parsed(text string) (v Version, ok bool) {
	v, err := ParseVersion(text)
	return v, err == nil
}
