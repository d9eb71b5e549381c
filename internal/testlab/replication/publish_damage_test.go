package replication_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// edit replaces a part of a file, as a registry does: by another file.
func (p *pair) edit(path, from, to string) {
	p.t.Helper()
	content, err := os.ReadFile(path)
	p.must(err)
	changed := bytes.Replace(content, []byte(from), []byte(to), 1)
	if bytes.Equal(content, changed) {
		p.t.Fatalf("%s has no %s", path, from)
	}
	p.must(os.WriteFile(path+".upload", changed, 0o600))
	p.must(os.Rename(path+".upload", path))
}

// pull notes a pull in the metadata of a version, as a registry does.
func (p *pair) pull(side, id, when string) {
	p.t.Helper()
	p.edit(filepath.Join(side, "vm_dir", id, "tag-0.json"), `"last_pull":"`, `"last_pull":"`+when)
}

// describe changes a version on the primary.
func (p *pair) describe(id, text string) {
	p.t.Helper()
	p.edit(filepath.Join(p.source.Data, "vm_dir", id, "tag-0.json"), `"description":"`, `"description":"`+text)
}

// writes a file of a storage with its directory.
func (p *pair) write(data, path, content string) {
	p.t.Helper()
	p.must(os.MkdirAll(filepath.Dir(filepath.Join(data, path)), 0o755))
	p.must(os.WriteFile(filepath.Join(data, path), []byte(content), 0o600))
}

// awaitThere waits until the replica has a file.
func (p *pair) awaitThere(path string) {
	p.t.Helper()
	p.await(15*time.Second, path, func() error {
		_, err := os.Stat(filepath.Join(p.follower.Data, path))
		return err
	})
}

func (p *pair) awaitGone(path string) {
	p.t.Helper()
	p.await(15*time.Second, path+" to go", func() error {
		if _, err := os.Lstat(filepath.Join(p.follower.Data, path)); err == nil {
			return errors.New("it is there")
		}
		return nil
	})
}

// awaitLog waits until the follower said something since the log was that long.
func (p *pair) awaitLog(since int, texts ...string) {
	p.t.Helper()
	p.await(20*time.Second, "a line in the log", func() error {
		for _, text := range texts {
			if strings.Contains(p.follower.Log()[since:], text) {
				return nil
			}
		}
		return fmt.Errorf("the log has none of %q", texts)
	})
}

// What is pushed to the replica while a layer is coming, which may take hours, is neither replaced nor deleted.
func TestPublish_pushedDuringTheTransfer(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 2, func(s *replication.Settings) { s.MaxDeletePercent = 100 })
	p.must(p.follower.Stop())
	p.write(p.follower.Data, "vm_dir/vm-1/note.txt", "own") // so that it goes file by file
	p.follower.Extra = `
rclone() {
	case "$*" in *source:data*) [ -e "$RUN/pushed" ] || for id in vm-0 vm-1; do
		echo x >"$DATA/images_dir/own-$id.ank"
		sed -i "s/\"images\":\[/&\"own-$id.ank\",/" "$DATA/vm_dir/$id/tag-0.json"
		touch "$RUN/pushed"
	done ;; esac
	command rclone "$@"
}
`
	p.describe("vm-0", "edited on the primary")
	p.remove("vm-1")
	p.push("vm-9", 0, 2000)
	p.must(p.follower.Start())
	p.awaitThere("vm_dir/vm-9/template.json")
	p.passes(2)
	for _, id := range []string{"vm-0", "vm-1"} {
		content, err := os.ReadFile(filepath.Join(p.follower.Data, "vm_dir", id, "tag-0.json"))
		if err != nil || !strings.Contains(string(content), "own-"+id+".ank") {
			t.Errorf("the push to %s was lost: %s, %v", id, content, err)
		}
		if s, err := p.follower.Status(); err != nil || !slices.Contains(s.Ahead, "vm_dir/"+id+"/tag-0.json") {
			t.Errorf("status %+v, %v", s, err)
		}
	}
}

// Metadata that was to be published and was not, since the follower was killed, is not taken for what is here.
func TestPublish_interrupted(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 2, nil)
	p.must(p.follower.Stop())
	p.pull(p.follower.Data, "vm-0", "2026-01-01")
	p.describe("vm-0", "golden")
	p.awaitGeneration()
	p.follower.Extra = `
cp() {
	case "$*" in */replaced/*) touch "$RUN/killed"; kill -9 $$ ;; esac
	command cp "$@"
}
`
	p.must(p.follower.Start())
	p.await(20*time.Second, "the kill", func() error {
		_, err := os.Stat(filepath.Join(p.follower.Dir, "run", "killed"))
		return err
	})
	p.follower.Kill()
	p.follower.Extra = "AUDIT=2\n"
	p.must(p.follower.Start())
	p.awaitEqual(10 * time.Second)
}

// What is kept of replaced metadata is trimmed, whatever else is in its directory.
func TestPublish_trimsWhatWasReplaced(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 2, nil)
	old := []string{"1700000000-vm_dir-it's \"a\" \\ b-tag-0.json", "term-1/1700000000-vm_dir-vm-0-tag-0.json"}
	for i := range 299 {
		p.write(p.follower.Data, fmt.Sprintf(".anka-replication/replaced/%d-vm_dir-vm-0-tag-0.json", 1_750_000_000+i), "old")
	}
	past := time.Unix(1_600_000_000, 0)
	for _, name := range old {
		path := filepath.Join(p.follower.Data, ".anka-replication", "replaced", name)
		p.write(p.follower.Data, ".anka-replication/replaced/"+name, "old")
		p.must(os.Chtimes(path, past, past))
	}
	p.must(os.Chtimes(filepath.Join(p.follower.Data, ".anka-replication", "replaced", "term-1"), past, past))
	for i := range 2 {
		p.pull(p.follower.Data, "vm-0", fmt.Sprint(i))
		p.passes(2)
		p.describe("vm-0", fmt.Sprint(i))
		p.awaitEqual(10 * time.Second)
	}
	p.await(10*time.Second, "300 that are kept, and those of term 1", func() error {
		kept, err := os.ReadDir(filepath.Join(p.follower.Data, ".anka-replication", "replaced"))
		if err == nil && (len(kept) != 301 || kept[0].Name() != "1750000001-vm_dir-vm-0-tag-0.json") {
			err = fmt.Errorf("%d, the first is %s", len(kept), kept[0].Name())
		}
		return err
	})
	if _, err := os.Stat(filepath.Join(p.follower.Data, ".anka-replication", "replaced", old[1])); err != nil {
		t.Error(err)
	}
}

// Where this side's version cannot be kept it is not deleted either.
func TestPublish_cannotKeepWhatWasChanged(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 4, nil)
	p.must(p.follower.Stop())
	p.pull(p.follower.Data, "vm-0", "2026-01-01")
	p.pull(p.follower.Data, "vm-1", "2026-01-01")
	before := tree(t, p.follower.Data)
	p.remove("vm-0")
	p.awaitGeneration()
	p.follower.Extra = "cp() {\n\tcase \"$*\" in */replaced/*) return 1 ;; esac\n\tcommand cp \"$@\"\n}\n"
	p.must(p.follower.Start())
	p.awaitError("cannot keep metadata that was changed here, vm_dir/vm-0/tag-0.json, in .anka-replication/replaced")
	p.passes(2)
	unchanged(t, before, p.follower.Data)
	p.must(p.follower.Stop())
	p.follower.Extra = ""
	p.must(p.follower.Start())
	p.awaitGone("vm_dir/vm-0")
}

// A follower that cannot note what it places says so and goes on trying.
func TestPublish_cannotNoteWhatIsPlaced(t *testing.T) {
	t.Parallel()
	p := newPair(t, nil)
	p.push("vm-0", 0, 2000)
	// The layers come by a copied disk, so that metadata is what is noted first.
	for path := range tree(t, p.source.Data) {
		if strings.HasPrefix(path, "vm_dir/") {
			continue
		}
		content, err := os.ReadFile(filepath.Join(p.source.Data, path))
		p.must(err)
		p.write(p.follower.Data, path, string(content))
		info, err := os.Stat(filepath.Join(p.source.Data, path))
		p.must(err)
		p.must(os.Chtimes(filepath.Join(p.follower.Data, path), info.ModTime(), info.ModTime()))
	}
	p.follower.Extra = `
sync() {
	case "$1" in */placed) [ -e "$RUN/works" ] || return 1 ;; esac
	command sync "$@"
}
`
	p.must(p.source.Start())
	p.must(p.follower.Start())
	p.awaitError("the storage cannot be written")
	p.write(p.follower.Dir, "run/works", "")
	p.awaitEqual(10 * time.Second)
}

// Names are no patterns, and none is too odd for a line.
func TestPublish_oddNames(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 8, func(s *replication.Settings) { s.MaxDeletePercent = 60 })
	odd := []string{"é", `a\tb`, `it's "x"`, " lead ", "-n", "[1]*"}
	for _, id := range odd {
		p.write(p.source.Data, "vm_dir/"+id+"/first", "{}")
	}
	p.awaitEqual(10 * time.Second)
	for _, id := range odd {
		p.write(p.source.Data, "vm_dir/"+id+"/a\\tb "+id, "{}")
		p.write(p.follower.Data, "vm_dir/"+id+"/own", "own")
	}
	p.await(15*time.Second, "the second file of each", func() error {
		for _, id := range odd {
			if _, err := os.Stat(filepath.Join(p.follower.Data, "vm_dir", id, "a\\tb "+id)); err != nil {
				return err
			}
		}
		return nil
	})
	for i, id := range odd {
		if i%2 == 0 { // the others go by their files
			p.must(os.Remove(filepath.Join(p.follower.Data, "vm_dir", id, "own")))
		}
		p.must(os.RemoveAll(filepath.Join(p.source.Data, "vm_dir", id)))
	}
	for i, id := range odd {
		p.awaitGone("vm_dir/" + id + "/first")
		p.awaitGone("vm_dir/" + id + "/a\\tb " + id)
		if _, err := os.Stat(filepath.Join(p.follower.Data, "vm_dir", id, "own")); (err == nil) != (i%2 == 1) {
			t.Errorf("the replica's own file of %q: %v", id, err)
		}
	}
}

// A link or a directory in the place of a file is the replica's own. It is reported, and all others go on.
func TestPublish_somethingElseInTheFilesPlace(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 4, nil)
	p.must(p.follower.Stop())
	at := func(path string) string { return filepath.Join(p.follower.Data, path) }
	p.must(os.Rename(at("vm_dir/vm-0/tag-0.json"), at("elsewhere")))
	p.must(os.Symlink("../../elsewhere", at("vm_dir/vm-0/tag-0.json")))
	p.must(os.Remove(at("vm_dir/vm-1/template.json")))
	p.must(os.Mkdir(at("vm_dir/vm-1/template.json"), 0o755))
	p.must(os.RemoveAll(at("vm_dir/vm-2")))
	p.write(p.follower.Data, "vm_dir/vm-2", "a file")
	p.push("vm-7", 0, 2000)
	p.push("vm-a", 0, 2000)
	p.must(p.follower.Start())
	p.awaitThere("vm_dir/vm-7/template.json")
	p.awaitThere("vm_dir/vm-a/template.json")
	s := p.awaitError("files differ from the primary's")
	for _, path := range []string{"vm_dir/vm-0/tag-0.json", "vm_dir/vm-1/template.json", "vm_dir/vm-2/tag-0.json"} {
		if !slices.Contains(s.Ahead, path) {
			t.Errorf("ahead is %v without %s", s.Ahead, path)
		}
	}
	p.must(os.Remove(at("vm_dir/vm-0/tag-0.json")))
	p.must(os.Remove(at("vm_dir/vm-1/template.json")))
	p.must(os.Remove(at("vm_dir/vm-2")))
	p.awaitEqual(10 * time.Second)
}

// Templates that were changed on both sides are brought up to date in one pass, however many they are.
func TestPublish_severalChangedOnBothSides(t *testing.T) {
	t.Parallel()
	const n = 3
	p := filledPair(t, n, nil)
	p.link.SetDown(true)
	for i := range n {
		p.pull(p.follower.Data, fmt.Sprintf("vm-%d", i), "2026-01-01T00:00:00Z")
		p.describe(fmt.Sprintf("vm-%d", i), "golden")
	}
	p.link.SetDown(false)
	p.awaitEqual(20 * time.Second)
	if kept, err := os.ReadDir(filepath.Join(p.follower.Data, replication.StateDir, "replaced")); err != nil || len(kept) != n {
		t.Errorf("kept %v, %v", kept, err)
	}
	if log := p.follower.Log(); strings.Contains(log, "cannot keep") {
		t.Errorf("it took several passes:\n%s", log)
	}
}
