package registry

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// Replicator is the replication container beside one replica, as it was found.
// All that was read of it is as old as Clock.
type Replicator struct {
	// Failure is why it is not known what is there, "" when it is.
	Failure string
	// Container is its name, "" when the host has none.
	Container string
	Status    container.Status
	// Detail is the daemon's sentence about Status.
	Detail string
	// File is its status file, nil when there is none yet.
	File []byte
	// Settings are the file that it was started with.
	Settings []byte
	// Clock is the time on its host, taken after the files were read. The
	// times in the files are of the same clock.
	Clock time.Time
}

// ReplicationQuestion is what is known of the replication of one anka_registry.
type ReplicationQuestion struct {
	// Replicators by host, one for every replica.
	Replicators map[string]Replicator
	// Primary is the host of the primary as labels have it, "" when they say
	// nothing. A source that runs knows better.
	Primary string
	// Common: all replicas have the same data, and need no replication.
	Common bool
}

// ReplicationStatus is the verdict on one replica.
type ReplicationStatus struct {
	// InSync: it holds all that the primary does, as far as can be told.
	InSync bool
	// Reason is why not, "" when it does.
	Reason string
	// Hangs is why it is not believed any more, "" when it is: it has not looked
	// for long, whatever it said last.
	Hangs string
	// LagSeconds since it last held all that the primary did: 0 in sync, -1
	// when it never did or that is not known.
	LagSeconds int64
	// LagBytes of layers that were missing at the last pass.
	LagBytes int64
	// LastSuccess and LastAttempt are RFC 3339, "" when there was none.
	LastSuccess, LastAttempt string
	// Ahead are the first of the AheadCount files that the primary does not
	// have, or has otherwise.
	Ahead      []string
	AheadCount int64
	// BlockedDeletion is the ID by which a deletion over the limit can be
	// allowed, "" when none is blocked.
	BlockedDeletion string
}

// ReplicationState is the verdict on all replicas.
type ReplicationState struct {
	// Replicated: at least one replica has a replication container.
	Replicated bool
	// Primary is its host, "" when it cannot be told.
	Primary string
	// Replicas by host.
	Replicas map[string]ReplicationStatus
}

// AssessReplication judges which replicas hold what the primary does. It
// believes a follower only as far as what it says is recent, and what the
// source says is not newer.
func AssessReplication(q ReplicationQuestion) ReplicationState {
	a := assessment{ReplicationQuestion: q, followers: map[string]replication.Status{}, sources: map[string]replication.SourceStatus{}}
	var running []string
	for _, host := range slices.Sorted(maps.Keys(q.Replicators)) {
		r := q.Replicators[host]
		if source, err := replication.ParseSourceStatus(r.File); err == nil {
			a.sources[host] = source
			if r.runs() {
				running = append(running, host)
			}
		} else if follower, err := replication.ParseStatus(r.File); err == nil {
			a.followers[host] = follower
		}
		a.replicated = a.replicated || r.Container != ""
	}
	if len(running) > 1 {
		a.rivals = running
	}
	a.primary = a.choosePrimary(running)
	result := ReplicationState{Replicated: a.replicated, Primary: a.primary, Replicas: map[string]ReplicationStatus{}}
	for host := range q.Replicators {
		result.Replicas[host] = a.judge(host)
	}
	return result
}

type assessment struct {
	ReplicationQuestion
	followers  map[string]replication.Status
	sources    map[string]replication.SourceStatus
	replicated bool
	primary    string
	rivals     []string // sources that run at the same time, when there are several
}

func (r Replicator) runs() bool {
	return r.Status == container.Running || r.Status == container.Restarting
}

func (a *assessment) choosePrimary(running []string) string {
	if len(running) > 0 {
		return only(running)
	}
	if sources := slices.Collect(maps.Keys(a.sources)); len(sources) > 0 {
		return only(sources)
	}
	if hosts := slices.Collect(maps.Keys(a.Replicators)); len(hosts) == 1 {
		return hosts[0]
	}
	// Labels may be older than a change of the primary.
	if _, follows := a.followers[a.Primary]; follows {
		return ""
	}
	return a.Primary
}

// only is the one of several that there is no choice of.
func only(hosts []string) string {
	if len(hosts) != 1 {
		return ""
	}
	return hosts[0]
}

func (a *assessment) judge(host string) ReplicationStatus {
	r := a.Replicators[host]
	behind := func(format string, args ...any) ReplicationStatus {
		return ReplicationStatus{LagSeconds: -1, Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case r.Failure != "":
		return behind("%s", r.Failure)
	case !a.replicated && (a.Common || host == a.primary):
		return ReplicationStatus{InSync: true}
	case !a.replicated:
		return behind("no host has a replication container of this registry, so whether this replica holds what the primary does is not known")
	case r.Container == "":
		return behind("the host has no replication container of this registry, while others have; apply makes it")
	}
	var status ReplicationStatus
	if source, is := a.sources[host]; is {
		status = a.judgeSource(r, source)
	} else if follower, is := a.followers[host]; is {
		status = a.judgeFollower(r, follower)
	} else if len(r.File) == 0 {
		status = behind("the container %s has not made a pass yet (%s)", r.Container, r.Detail)
	} else {
		_, err := replication.ParseStatus(r.File)
		status = behind("what the container %s says of itself cannot be read: %v", r.Container, err)
	}
	switch {
	case !r.runs():
		status.Reason = fmt.Sprintf("the container %s does not run: it is %s (%s)%s", r.Container, r.Status, r.Detail, before(status.Reason))
	case len(a.rivals) > 0:
		status.Reason = fmt.Sprintf("the replicas on %s are all sources of replication, so a change of the primary was interrupted; apply again%s",
			strings.Join(a.rivals, " and "), before(status.Reason))
	}
	status.InSync = status.Reason == ""
	if status.InSync {
		status.LagSeconds, status.LagBytes = 0, 0
	}
	return status
}

// before appends a reason that came earlier.
func before(reason string) string {
	if reason == "" {
		return ""
	}
	return "; before that: " + reason
}

// judgeSource: what the primary has is what it has, so its lag is that of the
// look at it.
func (a *assessment) judgeSource(r Replicator, s replication.SourceStatus) ReplicationStatus {
	status := ReplicationStatus{LagSeconds: -1, LastAttempt: s.LastAttempt}
	at, known := recent(s.LastAttempt, r.Clock)
	switch {
	case s.State != "ok":
		status.Reason = "the source offers nothing: " + s.LastError
	case !known:
		status.Reason = fmt.Sprintf("the source %s looked at the data last at %q, and it is %s on its host: its clock was changed", r.Container, s.LastAttempt, stamp(r.Clock))
	case r.Clock.Sub(at) > passTime:
		status.Hangs = fmt.Sprintf("the source %s hangs: it has not looked at the data since %s, and it is %s on its host; look at its log and restart it",
			r.Container, s.LastAttempt, stamp(r.Clock))
		status.Reason = status.Hangs
	default:
		status.LastSuccess = s.LastAttempt
	}
	return status
}

func (a *assessment) judgeFollower(r Replicator, f replication.Status) ReplicationStatus {
	status := ReplicationStatus{
		LagSeconds: -1, LagBytes: f.LagBytes, LastSuccess: f.LastSuccess, LastAttempt: f.LastAttempt,
		Ahead: f.Ahead, AheadCount: f.AheadCount, BlockedDeletion: f.BlockedDeletion,
	}
	if last, known := recent(f.LastSuccess, r.Clock); known {
		status.LagSeconds = max(int64(r.Clock.Sub(last)/time.Second), 0)
	}
	if schedule, err := ParseSchedule(r.Settings); err == nil {
		status.Hangs = overdue(schedule, r, f)
	}
	status.Reason = a.whyBehind(r, f)
	return status
}

// whyBehind is "" for a follower that is in sync.
func (a *assessment) whyBehind(r Replicator, f replication.Status) string {
	if reason := hangs(r, f); reason != "" {
		return reason + before(f.LastError)
	}
	source, seen := a.sources[a.primary]
	attempt, _ := recent(f.LastAttempt, r.Clock) // it is, or it would hang
	switch {
	case f.LastError != "":
		return f.LastError
	case transferring(f):
		return fmt.Sprintf("it is transferring: at %s %d bytes of layers were missing", f.LastAttempt, f.LagBytes)
	case !f.InSync && f.Passes == 0:
		return fmt.Sprintf("the container %s was just started, at %s, and has not made a pass yet%s", r.Container, f.LastAttempt, whenLast(f))
	case !f.InSync || f.Generation < f.SeenGeneration:
		return "it does not hold all of what the primary has yet"
	case seen && f.Generation < source.Generation:
		return fmt.Sprintf("the primary has changed since the last pass at %s", f.LastAttempt)
	case !seen && r.Clock.Sub(attempt) > passTime:
		return fmt.Sprintf("it held all of what the primary had at %s, and the primary's source cannot be asked what came since", f.LastAttempt)
	}
	return ""
}

// whenLast says what an earlier life of the follower's container left.
func whenLast(f replication.Status) string {
	if f.LastSuccess == "" {
		return ""
	}
	return "; before that it held all of what the primary had at " + f.LastSuccess
}

// hangs tells that a follower has left out passes, "" when it has not.
func hangs(r Replicator, f replication.Status) string {
	schedule, err := ParseSchedule(r.Settings)
	if err != nil {
		return fmt.Sprintf("whether the container %s hangs is not known: %v", r.Container, err)
	}
	if _, known := recent(f.LastAttempt, r.Clock); !known {
		return fmt.Sprintf("the container %s made its last pass at %q, and it is %s on its host: its clock was changed", r.Container, f.LastAttempt, stamp(r.Clock))
	}
	return overdue(schedule, r, f)
}

// overdue tells so for a schedule; where no pass was made that is not known.
func overdue(schedule Schedule, r Replicator, f replication.Status) string {
	last, known := recent(f.LastAttempt, r.Clock)
	if !known {
		return ""
	}
	overdue, ends := schedule.overdue(last)
	if !ends || !r.Clock.After(overdue) || transferring(f) {
		return ""
	}
	return fmt.Sprintf("the container %s hangs: its last pass was at %s, it should have made %d more by now, and it is %s on its host; look at its log and restart it",
		r.Container, f.LastAttempt, missedPasses, stamp(r.Clock))
}

// transferring: a follower tells what is missing before it fetches it, now and
// then meanwhile, though not with small layers, and again when that is over, and
// then with an error unless nothing is.
func transferring(f replication.Status) bool { return f.LagBytes > 0 && f.LastError == "" }

// clockStep is by how much a time may be ahead of the clock that it was read
// from, since one has whole seconds.
const clockStep = 5 * time.Second

// recent reads a time of the past. False for none and for one of the future,
// which only a clock that was set back can have made.
func recent(text string, clock time.Time) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil && at.Sub(clock) < clockStep
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }
