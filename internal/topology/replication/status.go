package replication

import (
	"encoding/json"
	"fmt"
	"time"
)

// Status is what a follower says of itself, [StatusPath] of its container.
type Status struct {
	// InSync: at the last pass all that the primary listed was here.
	InSync bool `json:"in_sync"`
	// Generation is the primary's generation that is here, SeenGeneration the
	// newest that was announced.
	Generation     int64 `json:"generation"`
	SeenGeneration int64 `json:"seen_generation"`
	// Manifest is the hash of the list of files that is here, "none" before the
	// first.
	Manifest string `json:"manifest"`
	// LastAttempt and LastSuccess are RFC 3339 in UTC, LastSuccess "" before
	// the first. A success is a pass that left nothing to do.
	LastAttempt string `json:"last_attempt"`
	LastSuccess string `json:"last_success"`
	// LastError is why the last pass did not succeed, "" when it did.
	LastError string `json:"last_error"`
	// LagSeconds since this replica last held all that the primary did, as of
	// LastAttempt: 0 in sync, -1 never.
	LagSeconds int64 `json:"lag_seconds"`
	// LagBytes of layers that were missing when the last transfer began.
	LagBytes int64 `json:"lag_bytes"`
	// Passes since the container started.
	Passes int64 `json:"passes"`
	// BlockedDeletion is the ID by which a deletion that was over the limit can
	// be allowed, "" when none is blocked.
	BlockedDeletion string `json:"blocked_deletion"`
	// Templates, Layers and Bytes (of layers) that were applied.
	Templates int64 `json:"templates"`
	Layers    int64 `json:"layers"`
	Bytes     int64 `json:"bytes"`
	// AheadCount is how many files are here that the primary never had, or has
	// otherwise; Ahead are the first 50 of them.
	AheadCount int64    `json:"ahead_count"`
	Ahead      []string `json:"ahead"`
	// ReplacedCount is how many former versions are kept of metadata that was
	// changed here and then replaced by the primary's.
	ReplacedCount int64 `json:"replaced_count"`
	// Held are templates that are not published, because the primary lists no
	// layer that they name.
	Held []string `json:"held"`
}

// SourceStatus is what a source says of itself, [StatusPath] of its container.
type SourceStatus struct {
	// State is ok or error; replication is stopped while it is error.
	State string `json:"state"`
	// Generation is the newest that is served, 0 when none is.
	Generation int64 `json:"generation"`
	// Manifest is the hash of its list of files.
	Manifest string `json:"manifest"`
	// LastAttempt is RFC 3339 in UTC.
	LastAttempt string `json:"last_attempt"`
	// LastError is why State is error.
	LastError string `json:"last_error"`
}

// ParseStatus reads a follower's status file.
func ParseStatus(data []byte) (Status, error) {
	var s Status
	err := parse(data, "follower", &s)
	return s, err
}

// ParseSourceStatus reads a source's status file.
func ParseSourceStatus(data []byte) (SourceStatus, error) {
	var s SourceStatus
	err := parse(data, "source", &s)
	return s, err
}

func parse(data []byte, role string, into any) error {
	var is struct {
		Role string `json:"role"`
	}
	if err := json.Unmarshal(data, &is); err != nil {
		return fmt.Errorf("the status of a replication's %s is not JSON: %w", role, err)
	}
	if is.Role != role {
		return fmt.Errorf("the status is that of a %q, not of a %s", is.Role, role)
	}
	return json.Unmarshal(data, into)
}

// LagAt is how long ago, at a time of the same clock's, the replica last held
// all that the primary did: 0 when it was in sync and looked recently, less
// than patience ago. False when it never was.
func (s Status) LagAt(at time.Time, patience time.Duration) (time.Duration, bool) {
	last, err := time.Parse(time.RFC3339, s.LastSuccess)
	if err != nil {
		return 0, false
	}
	lag := max(at.Sub(last), 0)
	if s.InSync && lag < patience {
		return 0, true
	}
	return lag, true
}
