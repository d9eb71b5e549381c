// Package replicationops does what the replication of registries needs on the
// hosts beside the steps of its containers: the certificates, the marker files
// of storages, and what source and followers say of themselves. It belongs to
// the layer ops and decides nothing.
package replicationops

import (
	"context"
	"errors"
	"fmt"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// fileLimit is the most that is read of a status or settings file, in bytes.
// Both have a few thousand, and the lists in a status are bounded.
const fileLimit = 1 << 20

// Status is what a container of the replication says of itself; one of both is
// set.
type Status struct {
	Source   *replication.SourceStatus
	Follower *replication.Status
}

// Error is why it does not replicate at the moment, "" when it does.
func (s Status) Error() string {
	if s.Source != nil {
		return s.Source.LastError
	}
	return s.Follower.LastError
}

// Read reads the status of one container.
func Read(ctx context.Context, host *dockerhost.Host, id string) (Status, error) {
	content, err := host.ReadFile(ctx, id, replication.StatusPath, fileLimit)
	if errors.Is(err, dockerhost.ErrNotFound) {
		return Status{}, fmt.Errorf("it has not written its status yet: %w", err)
	}
	if err != nil {
		return Status{}, err
	}
	return Parse(content)
}

// Parse reads a status file.
func Parse(content []byte) (Status, error) {
	source, err := replication.ParseSourceStatus(content)
	if err == nil {
		return Status{Source: &source}, nil
	}
	follower, err := replication.ParseStatus(content)
	return Status{Follower: &follower}, err
}

// Probe tells whether a container of the replication works: its program has
// begun and says how it goes. That nothing can be replicated at the moment, as
// when the primary is down, is no reason to wait for it or to undo an apply.
func Probe(ctx context.Context, host *dockerhost.Host, found container.Found) error {
	_, err := Read(ctx, host, found.ID)
	return err
}

// PassNow makes a follower begin a pass before its time.
func PassNow(ctx context.Context, host *dockerhost.Host, id string) error {
	return host.CopyTo(ctx, id, []container.File{{Path: replication.PassNowPath, Mode: 0o644}})
}
