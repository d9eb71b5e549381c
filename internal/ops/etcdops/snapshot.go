package etcdops

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// snapshot saves the database of the leader into the snapshot directory of the
// machine that applies. The file has its final name only once it is whole and
// its checksum is right.
func (c *Cluster) snapshot(ctx context.Context, l look) error {
	leader, err := c.leader(l)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.SnapshotDir, 0o700); err != nil {
		return fmt.Errorf("make the snapshot directory: %w", err)
	}
	file, err := os.CreateTemp(c.SnapshotDir, c.snapshotPrefix()+"*.part")
	if err != nil {
		return fmt.Errorf("make a snapshot file: %w", err)
	}
	defer os.Remove(file.Name()) //nolint:errcheck // after the rename there is nothing to remove
	_, err = leader.Snapshot(ctx, file)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("save a snapshot to %s: %w", c.SnapshotDir, err)
	}
	name := filepath.Join(c.SnapshotDir, c.snapshotPrefix()+time.Now().UTC().Format("20060102T150405.000")+".db")
	if err := os.Rename(file.Name(), name); err != nil {
		return fmt.Errorf("name the snapshot: %w", err)
	}
	c.snapshotted = true
	return c.forgetOldSnapshots()
}

func (c *Cluster) snapshotPrefix() string { return "anka-" + c.Desired.Cluster + "-etcd-" }

// forgetOldSnapshots removes this cluster's oldest snapshots. Their names sort
// by time.
func (c *Cluster) forgetOldSnapshots() error {
	if c.SnapshotKeep == 0 {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(c.SnapshotDir, c.snapshotPrefix()+"[0-9]*T*.db"))
	if err != nil {
		return err
	}
	slices.Sort(files)
	for len(files) > c.SnapshotKeep {
		if err := os.Remove(files[0]); err != nil {
			return fmt.Errorf("remove an old snapshot: %w", err)
		}
		files = files[1:]
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
	background := ctx
	ctx, cancel := context.WithTimeout(ctx, 2*probeTimeout)
	defer cancel()
	for _, action := range []etcdclient.DowngradeAction{etcdclient.DowngradeValidate, etcdclient.DowngradeEnable} {
		if err := leader.Downgrade(ctx, action, step.To); err != nil {
			return err
		}
	}
	c.downgrading = true
	return c.awaitStorage(background, step.To, l)
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
