package replication_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// layersOf are the paths of all images of a storage, sorted.
func layersOf(t *testing.T, data string) []string {
	t.Helper()
	var layers []string
	for path := range tree(t, data) {
		if strings.HasPrefix(path, "images_dir/") {
			layers = append(layers, path)
		}
	}
	slices.Sort(layers)
	return layers
}

// Metadata that is emptied explains no deletion of the layers that it named, whether they go with it or later.
func TestDamage_emptiedMetadataExplainsNothing(t *testing.T) {
	t.Parallel()
	for name, layersGo := range map[string]bool{"with its layers": true, "alone": false} {
		t.Run(name, func(t *testing.T) {
			p := filledPair(t, 8, nil) // max_delete_percent is 25
			before := tree(t, p.follower.Data)
			p.must(p.follower.Stop())
			for path := range tree(t, p.source.Data) {
				if strings.HasPrefix(path, "vm_dir/") {
					p.must(os.Truncate(filepath.Join(p.source.Data, path), 0))
				} else if layersGo {
					p.must(os.Remove(filepath.Join(p.source.Data, path)))
				}
			}
			p.must(p.follower.Start())
			s := p.awaitError("max_delete_percent = 25")
			p.passes(3)
			unchanged(t, before, p.follower.Data)
			p.must(os.WriteFile(filepath.Join(p.follower.Data, replication.StateDir, replication.AllowDeletionsFile), []byte(s.BlockedDeletion+"\n"), 0o600))
			p.awaitEqual(10 * time.Second)
		})
	}
}

// A tag that goes takes its layers along, however few there are: by a file of its own, and in one that describes others.
func TestDamage_deletedTagExplainsItsLayers(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 2, nil)
	p.push("vm-0", 1, 2000)
	p.awaitEqual(10 * time.Second)
	tag, err := os.ReadFile(filepath.Join(p.source.Data, "vm_dir", "vm-0", "tag-0.json"))
	p.must(err)
	p.must(os.Remove(filepath.Join(p.source.Data, "vm_dir", "vm-0", "tag-0.json")))
	for path := range tree(t, p.source.Data) {
		if strings.HasSuffix(path, ".ank") && strings.Contains(string(tag), filepath.Base(path)) {
			p.must(os.Remove(filepath.Join(p.source.Data, path)))
		}
	}
	p.awaitEqual(10 * time.Second)

	// Of one file so many layers may go whatever part of all they are.
	var names []string
	for range 5 {
		name, err := upload(p.registry, "image", 1000)
		p.must(err)
		names = append(names, name)
	}
	file := filepath.Join(p.source.Data, "vm_dir", "vm-1", "tags.json")
	p.must(os.WriteFile(file, fmt.Appendf(nil, "%q", names), 0o600))
	p.awaitEqual(10 * time.Second)
	p.must(os.WriteFile(file, fmt.Appendf(nil, "%q", names[:1]), 0o600))
	p.awaitEqual(10 * time.Second)
	for _, name := range names[1:] {
		p.must(os.Remove(filepath.Join(p.source.Data, "images_dir", name)))
	}
	p.awaitEqual(10 * time.Second)
}

// A layer never changes once written. One that is another all of a sudden, such as after a loss of power, is damage and
// no reason to replace the good copies. The copies are still replication's own: what heals the primary ends it.
func TestDamage_layerIsNoNews(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 3, nil)
	before := tree(t, p.follower.Data)
	layers := layersOf(t, p.source.Data)
	bad := filepath.Join(p.source.Data, layers[0])
	info, err := os.Stat(bad)
	p.must(err)
	content, err := os.ReadFile(bad)
	p.must(err)
	p.must(os.Truncate(bad, 1000))
	p.push("vm-9", 0, 2000)
	text := fmt.Sprintf("the primary's layer %s changed its size from 2000 to 1000: layers never change; the copy here is kept", layers[0])
	p.awaitError(text)
	p.passes(4)
	p.awaitError(text)
	unchanged(t, before, p.follower.Data)
	if _, err := os.Stat(filepath.Join(p.follower.Data, "vm_dir", "vm-9", "template.json")); err != nil {
		t.Errorf("the other templates do not go on: %v", err)
	}
	p.must(os.WriteFile(bad, content, 0o600))
	p.must(os.Chtimes(bad, info.ModTime(), info.ModTime()))
	p.awaitEqual(10 * time.Second)
}

// A restore that keeps no times makes all layers look changed. They are compared, and neither fetched again nor replaced.
func TestDamage_restoredWithoutTimes(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 3, nil)
	before := tree(t, p.follower.Data)
	p.must(p.follower.Stop())
	fetches := strings.Count(p.follower.Log(), "fetching")
	layers := layersOf(t, p.source.Data)
	for i, layer := range layers {
		path := filepath.Join(p.source.Data, layer)
		content, err := os.ReadFile(path)
		p.must(err)
		if i == 0 {
			content[77] ^= 1
		}
		p.must(os.WriteFile(path, content, 0o600))
		p.must(os.Chtimes(path, time.Unix(1_000_000_000, 0), time.Unix(1_000_000_000, 0)))
	}
	p.must(p.follower.Start())
	s := p.awaitError("differ from the primary's")
	if !slices.Equal(s.Ahead, layers[:1]) {
		t.Errorf("ahead is %v, want the damaged layer %v", s.Ahead, layers[:1])
	}
	p.passes(2)
	unchanged(t, before, p.follower.Data)
	if n := strings.Count(p.follower.Log(), "fetching"); n != fetches {
		t.Errorf("layers were fetched %d times for new times", n-fetches)
	}
}

// A primary that has nothing at all is an empty disk, even where max_delete_percent lets everything go.
func TestDamage_emptyPrimaryDeletesNothing(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 2, func(s *replication.Settings) { s.MaxDeletePercent = 100 })
	before := tree(t, p.follower.Data)
	p.must(p.follower.Stop())
	for _, dir := range []string{"vm_dir", "images_dir", "state_file_dir"} {
		p.must(emptyDir(filepath.Join(p.source.Data, dir)))
	}
	p.must(p.follower.Start())
	s := p.awaitError("the primary has no file any more")
	p.passes(2)
	unchanged(t, before, p.follower.Data)
	p.must(os.WriteFile(filepath.Join(p.follower.Data, replication.StateDir, replication.AllowDeletionsFile), []byte(s.BlockedDeletion+"\n"), 0o600))
	p.awaitEqual(10 * time.Second)
}

// Parts of a layer that was deleted meanwhile do not fill the disk for ever.
func TestDamage_partsOfWhatIsGone(t *testing.T) {
	t.Parallel()
	p := newPair(t, nil)
	p.must(syscall.Mount("tmpfs", p.follower.Data, "tmpfs", 0, "size=300m"))
	t.Cleanup(func() { _ = syscall.Unmount(p.follower.Data, syscall.MNT_DETACH) })
	for _, dir := range []string{"vm_dir", "images_dir", "state_file_dir"} {
		p.must(os.Mkdir(filepath.Join(p.follower.Data, dir), 0o755))
	}
	p.must(os.WriteFile(filepath.Join(p.follower.Data, replication.Sentinel), []byte(p.site.Settings.RegistryID+"\n"), 0o600))
	p.must(bigLayer(p, "vm-0", 200*megabyte))
	p.must(p.source.Start())
	p.link.CutAfter(150 * megabyte)
	p.must(p.follower.Start())
	p.await(30*time.Second, "the cut", func() error {
		if !p.link.Down() {
			return errors.New("the link holds")
		}
		return nil
	})
	// What rclone had tried to get in small pieces stays as well.
	stray := filepath.Join(p.follower.Data, replication.StateDir, "incoming", "images_dir", "stray.ank")
	p.must(os.MkdirAll(filepath.Dir(stray), 0o755))
	p.must(os.WriteFile(stray, make([]byte, 60*megabyte), 0o600))
	p.remove("vm-0")
	p.must(bigLayer(p, "vm-1", 200*megabyte))
	p.awaitGeneration()
	p.link.CutAfter(-1)
	p.link.SetDown(false)
	p.awaitEqual(15 * time.Second)
}

// Text that happens to end in .ank is no layer; metadata in another form than the stand-in's still names its layers.
func TestDamage_descriptionNamesNoLayer(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 2, nil)
	for i, description := range []string{"made from sonoma-base.ank", "sonoma-base.ank", `not \"sonoma.ank\"`} {
		name, err := upload(p.registry, "image", 1000)
		p.must(err)
		id := fmt.Sprintf("vm-9%d", i)
		p.must(call(p.registry, "POST", "/registry/v2/vm", strings.NewReader(fmt.Sprintf(
			`{"id":%q,"name":%q,"version":{"tag":"v0","description":"%s","images":[%q]}}`, id, id, description, name))))
	}
	p.awaitEqual(10 * time.Second)
	for name, text := range map[string]string{"yaml": "file: lost-1.ank\n", "list": "images:\n  - lost-2.ank\n", "json": `{"images": [ "lost-3.ank" ]}`} {
		dir := filepath.Join(p.source.Data, "vm_dir", name)
		p.must(os.Mkdir(dir, 0o755))
		p.must(os.WriteFile(filepath.Join(dir, "config"), []byte(text), 0o600))
	}
	p.await(20*time.Second, "three templates held", func() error {
		if s, err := p.follower.Status(); err != nil || !slices.Equal(s.Held, []string{"json", "list", "yaml"}) {
			return fmt.Errorf("status %+v: %w", s, errors.Join(err))
		}
		return nil
	})
}

// A template goes by one rename. What is the replica's own comes back: links, and what was pushed meanwhile.
func TestDamage_deletedTemplateHadOwnFiles(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 4, func(s *replication.Settings) { s.MaxDeletePercent = 100 })
	own := func(path ...string) string {
		return filepath.Join(append([]string{p.follower.Data, "vm_dir"}, path...)...)
	}
	p.must(p.follower.Stop())
	p.must(os.Symlink("elsewhere", own("vm-0", "link")))
	// The renames are preceded by pushes.
	p.follower.Extra = `
xargs() {
	case "$*" in *leaving*)
		mkdir -p "$DATA/vm_dir/vm-1/deep" && echo pushed >"$DATA/vm_dir/vm-1/deep/tag-7.json"
		echo pushed >>"$DATA/vm_dir/vm-2/template.json"
	;; esac
	command xargs "$@"
}
`
	for i := range 3 {
		p.remove(fmt.Sprintf("vm-%d", i))
	}
	p.must(p.follower.Start())
	p.await(20*time.Second, "the deletion", func() error {
		if layers := len(layersOf(t, p.follower.Data)); layers != 2 {
			return fmt.Errorf("%d layers are left", layers)
		}
		return nil
	})
	for _, path := range []string{own("vm-0", "link"), own("vm-1", "deep", "tag-7.json"), own("vm-2", "template.json")} {
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("what is the replica's own was deleted: %v", err)
		}
	}
	for _, path := range []string{own("vm-0", "tag-0.json"), own("vm-1", "tag-0.json"), own("vm-2", "tag-0.json")} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
}

// What was edited on the old primary is reported when it comes back as a replica, and not replaced without a word.
func TestDamage_oldPrimaryComesBack(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 2, nil)
	p.must(p.source.Stop())
	p.must(p.follower.Stop())
	tag := filepath.Join(p.follower.Data, "vm_dir", "vm-0", "tag-0.json")
	content, err := os.ReadFile(tag)
	p.must(err)
	newer := strings.Replace(string(content), `"description":""`, `"description":"newer"`, 1)
	p.must(os.WriteFile(tag, []byte(newer), 0o600))
	p.must(os.Remove(filepath.Join(p.follower.Data, replication.StateDir, "applied"))) // a primary applies nothing
	p.site.Settings.Term = 2
	p.must(p.source.Start())
	p.must(p.follower.Start())
	p.awaitEqual(10 * time.Second)
	kept, err := os.ReadDir(filepath.Join(p.follower.Data, replication.StateDir, "replaced"))
	if err != nil || len(kept) != 1 {
		t.Errorf("kept %v, %v", kept, err)
	}
	if s, err := p.follower.Status(); err != nil || s.ReplacedCount != 1 {
		t.Errorf("status %+v, %v", s, err)
	}
	want := "1 files of metadata that were changed here were replaced; the former are in .anka-replication/replaced"
	if !strings.Contains(p.follower.Log(), want) {
		t.Error("it was replaced and the log says nothing of it")
	}
}
