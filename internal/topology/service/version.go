package service

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// TooNew are the settings in values that a version of the service, such as
// 1.50.1 or v1.50.1-5e3c3f5b, does not have. Write-only rows are in values when
// they are given. A version that cannot be parsed has all.
func (t Table) TooNew(values Values, version string) []Problem {
	has, ok := parseVersion(version)
	if !ok {
		return nil
	}
	var found []Problem
	for _, s := range t {
		since, limited := parseVersion(s.Since)
		value, given := values[s.Env]
		off := s.Kind == KindBool && value == "false" // what is not there is off, too
		if !given || off || !limited || slices.Compare(has, since) >= 0 {
			continue
		}
		found = append(found, Problem{s, fmt.Errorf("version %s of the image does not have this setting, which came with %s: "+
			"remove it, or use a newer image", strings.TrimPrefix(version, "v"), s.Since)})
	}
	return found
}

// parseVersion is major, minor and patch. What follows a hyphen or plus marks a
// build and does not count.
func parseVersion(text string) ([]int, bool) {
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "v"), "-")
	text, _, _ = strings.Cut(text, "+")
	var version []int
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil, false
		}
		version = append(version, n)
	}
	return version, len(version) == 3
}
