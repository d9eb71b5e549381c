package replication_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// awaitAhead waits until the replica reports n files that are its own.
func (p *pair) awaitAhead(n int64) replication.Status {
	p.t.Helper()
	var s replication.Status
	p.await(45*time.Second, fmt.Sprintf("%d files ahead", n), func() (err error) {
		s, err = p.follower.Status()
		if err == nil && s.AheadCount != n {
			err = fmt.Errorf("status %+v", s)
		}
		return err
	})
	return s
}

// What was pushed to a replica is reported, and neither deleted nor overwritten.
func TestAhead_pushToTheReplica(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 3, func(s *replication.Settings) { s.MaxDeletePercent = 100 })
	replica := standIn(t, p.follower.Data)
	p.must(push(replica, "vm-own", 0, 2000))
	p.must(push(replica, "vm-1", 1, 2000)) // another tag of a template that the primary has
	before := tree(t, p.follower.Data)
	p.push("vm-4", 0, 1000)
	s := p.awaitAhead(6 + 1 + 3 + 3)
	if !slices.Contains(s.Ahead, "vm_dir/vm-own/template.json") {
		t.Errorf("status %+v", s)
	}
	unchanged(t, before, p.follower.Data)
	p.await(5*time.Second, "a line in the log", func() error {
		if !strings.Contains(p.follower.Log(), "ahead of the primary: 13 files") {
			return errors.New("the log says nothing of it")
		}
		return nil
	})
	// The template goes on the primary; the tag that was pushed here stays.
	p.remove("vm-1")
	p.await(10*time.Second, "the deletion", func() error {
		if _, err := os.Stat(filepath.Join(p.follower.Data, "vm_dir", "vm-1", "tag-0.json")); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("tag-0 is there: %w", errors.Join(err))
		}
		return nil
	})
	for path := range before {
		if strings.HasPrefix(path, "vm_dir/vm-own/") || path == "vm_dir/vm-1/tag-1.json" || path == "vm_dir/vm-1/config-1.yaml" {
			if _, err := os.Stat(filepath.Join(p.follower.Data, path)); err != nil {
				t.Errorf("%s was deleted", path)
			}
		}
	}
}

// The same tag was pushed to both: neither wins.
func TestAhead_conflict(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 2, nil)
	p.link.SetDown(true)
	p.must(push(standIn(t, p.follower.Data), "vm-0", 1, 2000))
	p.push("vm-0", 1, 3000)
	before := tree(t, p.follower.Data)
	p.link.SetDown(false)
	p.awaitError("files differ from the primary's")
	p.passes(2)
	unchanged(t, before, p.follower.Data)
	p.push("vm-7", 0, 1000)
	p.await(10*time.Second, "other templates to go on", func() error {
		_, err := os.Stat(filepath.Join(p.follower.Data, "vm_dir", "vm-7", "template.json"))
		return err
	})
}

// A registry notes pulls in its metadata; that is no push.
func TestAhead_notedPullIsNoPush(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 2, nil)
	tag := filepath.Join(p.follower.Data, "vm_dir", "vm-0", "tag-0.json")
	p.edit(tag, `"last_pull":""`, `"last_pull":"2026-01-01T00:00:00Z"`)
	p.push("vm-3", 0, 1000)
	p.await(10*time.Second, "a pass", func() error {
		_, err := os.Stat(filepath.Join(p.follower.Data, "vm_dir", "vm-3"))
		return err
	})
	p.await(10*time.Second, "a replica in sync and not ahead", func() error {
		if s, err := p.follower.Status(); err != nil || !s.InSync || s.AheadCount != 0 {
			return fmt.Errorf("status %+v: %w", s, errors.Join(err))
		}
		return nil
	})
	if content, _ := os.ReadFile(tag); !bytes.Contains(content, []byte("2026-01-01")) {
		t.Error("the note was overwritten although the primary changed nothing")
	}
	// The primary changes the same file: its version is taken, and the other kept.
	p.edit(filepath.Join(p.source.Data, "vm_dir", "vm-0", "tag-0.json"), `"description":""`, `"description":"golden"`)
	p.awaitEqual(10 * time.Second)
	if kept, err := os.ReadDir(filepath.Join(p.follower.Data, replication.StateDir, "replaced")); err != nil || len(kept) != 1 {
		t.Errorf("kept %v, %v", kept, err)
	}
	// The primary deletes the template, which has a note here again.
	p.edit(tag, `"last_pull":""`, `"last_pull":"2026-02-02T00:00:00Z"`)
	p.remove("vm-0")
	p.awaitEqual(10 * time.Second)
}

// A replica that starts from a copy of the primary's disk fetches no layer again.
func TestSeed_fromACopiedDisk(t *testing.T) {
	t.Parallel()
	for name, keepTimes := range map[string]bool{"with times": true, "without times": false} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, nil)
			for i := range 4 {
				p.push(fmt.Sprintf("vm-%d", i), 0, 100_000)
			}
			p.must(os.CopyFS(p.follower.Data+"/seed", os.DirFS(p.source.Data)))
			var damaged string
			for path := range tree(t, p.source.Data) {
				to := filepath.Join(p.follower.Data, path)
				p.must(os.MkdirAll(filepath.Dir(to), 0o755))
				p.must(os.Rename(filepath.Join(p.follower.Data, "seed", path), to))
				info, err := os.Stat(filepath.Join(p.source.Data, path))
				p.must(err)
				at := info.ModTime()
				if !keepTimes {
					at = at.Add(-5 * time.Hour)
				}
				p.must(os.Chtimes(to, at, at))
				if damaged == "" && !keepTimes && strings.HasPrefix(path, "images_dir/") {
					damaged = path
				}
			}
			p.must(os.RemoveAll(p.follower.Data + "/seed"))
			if damaged == "" {
				p.must(p.source.Start())
				p.must(p.follower.Start())
				p.awaitEqual(10 * time.Second)
				if strings.Contains(p.follower.Log(), "fetching") {
					t.Error("layers were fetched again")
				}
				return
			}
			content, err := os.ReadFile(filepath.Join(p.follower.Data, damaged))
			p.must(err)
			content[77] ^= 1
			p.must(os.WriteFile(filepath.Join(p.follower.Data, damaged), content, 0o600))
			at := time.Now().Add(-5 * time.Hour)
			p.must(os.Chtimes(filepath.Join(p.follower.Data, damaged), at, at))
			p.must(p.source.Start())
			p.must(p.follower.Start())
			s := p.awaitError("differ from the primary's")
			if s.AheadCount != 1 || s.Ahead[0] != damaged {
				t.Errorf("status %+v, want %s ahead", s, damaged)
			}
			p.must(os.Remove(filepath.Join(p.follower.Data, damaged)))
			p.awaitEqual(10 * time.Second)
		})
	}
}

// Metadata that names a layer which the primary does not have stays unpublished, and is named.
func TestHeld_tagWithoutItsLayer(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 2, nil)
	p.push("vm-2", 0, 3000)
	p.awaitEqual(5 * time.Second)
	p.must(p.follower.Stop())
	p.push("vm-3", 0, 3000)
	content, err := os.ReadFile(filepath.Join(p.source.Data, "vm_dir", "vm-3", "tag-0.json"))
	p.must(err)
	name, _, _ := strings.Cut(strings.SplitAfter(string(content), `"images":["`)[1], `"`)
	p.must(os.Rename(filepath.Join(p.source.Data, "images_dir", name), filepath.Join(p.source.Dir, "layer")))
	p.must(p.follower.Start())
	s := p.awaitError("layers are missing on the primary: vm-3 (" + name + ")")
	if !slices.Equal(s.Held, []string{"vm-3"}) {
		t.Errorf("held %v", s.Held)
	}
	if _, err := os.Stat(filepath.Join(p.follower.Data, "vm_dir", "vm-3")); err == nil {
		t.Error("the tag is shown without its layer")
	}
	p.must(os.Rename(filepath.Join(p.source.Dir, "layer"), filepath.Join(p.source.Data, "images_dir", name)))
	p.awaitEqual(10 * time.Second)

	// A layer that the primary lost, of a template that is here, is not deleted here, and the replica does not say that
	// all is well.
	p.must(os.Remove(filepath.Join(p.source.Data, "images_dir", name)))
	if s := p.awaitError("the primary lost 1 layers that its templates name, such as images_dir/" + name + " (named by vm_dir/vm-3/tag-0.json)"); s.InSync {
		t.Error("it is in sync")
	}
	if _, err := os.Stat(filepath.Join(p.follower.Data, "images_dir", name)); err != nil {
		t.Error("a layer that metadata names was deleted")
	}
	p.must(os.Link(filepath.Join(p.follower.Data, "images_dir", name), filepath.Join(p.source.Data, "images_dir", name)))
	p.awaitEqual(10 * time.Second)
}

// Layers that came with a pass that could not end are still replication's own, and go when the primary deletes them.
func TestHeld_thenDeleted(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 2, func(s *replication.Settings) { s.MaxDeletePercent = 100 })
	p.must(p.follower.Stop())
	p.push("vm-3", 0, 3000)
	entries, err := os.ReadDir(filepath.Join(p.source.Data, "state_file_dir"))
	p.must(err)
	held := ""
	for _, entry := range entries {
		if _, err := os.Stat(filepath.Join(p.follower.Data, "state_file_dir", entry.Name())); err != nil {
			held = entry.Name()
		}
	}
	p.must(os.Remove(filepath.Join(p.source.Data, "state_file_dir", held)))
	p.must(p.follower.Start())
	p.awaitError("layers are missing on the primary: vm-3 (" + held + ")")
	if placed := len(tree(t, p.follower.Data)); placed != 2*7+2 {
		t.Fatalf("%d files are on the replica, want its own 14 and two layers of vm-3", placed)
	}
	p.remove("vm-3")
	p.awaitEqual(10 * time.Second)
}
