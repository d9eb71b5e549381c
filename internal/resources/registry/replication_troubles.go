package registry

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/replicationops"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// status is what a container says of itself, and why it is not believed.
type status struct {
	replicationops.Status
	hangs string
}

// why is why it does not replicate, "" when it does.
func (s status) why() string {
	if s.hangs == "" {
		return s.Error()
	}
	if last := s.Error(); last != "" {
		return s.hangs + "; before that: " + last
	}
	return s.hangs
}

// cause is a kind of reasons why replication does not go on, with what to do.
type cause struct {
	has    func(status) bool
	remedy string
}

// says matches errors that have any of these texts, which the programs of
// source and follower write.
func says(texts ...string) func(status) bool {
	return func(s status) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(s.Error(), text) })
	}
}

// causes are looked at in this order; the last one is everything else.
var causes = []cause{
	{
		func(s status) bool { return s.hangs != "" },
		"It hangs, or cannot write what it does, as when the host's disk is full, and does not go on by itself. Make room, look at its log, and restart the container:",
	},
	{
		func(s status) bool { return s.Follower != nil && s.Follower.BlockedDeletion != "" },
		"A deletion is over the limit, and a person has to decide. Nothing is deleted until then. If it is meant, set replication.allow_deletions to its ID and apply, or write the ID " +
			"into the file " + replication.StateDir + "/" + replication.AllowDeletionsFile + " of the replica's storage. Each further deletion on the primary gives another ID. " +
			"If it is not meant, let a replica be the primary, which has it all:",
	},
	{
		says(replication.Sentinel, "the storage is gone", "lost its directory"),
		"A disk is not the registry's or not there, and nothing is deleted. It does not go on by itself: containers that run do not see a disk that is mounted later. " + wayBack,
	},
	{
		says("were not put here by replication"),
		"Files are in conflict, and a person has to decide which of them is right; both stay as they are until then, and everything else is replicated. " +
			"Push that of the replica to the primary under another tag, or remove it from the replica's storage:",
	},
	{
		func(status) bool { return true },
		"It goes on by itself once the cause is gone, and nothing is deleted until then:",
	},
}

// begins reports whether a follower was only just started: the first passes of
// all containers that were made together may find no source yet.
func begins(s status) bool {
	return s.hangs == "" && s.Follower != nil && s.Follower.Passes <= 2 && strings.HasPrefix(s.Error(), "cannot reach the primary's source")
}

// stopped tells what does not replicate by its cause, "" when all do.
func stopped(statuses map[string]status) string {
	lines := make([][]string, len(causes))
	for host, s := range statuses {
		if why := s.why(); why != "" && !begins(s) {
			at := slices.IndexFunc(causes, func(c cause) bool { return c.has(s) })
			lines[at] = append(lines[at], host+": "+why)
		}
	}
	var told []string
	for i, c := range causes {
		if len(lines[i]) > 0 {
			slices.Sort(lines[i])
			told = append(told, c.remedy+"\n\n"+strings.Join(lines[i], "\n"))
		}
	}
	return strings.Join(told, "\n\n")
}

// troubles are warnings of what statuses tell.
func troubles(statuses map[string]status) diag.Diagnostics {
	var all diag.Diagnostics
	var ahead []string
	for host, s := range statuses {
		if f := s.Follower; f != nil && f.AheadCount > 0 {
			ahead = append(ahead, fmt.Sprintf("%s: %d files, such as %s", host, f.AheadCount, strings.Join(f.Ahead[:min(len(f.Ahead), 3)], ", ")))
		}
	}
	slices.Sort(ahead)
	if told := stopped(statuses); told != "" {
		all.AddWarning("Replication of registries does not go on", told)
	}
	if len(ahead) > 0 {
		all.AddWarning("Replicas are ahead of the primary", "They have files that did not come from the primary, such as templates that were pushed to them. "+
			"These are neither copied nor deleted. Push them to the primary, or delete them:\n\n"+strings.Join(ahead, "\n"))
	}
	return all
}
