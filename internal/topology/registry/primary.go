package registry

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// How the primary changes.
//
//  1. The old direction runs, and is brought up again where it does not. The
//     new primary's follower has to hold all that the old primary's source
//     lists in a look that began after the change did: [Handover].
//     It is asked before the registries change, and once more after that, since
//     pushes go on meanwhile. What is pushed to the old primary after that is
//     on its disk only, and is reported as ahead.
//  2. Every container of the old direction is removed, on all hosts that
//     answer, before any of the new one is made: [rollout.Desired.Together].
//  3. Those of the new direction are made, of a new term: [Tenure.Next].
//
// Interrupted in 1 or 2, no container of the new term is anywhere. The tenure
// that is known is still the old one, and the next apply begins at 1, so that
// what was pushed meanwhile is looked at again. Interrupted in 3, the labels of
// containers tell the new tenure, and the next apply goes on in 3; it does not
// look at the old primary any more, since a follower of the new term has
// perhaps changed it.
//
// A host that does not answer may keep a container of the old term. A source
// only reads. A follower of the old term reaches no source but the old one, and
// deletes only what that one lists no more, of what it listed before. Nothing
// of the new term accepts a source of the old one, and what was listed in the
// old term is no reason to delete anything in the new one.

// Handover is the comparison of the old primary with the next.
type Handover struct {
	From, To string
	// Begun is the source's status when the change began.
	Begun replication.SourceStatus
	// Source and Follower are the statuses now.
	Source   replication.SourceStatus
	Follower replication.Status
	// Passes are those of the follower when the source was first seen to have
	// looked again, -1 until then.
	Passes int64
}

// Looked reports whether the source has looked at its data since the change
// began.
func (h Handover) Looked() bool { return h.Source.LastAttempt != h.Begun.LastAttempt }

// Pending tells what is still missing, "" when the next primary holds all that
// the old one has.
func (h Handover) Pending() string {
	switch {
	case h.Source.State != "ok":
		return fmt.Sprintf("the old primary on %s does not know what it has: %s", h.From, h.Source.LastError)
	case h.Source.Generation == 0 || !h.Looked() || h.Passes < 0:
		return fmt.Sprintf("the source on %s has not looked at its storage again", h.From)
	case h.Follower.Manifest != h.Source.Manifest || !h.Follower.InSync:
		if h.Follower.LastError != "" {
			return fmt.Sprintf("the follower on %s is not in sync: %s", h.To, h.Follower.LastError)
		}
		return fmt.Sprintf("the follower on %s is not in sync: %d bytes of layers are missing", h.To, h.Follower.LagBytes)
	case h.Follower.Passes <= h.Passes:
		return fmt.Sprintf("the follower on %s has not looked at its storage again", h.To)
	default:
		return ""
	}
}

// Missing are the files that the source's manifest lists and neither the
// manifest that a follower applied last nor the list of what it has placed
// since holds as they are: layers by path, size and time, metadata by path and
// hash. It is sorted.
func Missing(manifest, applied, placed []byte) []string {
	has := map[string]bool{}
	for _, content := range [][]byte{applied, placed} {
		for line := range strings.Lines(string(content)) {
			if key, _ := entry(line); key != "" {
				has[key] = true
			}
		}
	}
	var missing []string
	for line := range strings.Lines(string(manifest)) {
		if key, path := entry(line); key != "" && !has[key] {
			missing = append(missing, path)
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

// entry reads a line of a manifest: L, path, size, time; or F, path, size, time,
// hash and what is of no interest here. The key stands for the file as it is.
func entry(line string) (key, path string) {
	fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
	switch {
	case fields[0] == "L" && len(fields) == 4:
		return strings.Join(fields, "\t"), fields[1]
	case fields[0] == "F" && len(fields) >= 5:
		return strings.Join([]string{"F", fields[1], fields[4]}, "\t"), fields[1]
	default:
		return "", ""
	}
}

// Compare is the step that refuses a change of the primary when the next one
// lacks something.
type Compare struct {
	From, To string
	// Accepted: what is missing is accepted.
	Accepted bool
}

// String tells the step in the words of the plan.
func (c Compare) String() string {
	return fmt.Sprintf("make sure that %s holds everything that the primary on %s has", c.To, c.From)
}

// Cause tells why the step is needed.
func (c Compare) Cause() string {
	if c.Accepted {
		return "the primary changes; what is missing is accepted"
	}
	return "the primary changes; otherwise nothing is changed"
}
