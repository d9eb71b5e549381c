package replicationops

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

const (
	// handoverInterval is how often both sides are asked.
	handoverInterval = time.Second
	// handoverLimit bounds waiting for a follower that makes progress;
	// what it has transferred by then counts for the next apply.
	handoverLimit = 10 * time.Minute
	// stuckLimit bounds waiting while nothing of what a follower says changes.
	stuckLimit = 30 * time.Second
	// manifestLimit is ample for a million files.
	manifestLimit = 512 << 20
	// shownFiles is how many files an error names.
	shownFiles = 10
)

// Side is one container of the replication.
type Side struct {
	Name string // the host's
	ID   string // the container's
}

// BehindError says what the next primary lacks.
type BehindError struct {
	From, To string
	// Why is what is still pending.
	Why string
	// Missing are files, nil when they are not known.
	Missing []string
}

// Error names files.
func (e *BehindError) Error() string {
	text := fmt.Sprintf("the registry on %s does not hold everything that the primary on %s has: %s", e.To, e.From, e.Why)
	if len(e.Missing) == 0 {
		return text
	}
	shown := e.Missing[:min(len(e.Missing), shownFiles)]
	text += fmt.Sprintf(".\n\nMissing are %d files:\n%s", len(e.Missing), strings.Join(shown, "\n"))
	if len(e.Missing) > len(shown) {
		text += fmt.Sprintf("\nand %d more", len(e.Missing)-len(shown))
	}
	return text
}

// AwaitHandover waits until the follower of the next primary holds all that the
// source of the old one has, which goes on meanwhile. It gives up when nothing
// gets better, with [*BehindError].
func AwaitHandover(ctx context.Context, fleet *dockerhost.Fleet, from, to Side) error {
	source, err := fleet.Host(from.Name)
	if err != nil {
		return err
	}
	follower, err := fleet.Host(to.Name)
	if err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, handoverLimit)
	defer cancel()
	h := registry.Handover{From: from.Name, To: to.Name, Passes: -1}
	ticker := time.NewTicker(handoverInterval)
	defer ticker.Stop()
	var pending, last string
	begun, changed := false, time.Now()
	for waiting.Err() == nil {
		s, sourceErr := Read(waiting, source, from.ID)
		f, followerErr := Read(waiting, follower, to.ID)
		switch {
		case sourceErr != nil || s.Source == nil:
			pending = fmt.Sprintf("the source on %s says nothing: %v", from.Name, sourceErr)
		case followerErr != nil || f.Follower == nil:
			pending = fmt.Sprintf("the follower on %s says nothing: %v", to.Name, followerErr)
		default:
			h.Source, h.Follower = *s.Source, *f.Follower
			if !begun {
				h.Begun, begun = h.Source, true
			}
			if h.Looked() && h.Passes < 0 {
				h.Passes = h.Follower.Passes
				if err := PassNow(waiting, follower, to.ID); err != nil {
					return err
				}
			}
			if pending = h.Pending(); pending == "" {
				return nil
			}
		}
		// A pass that transfers says so only now and then, so its container is
		// patient with it: what counts is that something happens.
		if now := fmt.Sprint(pending, h.Follower.LagBytes, h.Follower.Manifest); now != last {
			last, changed = now, time.Now()
		}
		transferring := h.Follower.LastError == "" && h.Follower.LagBytes > 0
		if time.Since(changed) > stuckLimit && !transferring {
			break
		}
		select {
		case <-waiting.Done():
		case <-ticker.C:
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	behind := &BehindError{From: from.Name, To: to.Name, Why: pending}
	ctx, cancelList := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancelList()
	behind.Missing = missing(ctx, source, follower, differing{from.ID, to.ID, h.Source.Manifest})
	return behind
}

type differing struct{ from, to, manifest string }

// missing compares the lists of both sides; nil when they cannot be read.
func missing(ctx context.Context, source, follower *dockerhost.Host, d differing) []string {
	if d.manifest == "" || d.manifest == "none" {
		return nil
	}
	manifest, err := source.ReadFile(ctx, d.from, path.Join(replication.SnapshotPath, "m", d.manifest), manifestLimit)
	if err != nil {
		return nil
	}
	state := path.Join(replication.DataPath, replication.StateDir)
	// A follower that has not begun has neither list, and nothing.
	applied, err := follower.ReadFile(ctx, d.to, path.Join(state, "applied"), manifestLimit)
	if err != nil && !errors.Is(err, dockerhost.ErrNotFound) {
		return nil
	}
	placed, err := follower.ReadFile(ctx, d.to, path.Join(state, "placed"), manifestLimit)
	if err != nil && !errors.Is(err, dockerhost.ErrNotFound) {
		return nil
	}
	return registry.Missing(manifest, applied, placed)
}
