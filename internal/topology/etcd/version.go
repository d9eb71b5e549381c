package etcd

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Version is a release of etcd. The zero value is an unknown one.
type Version struct {
	Major, Minor, Patch int
	// pre is the pre-release, such as rc.1; "" for a release proper.
	pre string
}

// IsZero reports whether the version is not known.
func (v Version) IsZero() bool { return v == Version{} }

// String is the version without a leading v, such as 3.5.35 or 3.6.0-rc.1;
// "unknown" for the zero value.
func (v Version) String() string {
	if v.IsZero() {
		return "unknown"
	}
	text := fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch)
	if v.pre != "" {
		text += "-" + v.pre
	}
	return text
}

// minor is what etcd's downgrade call takes: major and minor, such as 3.6.
func (v Version) minor() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// sameMinor reports whether only the patches differ.
func (v Version) sameMinor(o Version) bool { return v.Major == o.Major && v.Minor == o.Minor }

// Before reports whether v is an older release than o.
func (v Version) Before(o Version) bool { return v.Compare(o) < 0 }

// Compare is negative when v is older than o, positive when it is newer, and 0
// when they are the same. A pre-release is older than its release.
func (v Version) Compare(o Version) int {
	if c := cmp.Or(cmp.Compare(v.Major, o.Major), cmp.Compare(v.Minor, o.Minor), cmp.Compare(v.Patch, o.Patch)); c != 0 {
		return c
	}
	switch {
	case v.pre == o.pre:
		return 0
	case v.pre == "":
		return 1
	case o.pre == "":
		return -1
	}
	return comparePre(v.pre, o.pre)
}

// comparePre compares pre-releases part by part, numbers as numbers: rc.2
// comes before rc.10.
func comparePre(a, b string) int {
	left, right := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(left), len(right)) {
		m, errM := strconv.Atoi(left[i])
		n, errN := strconv.Atoi(right[i])
		c := strings.Compare(left[i], right[i])
		if errM == nil && errN == nil {
			c = cmp.Compare(m, n)
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(left), len(right))
}

// ParseVersion reads 3.5.35 or v3.5.35. What follows the patch after a hyphen
// or plus is a pre-release when it begins with alpha, beta or rc; else it is a
// mark of whoever built it (-0, -arm64, +git) and says nothing of etcd.
func ParseVersion(text string) (Version, error) {
	wrong := fmt.Errorf("%q is not a version of etcd such as 3.5.35", text)
	numbers := strings.TrimPrefix(text, "v")
	suffix := ""
	if at := strings.IndexAny(numbers, "-+"); at >= 0 {
		numbers, suffix = numbers[:at], numbers[at+1:]
		if suffix == "" {
			return Version{}, wrong
		}
	}
	parts := strings.Split(numbers, ".")
	if len(parts) != 3 {
		return Version{}, wrong
	}
	var n [3]int
	for i, part := range parts {
		// Atoi takes signs, a version does not.
		if part == "" || len(part) > 4 || strings.Trim(part, "0123456789") != "" {
			return Version{}, wrong
		}
		n[i], _ = strconv.Atoi(part)
	}
	v := Version{Major: n[0], Minor: n[1], Patch: n[2]}
	for _, stage := range []string{"alpha", "beta", "rc"} {
		if strings.HasPrefix(suffix, stage) {
			v.pre, _, _ = strings.Cut(suffix, "+")
			v.pre, _, _ = strings.Cut(v.pre, "-")
		}
	}
	if v.IsZero() {
		return Version{}, wrong
	}
	return v, nil
}

// VersionOfImage reads the version from an image's tag; ok is false when the
// reference has no tag or one that does not tell the whole version, such as
// latest or v3.5.
func VersionOfImage(ref string) (v Version, ok bool) {
	ref, _, _ = strings.Cut(ref, "@")
	// A colon before the last slash belongs to the registry's port.
	name := ref[strings.LastIndex(ref, "/")+1:]
	_, tag, tagged := strings.Cut(name, ":")
	if !tagged {
		return Version{}, false
	}
	v, err := ParseVersion(tag)
	return v, err == nil
}

// VersionOf is what an image runs: what the user told with etcd_version, or
// else what the image's tag tells. The zero value means that nobody told. It
// is an error when the two contradict each other.
func VersionOf(image, told string) (Version, error) {
	tagged, known := VersionOfImage(image)
	if told == "" {
		return tagged, nil
	}
	v, err := ParseVersion(told)
	if err != nil {
		return Version{}, &Refusal{
			Attribute: "etcd_version", Summary: "Invalid version of etcd",
			Detail: sentence(err.Error()) + " Write all three numbers, as etcd --version does.",
		}
	}
	if known && v != tagged {
		return Version{}, &Refusal{
			Attribute: "etcd_version", Summary: "Version contradicts the image",
			Detail: fmt.Sprintf("etcd_version says %s where the tag of the image %s says %s. "+
				"Remove etcd_version, which is only for images whose tag does not tell.", v, image, tagged),
		}
	}
	return v, nil
}

// CheckRuns compares the version that a member was to run, "" where that is not
// known, with what it says. A host keeps what it has under an image's name, so
// that the name alone brings no other version.
func CheckRuns(host, image, told, runs string) error {
	wanted, known := parsed(told)
	v, says := parsed(runs)
	if !known || !says || v.sameMinor(wanted) {
		return nil
	}
	return fmt.Errorf("what host %s has as %s is etcd %s, not %s", host, image, v, wanted)
}

// OtherVersion is what to do about a member that runs another version than its
// container was made for.
const OtherVersion = "Use the right image under another name or tag, since for a name that stays nothing is replaced, or correct etcd_version where the tag tells no version."

// MayReturn reports whether a member whose new container runs a version, "" when
// it never worked, can go back to its old one. etcd does not start on data of a
// cluster that works as a later minor version, and a cluster works as the lowest
// of its members, learners among them.
func (m Membership) MayReturn(member Member, old container.Found, runs string) bool {
	was := recordedVersion(old)
	if was.IsZero() {
		was, _ = parsed(m.Versions[member.PeerURL()])
	}
	low := []string{runs}
	for _, p := range m.Peers {
		if !p.is(member) {
			low = append(low, m.Versions[p.url()])
		}
	}
	return runs == "" || was.IsZero() || slices.ContainsFunc(low, func(text string) bool {
		v, known := parsed(text)
		return known && (v.sameMinor(was) || v.Before(was))
	})
}

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

// PromotionPersists reports whether a promoted learner stays a voter after a
// restart into a later minor version. 3.5.1 to 3.5.19 did not write the
// promotion to the backend (etcd issue 19557, fixed by pull request 19563 in
// 3.5.20): there a member is added as a voter, or the patch is upgraded first.
func PromotionPersists(v Version) bool {
	return v.Before(Version{Major: 3, Minor: 5, Patch: 1}) || !v.Before(Version{Major: 3, Minor: 5, Patch: 20})
}

// PromoteThroughFollowerSafe reports whether a follower forwards a promotion
// when authentication is on. Before 3.5.28 (etcd pull request 21494) and 3.6.6
// (20874) that ran into the time limit: send it to the leader.
func PromoteThroughFollowerSafe(v Version) bool {
	return v.fixedIn(Version{Major: 3, Minor: 5, Patch: 28}, Version{Major: 3, Minor: 6, Patch: 6})
}

// fixedIn reports whether v has a fix that was released in these patches of
// subsequent minors; later minors have it from their beginning, earlier ones
// never got it.
func (v Version) fixedIn(patches ...Version) bool {
	for _, fix := range patches {
		if v.sameMinor(fix) {
			return !v.Before(fix)
		}
	}
	return v.Compare(patches[len(patches)-1]) > 0
}
