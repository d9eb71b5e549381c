package replication_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// filledPair replicates n templates of one version each.
func filledPair(t *testing.T, n int, change func(*replication.Settings)) *pair {
	t.Helper()
	p := newPair(t, change)
	for i := range n {
		p.push(fmt.Sprintf("vm-%d", i), 0, 2000)
	}
	p.must(p.source.Start())
	p.must(p.follower.Start())
	p.awaitEqual(20 * time.Second)
	return p
}

func TestGuard_unmountedStorage(t *testing.T) {
	t.Parallel()
	p := newPair(t, nil)
	// The primary's disk is mounted where its directory is.
	disk := t.TempDir()
	p.must(os.Rename(p.source.Data, filepath.Join(disk, "data")))
	p.must(os.Mkdir(p.source.Data, 0o755))
	mount := func() { p.must(syscall.Mount(filepath.Join(disk, "data"), p.source.Data, "", syscall.MS_BIND, "")) }
	mount()
	t.Cleanup(func() { _ = syscall.Unmount(p.source.Data, syscall.MNT_DETACH) })
	for i := range 3 {
		p.push(fmt.Sprintf("vm-%d", i), 0, 2000)
	}
	p.must(p.source.Start())
	p.must(p.follower.Start())
	p.awaitEqual(10 * time.Second)
	before := tree(t, p.follower.Data)

	p.must(syscall.Unmount(p.source.Data, syscall.MNT_DETACH))
	p.awaitError("marker file .anka-registry is missing")
	p.passes(3)
	unchanged(t, before, p.follower.Data)
	if s, err := p.source.SourceStatus(); err != nil || s.State != "error" || !strings.Contains(s.LastError, "not mounted") {
		t.Errorf("the source says %+v, %v", s, err)
	}
	mount()
	p.push("vm-3", 0, 2000)
	p.awaitEqual(5 * time.Second)

	// The same on the replica's side.
	p.must(os.Rename(filepath.Join(p.follower.Data, replication.Sentinel), filepath.Join(p.follower.Dir, "marker")))
	p.awaitError("marker file .anka-registry is missing")
	p.push("vm-4", 0, 2000)
	p.passes(2)
	if _, err := os.Stat(filepath.Join(p.follower.Data, "vm_dir", "vm-4")); err == nil {
		t.Error("replication went on without the replica's marker")
	}
	p.must(os.Rename(filepath.Join(p.follower.Dir, "marker"), filepath.Join(p.follower.Data, replication.Sentinel)))
	p.awaitEqual(5 * time.Second)
}

func TestGuard_emptiedStorage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		empty func(data string) error
		why   string
	}{
		"everything": {func(data string) error {
			return takeAway(data, "vm_dir", "images_dir", "state_file_dir", replication.Sentinel)
		}, "marker file .anka-registry is missing"},
		"the directories": {func(data string) error {
			return takeAway(data, "vm_dir", "images_dir", "state_file_dir")
		}, "lost its directory"},
		"the layers":        {func(data string) error { return emptyDir(filepath.Join(data, "images_dir")) }, "max_delete_percent"},
		"the only template": {func(data string) error { return emptyDir(filepath.Join(data, "vm_dir")) }, "no template any more"},
		"another registry's": {func(data string) error {
			return os.WriteFile(filepath.Join(data, replication.Sentinel), []byte("registry-2\n"), 0o600)
		}, "belongs to another registry"},
	} {
		t.Run(name, func(t *testing.T) {
			p := filledPair(t, 1, nil)
			before := tree(t, p.follower.Data)
			p.must(c.empty(p.source.Data))
			p.awaitError(c.why)
			p.passes(3)
			unchanged(t, before, p.follower.Data)
		})
	}
}

// takeAway moves what data holds out of it, each name at once: where files go one after
// the other, the first may be replicated as the deletion that it is.
func takeAway(data string, names ...string) error {
	for _, name := range names {
		if err := os.Rename(filepath.Join(data, name), data+"."+name); err != nil {
			return err
		}
	}
	return nil
}

// emptyDir leaves a directory without what it holds.
func emptyDir(dir string) error {
	if err := takeAway(filepath.Dir(dir), filepath.Base(dir)); err != nil {
		return err
	}
	return os.Mkdir(dir, 0o755)
}

func TestGuard_manyDeletions(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 8, nil) // a quarter of them are two
	before := tree(t, p.follower.Data)
	p.link.SetDown(true)
	for i := range 3 {
		p.remove(fmt.Sprintf("vm-%d", i))
	}
	p.link.SetDown(false)
	s := p.awaitError("max_delete_percent = 25")
	p.passes(3)
	unchanged(t, before, p.follower.Data)
	if s.BlockedDeletion == "" || !strings.Contains(s.LastError, s.BlockedDeletion) {
		t.Fatalf("nothing says how to allow it: %+v", s)
	}

	// Allowed by another ID: still blocked. By its own: done.
	p.must(p.follower.Stop())
	p.site.Settings.AllowDeletions = "0123456789abcdef"
	p.must(p.follower.Start())
	p.passes(3)
	unchanged(t, before, p.follower.Data)
	p.must(p.follower.Stop())
	p.site.Settings.AllowDeletions = s.BlockedDeletion
	p.must(p.follower.Start())
	p.awaitEqual(5 * time.Second)
}

func TestGuard_deletionsAddUp(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 8, nil)
	for i := range 2 {
		p.remove(fmt.Sprintf("vm-%d", i))
		p.awaitEqual(5 * time.Second)
	}
	p.remove("vm-2")
	s := p.awaitError("max_delete_percent")
	if _, err := os.Stat(filepath.Join(p.follower.Data, "vm_dir", "vm-2")); err != nil {
		t.Error("the third of eight templates within an hour was deleted")
	}
	// Once, by hand.
	allow := filepath.Join(p.follower.Data, replication.StateDir, replication.AllowDeletionsFile)
	p.must(os.WriteFile(allow, []byte(s.BlockedDeletion+"\n"), 0o600))
	p.awaitEqual(5 * time.Second)
	if _, err := os.Stat(allow); err == nil {
		t.Error("the allowance is still there")
	}
}

// Layers of uploads that were given up are named by nothing. Their end is no reason to stop, unless no layer is left.
func TestGuard_layersThatNothingNames(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 1, nil)
	abandon := func(n int) (paths []string) {
		for range n {
			name, err := upload(p.registry, "image", 2000)
			p.must(err)
			paths = append(paths, filepath.Join(p.source.Data, "images_dir", name))
		}
		p.awaitEqual(10 * time.Second)
		return paths
	}
	for _, path := range abandon(9) {
		p.must(os.Remove(path))
	}
	p.awaitEqual(10 * time.Second)

	// With them goes a layer of the template that is here: the disk of the layers is away.
	abandon(9)
	before := tree(t, p.follower.Data)
	p.must(emptyDir(filepath.Join(p.source.Data, "images_dir")))
	s := p.awaitError("11 layers, of which templates that stay name 2)")
	p.passes(2)
	unchanged(t, before, p.follower.Data)
	if s.BlockedDeletion == "" {
		t.Errorf("nothing says how to allow it: %+v", s)
	}
}

// Where no metadata is known at all, layers that go all at once are more than a few that were given up.
func TestGuard_allLayersWithoutMetadata(t *testing.T) {
	t.Parallel()
	p := newPair(t, nil)
	for range 3 {
		_, err := upload(p.registry, "image", 2000)
		p.must(err)
	}
	p.must(p.source.Start())
	p.must(p.follower.Start())
	p.awaitEqual(10 * time.Second)
	before := tree(t, p.follower.Data)
	p.must(emptyDir(filepath.Join(p.source.Data, "images_dir")))
	p.awaitError("the primary has no layer any more")
	p.passes(2)
	unchanged(t, before, p.follower.Data)
}

func TestGuard_onlyWhatBelongsTogether(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 4, nil)
	before := tree(t, p.follower.Data)
	p.must(p.follower.Stop())
	p.remove("vm-0")

	for name, c := range map[string]struct {
		change func(*replication.Settings)
		why    string
	}{
		"another registry": {func(s *replication.Settings) { s.RegistryID = "registry-2" }, "belongs to another registry"},
		"earlier primary":  {func(s *replication.Settings) { s.Term = 2 }, "of an earlier primary"},
		"other settings":   {func(s *replication.Settings) { s.Exclude = []string{"*.bak"} }, "different settings"},
	} {
		was := p.site.Settings
		c.change(&p.site.Settings)
		p.must(p.follower.Start())
		p.awaitError(c.why)
		p.passes(2)
		p.must(p.follower.Stop())
		unchanged(t, before, p.follower.Data)
		p.site.Settings = was
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// A new primary that lacks something deletes nothing: what an earlier one listed is no reason.
func TestGuard_newPrimaryLacksSomething(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 4, nil)
	before := tree(t, p.follower.Data)
	p.must(p.source.Stop())
	p.must(p.follower.Stop())
	p.remove("vm-3")
	p.site.Settings.Term = 2
	p.must(p.source.Start())
	p.must(p.follower.Start())
	p.await(10*time.Second, "the report", func() error {
		if s, err := p.follower.Status(); err != nil || s.AheadCount != 7 || !s.InSync {
			return fmt.Errorf("status %+v: %w", s, errors.Join(err))
		}
		return nil
	})
	unchanged(t, before, p.follower.Data)
	p.push("vm-9", 0, 1000)
	p.await(5*time.Second, "the new template", func() error {
		_, err := os.Stat(filepath.Join(p.follower.Data, "vm_dir", "vm-9", "template.json"))
		return err
	})
	unchanged(t, before, p.follower.Data)
}

// A list that does not fit its announcement is not believed.
func TestGuard_damagedList(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 4, nil)
	before := tree(t, p.follower.Data)
	p.must(p.follower.Stop())
	s, err := p.source.SourceStatus()
	p.must(err)
	path := filepath.Join(p.source.Dir, "snapshot", "m", s.Manifest)
	list, err := os.ReadFile(path)
	p.must(err)
	shorter := list[:len(list)/2]
	p.must(os.WriteFile(path, shorter, 0o600))
	p.must(p.follower.Start())
	p.passes(1)
	p.must(p.follower.Stop())
	p.must(os.Remove(filepath.Join(p.follower.Dir, "run", "work", "manifest")))
	p.must(os.Remove(filepath.Join(p.follower.Data, replication.StateDir, "applied")))
	p.must(p.follower.Start())
	p.awaitError("not what was announced")
	p.passes(2)
	unchanged(t, before, p.follower.Data)
	p.must(os.WriteFile(path, list, 0o600))
	p.awaitEqual(5 * time.Second)
}
