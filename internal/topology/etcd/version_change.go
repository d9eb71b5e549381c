package etcd

import (
	"fmt"
	"slices"
	"strings"
)

// Path is what a way between versions needs besides new containers.
type Path struct {
	// Flush: before its first member is replaced, every member has to take a
	// raft snapshot on its old version, with nothing of the version before that
	// left behind it in the log.
	Flush bool
	// Downgrade is the minor version that the cluster must be told of before
	// the first member is replaced (validate, then enable), such as 3.6; "" for
	// a way that is none.
	Downgrade string
	// Warnings are sentences about the version aimed at that do not keep it
	// from being run.
	Warnings []string
}

// The newest patches that were known when this was written. They are named as
// hops on the way to another minor version, never enforced.
var newestPatches = []Version{
	{Major: 3, Minor: 5, Patch: 35}, {Major: 3, Minor: 6, Patch: 16}, {Major: 3, Minor: 7, Patch: 3},
}

var (
	oldest = Version{Major: 3, Minor: 5}
	newest = newestPatches[len(newestPatches)-1]
)

// floor is the patch that members must have before they go to the next minor.
type floor struct {
	required Version
	// advised is what etcd's guide meanwhile asks for.
	advised Version
	why     string
}

var floors = []floor{
	{
		// etcd's blog "zombie members" and pull request 20995; the guide
		// "Upgrade etcd from v3.5 to v3.6" has since raised it to 3.5.32.
		required: Version{Major: 3, Minor: 5, Patch: 26}, advised: Version{Major: 3, Minor: 5, Patch: 32},
		why: "older patches can bring removed members back, or make voters learners again",
	}, {
		// etcd's guide "Upgrade etcd from v3.6 to v3.7".
		required: Version{Major: 3, Minor: 6, Patch: 11}, advised: Version{Major: 3, Minor: 6, Patch: 11},
		why: "older patches may not work beside a member that runs 3.7",
	},
}

func floorOf(v Version) (floor, bool) {
	at := slices.IndexFunc(floors, func(f floor) bool { return f.required.sameMinor(v) })
	if at < 0 {
		return floor{}, false
	}
	return floors[at], true
}

// CheckVersion refuses versions that must not be run, and warns of those that
// better were not. The zero version passes: nothing is known of it.
func CheckVersion(to Version) (warnings []string, err error) {
	// etcd's security advisory GHSA-q8m4-xhhv-38mg, changelogs of 3.5.28 and 3.6.9.
	authFixes := []Version{{Major: 3, Minor: 5, Patch: 28}, {Major: 3, Minor: 6, Patch: 9}}
	switch {
	case to.IsZero():
		return nil, nil
	case to.Major != oldest.Major || to.Before(oldest):
		return nil, refuseVersion(fmt.Sprintf("etcd %s is not supported: use %s or later of etcd 3.", to, oldest.minor()))
	case to.sameMinor(oldest) && to.Patch <= 2:
		// etcd's postmortem "v3.5 data inconsistency", fixed by pull request
		// 13908 in 3.5.3.
		return nil, refuseVersion(fmt.Sprintf("etcd %s can corrupt data when a member is killed under load (fixed in 3.5.3). Use %s.", to, newestPatches[0]))
	case to.Minor > newest.Minor:
		warnings = append(warnings, fmt.Sprintf("etcd %s is newer than this version of the provider knows (up to %s): its flags are taken to be those of %s.",
			to, newest.minor(), newest.minor()))
	case !to.fixedIn(authFixes...):
		warnings = append(warnings, fmt.Sprintf("etcd %s lets anybody who reaches it list members, raise alarms and use leases even when authentication is on "+
			"(CVE-2026-33413, fixed in %s and %s).", to, authFixes[0], authFixes[1]))
	}
	if to.pre != "" {
		warnings = append(warnings, fmt.Sprintf("etcd %s is a pre-release.", to))
	}
	return warnings, nil
}

// CheckChange tells what the way from the versions that the members run to
// another one needs, or refuses it with a [Refusal] that names the hops. from
// has a version for every member that told one, in any order; without any it
// is a new cluster. While versions are mixed the cluster works as the lowest
// of them, so a roll that was interrupted can go on or go back.
func CheckChange(from []Version, to Version) (Path, error) {
	from = slices.Clone(from)
	slices.SortFunc(from, Version.Compare)
	from = slices.Compact(from)
	if len(from) > 0 && to.IsZero() {
		return Path{}, &Refusal{
			Attribute: "image", Summary: "Version of the image is unknown",
			Detail: fmt.Sprintf("The members run etcd %s, and the tag of the new image does not tell what it runs, so nothing can tell whether the change is safe. "+
				"Nothing was changed. Use a tag with all three numbers, such as v%s, or tell the version with etcd_version.", versions(from), newestPatches[0]),
		}
	}
	if len(from) == 1 && from[0] == to {
		warnings, _ := CheckVersion(to) // what runs already is not refused for that
		return Path{Warnings: warnings}, nil
	}
	warnings, err := CheckVersion(to)
	if err != nil || len(from) == 0 {
		return Path{Warnings: warnings}, err
	}
	path := Path{Warnings: warnings}
	for _, v := range from {
		if err := checkHop(v, to); err != nil {
			return Path{}, err
		}
		switch {
		// etcd 3.7 cannot read entries that 3.5 left in the log behind the last
		// raft snapshot ("unmarshal should never fail"); whether there are any
		// cannot be seen from outside.
		case v.minor() == "3.6" && to.minor() == "3.7":
			path.Flush = true
		case to.sameMinor(oldest) && v.Minor > to.Minor && to.Before(floors[0].required):
			path.warn(fmt.Sprintf("etcd's guide asks for the latest patch of %s to downgrade to; from %s there is no way up again before %s.",
				to.minor(), to, floors[0].required))
		}
		if f, any := floorOf(v); any && v.Minor < to.Minor && v.Before(f.advised) {
			path.warn(fmt.Sprintf("etcd's guide asks for %s or later before %s; %s is running.", f.advised, to.minor(), v))
		}
	}
	// The lowest version is what the cluster works as. Only when that is left
	// behind must it be told; halfway up or down it knows already (etcd's
	// guides on upgrading and downgrading, "Rollback").
	if lowest := from[0]; lowest.Minor > to.Minor {
		path.Downgrade = to.minor()
	}
	return path, nil
}

func (p *Path) warn(sentence string) {
	if !slices.Contains(p.Warnings, sentence) {
		p.Warnings = append(p.Warnings, sentence)
	}
}

// checkHop refuses what a member that runs from cannot be changed to at once.
func checkHop(from, to Version) error {
	hop := fmt.Sprintf("from etcd %s to %s", from, to)
	switch {
	case from.Major != to.Major || from.Before(oldest):
		return refuseVersion(fmt.Sprintf("There is no way %s: this provider changes etcd 3 from %s on.", hop, oldest.minor()))
	case to.Minor > from.Minor+1:
		return refuseVersion(fmt.Sprintf("etcd is upgraded one minor version at a time. On the way %s apply one after the other: %s.", hop, hops(from, to)))
	case to.Minor < from.Minor-1:
		return refuseVersion(fmt.Sprintf("etcd is downgraded one minor version at a time. On the way %s apply one after the other: %s.", hop, hops(from, to)))
	}
	f, any := floorOf(from)
	if any && to.Minor > from.Minor && from.Before(f.required) {
		return refuseVersion(fmt.Sprintf("Before etcd %s all members must run %s or later: %s. On the way %s apply one after the other: %s.",
			to.minor(), f.required, f.why, hop, hops(from, to)))
	}
	// Changelog of 3.6.4, pull request 20387: replaying the promotion of a
	// learner made earlier releases fail to start.
	if fixed := (Version{Major: 3, Minor: 6, Patch: 4}); from.Minor < to.Minor && to.sameMinor(fixed) && to.Before(fixed) {
		return refuseVersion(fmt.Sprintf("etcd %s may not start on data of %s in which a learner was promoted (fixed in %s). Use %s.",
			to, from.minor(), fixed, patchOf(to.Minor)))
	}
	return nil
}

func refuseVersion(detail string) error {
	return &Refusal{Attribute: "image", Summary: "Unsafe version of etcd", Detail: detail + " Nothing was changed."}
}

// hops names the versions to apply one after the other: "3.5.25 → 3.5.35 →
// 3.6.16 → 3.7.3".
func hops(from, to Version) string {
	way := []Version{from}
	if from.Minor < to.Minor {
		if f, any := floorOf(from); any && from.Before(f.advised) {
			way = append(way, patchOf(from.Minor))
		}
		for minor := from.Minor + 1; minor < to.Minor; minor++ {
			way = append(way, patchOf(minor))
		}
	}
	for minor := from.Minor - 1; minor > to.Minor; minor-- {
		way = append(way, patchOf(minor))
	}
	var names []string
	for _, v := range append(way, to) {
		names = append(names, v.String())
	}
	return strings.Join(names, " → ")
}

// patchOf is the newest known patch of a minor version.
func patchOf(minor int) Version {
	at := slices.IndexFunc(newestPatches, func(v Version) bool { return v.Minor == minor })
	if at < 0 {
		return Version{Major: newest.Major, Minor: minor}
	}
	return newestPatches[at]
}

func versions(list []Version) string {
	var names []string
	for _, v := range list {
		names = append(names, v.String())
	}
	return strings.Join(names, ", ")
}
