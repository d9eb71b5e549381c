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

// mount gives a directory a file system of its own.
func (p *pair) mount(dir, size string) {
	p.t.Helper()
	p.must(syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size))
	p.t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
}

// mountStorage does so for the replica's storage.
func (p *pair) mountStorage(size string) {
	p.t.Helper()
	p.mount(p.follower.Data, size)
	for _, dir := range append([]string{replication.DefaultMetadataDir}, replication.DefaultLayerDirs...) {
		p.must(os.Mkdir(filepath.Join(p.follower.Data, dir), 0o755))
	}
	p.must(os.WriteFile(filepath.Join(p.follower.Data, replication.Sentinel), []byte(p.site.Settings.RegistryID+"\n"), 0o600))
}

// fill writes a file until the disk has not a byte left.
func (p *pair) fill(path string) {
	p.t.Helper()
	file, err := os.Create(path)
	p.must(err)
	for n := 1 << 20; n > 0; {
		if _, err := file.Write(make([]byte, n)); err != nil {
			n /= 2
		}
	}
	_ = file.Close()
}

// filled pushes templates, and waits until the replica has them.
func (p *pair) filled(from, to int) {
	p.t.Helper()
	for i := from; i < to; i++ {
		p.push(fmt.Sprintf("vm-%d", i), 0, 200)
	}
	if p.source.PID() == 0 {
		p.must(p.source.Start())
		p.must(p.follower.Start())
	}
	p.awaitEqual(20 * time.Second)
}

// With a work directory that is full from one moment to the next, the list of what is named is cut short. Nothing is
// deleted then.
func TestDeletion_workDirectoryFillsUp(t *testing.T) {
	t.Parallel()
	p := newPair(t, nil)
	run := filepath.Join(p.follower.Dir, "run")
	p.mount(run, "100m")
	p.write(p.source.Data, "images_dir/stray.ank", "x")
	p.filled(0, 3)
	p.must(os.Remove(filepath.Join(p.source.Data, "images_dir", "stray.ank")))
	p.awaitEqual(10 * time.Second) // lists of a time when there was little
	p.filled(3, 40)
	p.must(p.follower.Stop())
	before := tree(t, p.follower.Data)
	layers := layersOf(t, p.source.Data)
	p.must(os.Remove(filepath.Join(p.source.Data, layers[len(layers)-1])))
	p.awaitGeneration()
	p.must(os.Remove(filepath.Join(run, "work", "meta.paths")))
	p.follower.Extra = `
xargs() {
	case "$*" in *grep*) [ -e "$RUN/work/meta.paths" ] && [ ! -e "$RUN/big" ] && dd if=/dev/zero of="$RUN/big" bs=4096 2>/dev/null ;; esac
	command xargs "$@"
}
`
	log := len(p.follower.Log())
	p.must(p.follower.Start())
	p.awaitLog(log, "not in sync", "deleted")
	unchanged(t, before, p.follower.Data)
}

// Without room for lists no list is made.
func TestDeletion_workDirectoryIsFull(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 4, nil)
	p.must(p.follower.Stop())
	p.mount(filepath.Join(p.follower.Dir, "run"), "60m")
	before := tree(t, p.follower.Data)
	p.remove("vm-0")
	p.must(p.follower.Start())
	p.awaitError("the container's own file system has less than 67108864 bytes left")
	unchanged(t, before, p.follower.Data)
}

// A storage without a byte left is told as such, and what the primary deletes makes room. What was pushed here counts as
// that although nothing can be written.
func TestDeletion_storageIsFull(t *testing.T) {
	t.Parallel()
	p := newPair(t, func(s *replication.Settings) { s.MaxDeletePercent = 100 })
	p.mountStorage("200m")
	p.follower.Extra = "AUDIT=2\n"
	p.filled(0, 20)
	p.passes(4) // an index that needs no more to be read again
	p.must(p.follower.Stop())
	own := filepath.Join(p.follower.Data, "vm_dir", "vm-1", "tag-0.json")
	p.write(p.follower.Data, "images_dir/own.ank", "own")
	p.edit(own, `"images":[`, `"images":["own.ank",`)
	p.fill(filepath.Join(p.follower.Data, "other"))
	p.remove("vm-0")
	p.remove("vm-1")
	p.describe("vm-2", strings.Repeat("changed ", 1000))
	p.awaitGeneration()
	p.must(p.follower.Start())
	p.awaitGone("vm_dir/vm-0")
	p.awaitError("the replica's disk is full")
	if _, err := os.Stat(own); err != nil {
		t.Errorf("what was pushed here was deleted: %v", err)
	}
	p.must(os.Remove(filepath.Join(p.follower.Data, "other")))
	p.await(20*time.Second, "the change", func() error {
		content, err := os.ReadFile(filepath.Join(p.follower.Data, "vm_dir", "vm-2", "tag-0.json"))
		if err == nil && !strings.Contains(string(content), "changed") {
			err = errors.New("not yet")
		}
		return err
	})
}

// A deletion that fails is tried again, is said, and counts once.
func TestDeletion_fails(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 8, nil)
	p.must(p.follower.Stop())
	tag, err := os.ReadFile(filepath.Join(p.follower.Data, "vm_dir", "vm-0", "tag-0.json"))
	p.must(err)
	var layer string
	for _, path := range layersOf(t, p.source.Data) {
		if strings.Contains(string(tag), filepath.Base(path)) {
			layer = path
			p.must(os.Remove(filepath.Join(p.source.Data, path)))
		}
	}
	p.remove("vm-0")
	p.remove("vm-1")
	p.write(p.follower.Data, "vm_dir/vm-1/own", "own") // so that it goes by its files
	busy := []string{layer, "vm_dir/vm-1/tag-0.json"}
	for _, path := range busy {
		path = filepath.Join(p.follower.Data, path)
		p.must(syscall.Mount(path, path, "", syscall.MS_BIND, ""))
		t.Cleanup(func() { _ = syscall.Unmount(path, syscall.MNT_DETACH) })
	}
	p.awaitGeneration()
	p.follower.Extra = "AUDIT=2\n"
	p.must(p.follower.Start())
	p.awaitGone("vm_dir/vm-0")
	p.awaitError("cannot delete 2 files that the primary does not have any more, such as vm_dir/vm-1/tag-0.json")
	p.passes(4)
	p.awaitError("cannot delete 2 files")
	for _, path := range busy {
		p.must(syscall.Unmount(filepath.Join(p.follower.Data, path), syscall.MNT_DETACH))
	}
	for _, path := range busy {
		p.awaitGone(path)
	}
	if _, err := os.Stat(filepath.Join(p.follower.Data, "vm_dir", "vm-1", "own")); err != nil {
		t.Error(err)
	}
}

// Deletions cost no processes for each template.
func TestDeletion_processesDoNotGrowWithTemplates(t *testing.T) {
	p := newPair(t, func(s *replication.Settings) { s.Interval, s.MaxDeletePercent = 2, 100 })
	p.filled(0, 50)
	p.must(p.follower.Stop())
	p.follower.Counted = true
	started := func(from, to int) int {
		t.Helper()
		for i := from; i < to; i++ {
			id := fmt.Sprintf("vm-%d", i)
			p.write(p.follower.Data, "vm_dir/"+id+"/own", "own") // so that it goes by its files
			if i%2 == 0 {
				p.must(os.Remove(filepath.Join(p.follower.Data, "vm_dir", id, "own")))
			}
			p.remove(id)
		}
		p.awaitGeneration()
		p.must(p.follower.Start())
		for i := from; i < to; i++ {
			p.awaitGone(fmt.Sprintf("vm_dir/vm-%d/template.json", i))
		}
		want := p.files(p.source.Data)
		p.await(10*time.Second, "the layers to go", func() error {
			if n := p.files(p.follower.Data); n > want+to/2 {
				return fmt.Errorf("%d files of %d", n, want)
			}
			return nil
		})
		n, err := p.follower.Processes()
		p.must(err)
		p.must(p.follower.Stop())
		t.Logf("%d processes for %d templates", n, to-from)
		return n
	}
	few := started(0, 4)
	many := started(4, 44)
	if many-few > 150 {
		t.Errorf("%d processes for the deletion of 40 templates, %d for 4", many, few)
	}
}

// Deletions that are said to be of the future, as after a clock was set back, do not count for ever.
func TestDeletion_ofTheFuture(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 8, nil)
	p.must(p.follower.Stop())
	deletions := filepath.Join(p.follower.Data, replication.StateDir, "deletions")
	p.must(os.WriteFile(deletions, fmt.Appendf(nil, "%d\t2\t0\t0\n1000000000\t1\t0\t0\n", time.Now().AddDate(10, 0, 0).Unix()), 0o600))
	p.must(p.follower.Start())
	p.remove("vm-0")
	p.awaitGone("vm_dir/vm-0")
	p.awaitEqual(10 * time.Second)
	if content, err := os.ReadFile(deletions); err != nil || strings.Count(string(content), "\n") != 1 {
		t.Errorf("noted are %q, %v; want the last alone", content, err)
	}
}

// A loss of power may leave zeros, and a clock may be set back. The status stays one that can be read.
func TestStatus_afterZerosAndAnotherClock(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 2, nil)
	p.must(p.follower.Stop())
	state := filepath.Join(p.follower.Data, replication.StateDir)
	for _, name := range []string{"applied", "last-success"} {
		info, err := os.Stat(filepath.Join(state, name))
		p.must(err)
		p.must(os.WriteFile(filepath.Join(state, name), make([]byte, info.Size()), 0o600))
	}
	p.link.SetDown(true)
	p.must(p.follower.Start())
	s := p.awaitError("cannot reach")
	if s.Generation != 0 || s.LagSeconds != -1 {
		t.Errorf("status %+v, want one of a follower that has nothing", s)
	}
	p.link.SetDown(false)
	p.awaitEqual(10 * time.Second)

	p.must(p.follower.Stop())
	p.must(os.WriteFile(filepath.Join(state, "last-success"), fmt.Appendf(nil, "%d\n", time.Now().Add(time.Hour).Unix()), 0o600))
	p.link.SetDown(true)
	p.must(p.follower.Start())
	if s := p.awaitError("cannot reach"); s.LagSeconds != 0 {
		t.Errorf("lag_seconds is %d, want 0", s.LagSeconds)
	}
}
