// Package compat knows which controllers work with which registries and etcd
// clusters, and judges a deployment before it is changed. It belongs to the
// layer topology: what is known of every component goes in, problems come out,
// and nothing is asked from here.
package compat

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Release is a version of a controller, a registry or etcd. The zero value is
// an unknown one.
type Release struct{ Major, Minor, Patch int }

// IsZero reports whether the release is not known.
func (r Release) IsZero() bool { return r == Release{} }

// String is the release without a leading v, such as 1.50.1; "unknown" for the
// zero value.
func (r Release) String() string {
	if r.IsZero() {
		return "unknown"
	}
	return fmt.Sprintf("%d.%d.%d", r.Major, r.Minor, r.Patch)
}

// Before reports whether r is older than o.
func (r Release) Before(o Release) bool {
	return cmp.Or(cmp.Compare(r.Major, o.Major), cmp.Compare(r.Minor, o.Minor), cmp.Compare(r.Patch, o.Patch)) < 0
}

// Parse reads 1.50.1 or v1.50.1. What follows the patch after a hyphen or plus,
// such as the commit in 1.50.1-5e3c3f5b, tells who built it and not what it
// can do. ok is false for anything else: 1.50 moves, and latest tells nothing.
func Parse(text string) (r Release, ok bool) {
	numbers := strings.TrimPrefix(text, "v")
	if at := strings.IndexAny(numbers, "-+"); at >= 0 {
		numbers = numbers[:at]
	}
	parts := strings.Split(numbers, ".")
	if len(parts) != 3 {
		return Release{}, false
	}
	var n [3]int
	for i, part := range parts {
		// Atoi takes signs, a version does not.
		if part == "" || len(part) > 5 || strings.Trim(part, "0123456789") != "" {
			return Release{}, false
		}
		n[i], _ = strconv.Atoi(part)
	}
	r = Release{n[0], n[1], n[2]}
	return r, !r.IsZero()
}

// OfImage reads the release from the tag of an image reference. ok is false
// for references without a tag, such as those that only have a digest, and for
// tags that do not tell a whole version.
func OfImage(ref string) (r Release, ok bool) {
	ref, _, _ = strings.Cut(ref, "@")
	// A colon before the last slash belongs to the registry's port.
	_, tag, tagged := strings.Cut(ref[strings.LastIndex(ref, "/")+1:], ":")
	if !tagged {
		return Release{}, false
	}
	return Parse(tag)
}

// Tagged is the release that the tag of an image tells, and where from in the
// words of [Known]; zero and "" when it tells none.
func Tagged(ref string) (Release, string) {
	r, ok := OfImage(ref)
	if !ok {
		return Release{}, ""
	}
	return r, "tag of image " + ref
}
