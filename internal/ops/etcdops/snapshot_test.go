package etcdops

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// TestForgetSnapshots: only this cluster's own files go, the oldest first,
// whatever characters the directory's name has.
func TestForgetSnapshots(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "snapshots[a-z]*")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"anka-a-etcd-20260101T000000.000.db", "anka-a-etcd-20260102T000000.000.db", "anka-a-etcd-20260103T000000.000.db",
		"anka-a-etcd-1-etcd-20250101T000000.000.db", "anka-a-etcd-4711.part", "anka-a-etcd-notes.db", "anka-a-etcd-20250101T000000.000.db.bak",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := &Cluster{Desired: etcd.Desired{Cluster: "a"}, SnapshotDir: dir}
	if err := c.forgetSnapshots(snapshotName, 1); err != nil {
		t.Fatal(err)
	}
	if err := c.forgetSnapshots(partName, 0); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	want := []string{
		"anka-a-etcd-1-etcd-20250101T000000.000.db", "anka-a-etcd-20250101T000000.000.db.bak",
		"anka-a-etcd-20260103T000000.000.db", "anka-a-etcd-notes.db",
	}
	if !slices.Equal(left, want) {
		t.Errorf("left %q", left)
	}
}
