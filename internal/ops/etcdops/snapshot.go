package etcdops

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// snapshot saves the database into the snapshot directory of the
// machine that applies. The file has its final name only once it is whole and
// its checksum is right.
func (c *Cluster) snapshot(ctx context.Context, l look) error {
	voter, err := c.voter(l)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.SnapshotDir, 0o700); err != nil {
		return fmt.Errorf("make the snapshot directory: %w", err)
	}
	// Those of applies that were killed: this one holds the lock.
	if err := c.forgetSnapshots(partName, 0); err != nil {
		return err
	}
	file, err := os.CreateTemp(c.SnapshotDir, c.snapshotPrefix()+"*.part")
	if err != nil {
		return fmt.Errorf("make a snapshot file: %w", err)
	}
	defer os.Remove(file.Name()) //nolint:errcheck // after the rename there is nothing to remove
	ctx, stalled := context.WithCancelCause(ctx)
	defer stalled(nil)
	watched := &watchedFile{File: file, timer: time.AfterFunc(stallTimeout, func() {
		stalled(fmt.Errorf("nothing came for %s", stallTimeout))
	})}
	_, err = voter.Snapshot(ctx, watched)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	if err == nil {
		// The name says that it is whole, also after a power failure.
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	watched.timer.Stop()
	if err != nil {
		return fmt.Errorf("save a snapshot to %s: %w", c.SnapshotDir, err)
	}
	name := filepath.Join(c.SnapshotDir, c.snapshotPrefix()+time.Now().UTC().Format("20060102T150405.000")+".db")
	if err := os.Rename(file.Name(), name); err != nil {
		return fmt.Errorf("name the snapshot: %w", err)
	}
	c.snapshotted = true
	if c.SnapshotKeep == 0 {
		return nil
	}
	return c.forgetSnapshots(snapshotName, c.SnapshotKeep)
}

// How the names of snapshots go on after their prefix: unfinished, and whole.
var (
	partName     = regexp.MustCompile(`^\d+\.part$`)
	snapshotName = regexp.MustCompile(`^\d{8}T\d{6}\.\d{3}\.db$`)
)

// stallTimeout is how long a snapshot may bring nothing.
const stallTimeout = time.Minute

// watchedFile starts a timer anew with everything that is written.
type watchedFile struct {
	*os.File
	timer *time.Timer
}

// Write writes to the file.
func (w *watchedFile) Write(content []byte) (int, error) {
	w.timer.Reset(stallTimeout)
	return w.File.Write(content)
}

func (c *Cluster) snapshotPrefix() string { return "anka-" + c.Desired.Cluster + "-etcd-" }

// forgetSnapshots removes this cluster's files whose names go on like rest, all
// but the last ones. Their names sort by time. Another cluster's name may begin
// with this one's, so that nothing but the whole name tells.
func (c *Cluster) forgetSnapshots(rest *regexp.Regexp, keep int) error {
	entries, err := os.ReadDir(c.SnapshotDir) // sorted by name
	if err != nil {
		return fmt.Errorf("list the snapshots: %w", err)
	}
	var mine []string
	for _, entry := range entries {
		if end, ours := strings.CutPrefix(entry.Name(), c.snapshotPrefix()); ours && rest.MatchString(end) {
			mine = append(mine, entry.Name())
		}
	}
	for len(mine) > keep {
		if err := os.Remove(filepath.Join(c.SnapshotDir, mine[0])); err != nil {
			return fmt.Errorf("remove an old snapshot: %w", err)
		}
		mine = mine[1:]
	}
	return nil
}

// downgrade tells the cluster that members are about to run an older minor
// version. Without that they refuse to start.
func (c *Cluster) downgrade(ctx context.Context, step etcd.Downgrade, l look) error {
	leader, err := c.leader(l)
	if err != nil {
		return err
	}
	for _, action := range []etcdclient.DowngradeAction{etcdclient.DowngradeValidate, etcdclient.DowngradeEnable} {
		err := c.retry(ctx, changeTimeout, "the cluster can go down to "+step.To, func(ctx context.Context) error {
			return leader.Downgrade(ctx, action, step.To)
		})
		if err != nil {
			return err
		}
	}
	c.downgrading = true
	return c.awaitStorage(ctx, step.To, l)
}

// cancelDowngrade takes back what downgrade has told.
func (c *Cluster) cancelDowngrade(ctx context.Context, step etcd.CancelDowngrade, l look) error {
	leader, err := c.leader(l)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*probeTimeout)
	defer cancel()
	return leader.Downgrade(ctx, etcdclient.DowngradeCancel, step.Target)
}

// awaitStorage waits until all members that work have rewritten their data for
// the older version, which etcd does some seconds after the downgrade was
// enabled. A member that is replaced before does not start: "version is not
// supported".
func (c *Cluster) awaitStorage(ctx context.Context, to string, l look) error {
	return c.poll(ctx, awaitTimeout, "all members have made their data ready for "+to, func(ctx context.Context) (bool, string) {
		ctx, cancel := context.WithTimeout(ctx, probeTimeout)
		defer cancel()
		for _, m := range c.Desired.All() {
			if !l.Membership.Healthy[m.PeerURL()] {
				continue
			}
			client, err := c.client(m)
			if err != nil {
				return false, err.Error()
			}
			status, err := client.Status(ctx)
			if err != nil {
				return false, err.Error()
			}
			if !strings.HasPrefix(status.StorageVersion, to+".") {
				return false, fmt.Sprintf("the data of %s on %s is for %s", m.Name, m.Host, status.StorageVersion)
			}
		}
		return true, ""
	})
}

// flushLog makes a member whose container flushes take a raft snapshot, by
// writing more than it keeps out of one. Without that 3.7 panics on entries
// that 3.5 wrote.
func (c *Cluster) flushLog(ctx context.Context, m etcd.Member, l look) error {
	current, present := c.find(l.Survey, m)
	if !present || current.Hash() != c.Desired.FlushSpec(m, current.Image, "").Labels[container.LabelHash] {
		return nil
	}
	client, err := c.client(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, awaitTimeout)
	defer cancel()
	for range flushWrites {
		if err := client.Prove(ctx, proofPrefix+c.Desired.Cluster+"/flush", "flush"); err != nil {
			return fmt.Errorf("write to flush the log of %s: %w", m.Name, err)
		}
	}
	return nil
}
