package replication_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A directory of layers that is another disk cannot get them by a rename: what comes is seen in parts, and what was cut
// off stays so.
func TestDamage_layersOnAnotherDisk(t *testing.T) {
	t.Parallel()
	p := newPair(t, nil)
	other := filepath.Join(p.follower.Data, "images_dir")
	p.must(syscall.Mount("tmpfs", other, "tmpfs", 0, "size=64m"))
	t.Cleanup(func() {
		p.follower.Kill()
		p.must(syscall.Unmount(other, syscall.MNT_DETACH))
	})
	p.must(p.source.Start())
	p.must(p.follower.Start())
	p.push("vm-0", 0, 2000)
	s := p.awaitError("images_dir")
	if !strings.Contains(s.LastError, "another file system") {
		t.Errorf("it says %q", s.LastError)
	}
	p.passes(2)
	if found, err := os.ReadDir(other); err != nil || len(found) > 0 {
		t.Errorf("there are %v, %v", found, err)
	}
}

// That a comparison was cut off says nothing of the layer.
func TestDamage_comparisonThatWasCutOff(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 2, nil)
	p.must(p.follower.Stop())
	layer := layersOf(t, p.follower.Data)[0]
	copied := filepath.Join(p.follower.Data, layer)
	p.must(os.Chtimes(copied, time.Now(), time.Now().Add(-time.Hour))) // as from a copied disk
	// rclone is killed in the middle of it, once: it says nothing then.
	cut := filepath.Join(t.TempDir(), "cut")
	p.follower.Extra = fmt.Sprintf(`rclone() {
	case "$2" in
	source:data/*) [ -e '%[1]s' ] || { : >'%[1]s'; command rclone "$@" | head -c 100; return 137; } ;;
	esac
	command rclone "$@"
}
`, cut)
	p.must(p.follower.Start())
	p.await(20*time.Second, "a comparison", func() error { _, err := os.Stat(cut); return err })
	p.awaitEqual(20 * time.Second)
	if s, err := p.follower.Status(); err != nil || s.AheadCount != 0 {
		t.Errorf("status %+v, %v", s, err)
	}
}

// A layer that the primary cannot read keeps nothing else from coming, small or large, and no deletion from being
// carried out.
func TestDamage_oneLayerThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, large := range map[string]bool{"small": false, "large": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := filledPair(t, 2, nil)
			p.must(p.follower.Stop())
			before := layersOf(t, p.source.Data)
			p.push("vm-8", 0, 2000)
			bad := slices.DeleteFunc(layersOf(t, p.source.Data), func(layer string) bool { return slices.Contains(before, layer) })[0]
			for i := range 6 {
				p.push(fmt.Sprintf("vm-1%d", i), 0, 2000)
			}
			p.push("vm-0", 1, 2000)
			p.follower.Extra = fmt.Sprintf(`rclone() {
	case "$1 $2" in
	"cat source:data/%[1]s") echo "ERROR : input/output error" >&2; return 1 ;;
	"copy --files-from-raw")
		if grep -qxF '%[1]s' "$3"; then
			grep -vxF '%[1]s' "$3" >"$3.good"
			shift 3
			command rclone copy --files-from-raw "$WORK/batch.paths.good" "$@"
			echo "ERROR : %[1]s: Failed to copy: input/output error" >&2
			return 1
		fi ;;
	esac
	command rclone "$@"
}
`, bad)
			if large {
				p.follower.Extra += "RESUME_BYTES=1000\n"
			}
			p.must(p.follower.Start())
			p.awaitError(filepath.Base(bad))
			p.await(20*time.Second, "all other templates", func() error {
				return present(p.follower.Data, "vm-0", "vm-1", "vm-10", "vm-11", "vm-12", "vm-13", "vm-14", "vm-15")
			})
			if present(p.follower.Data, "vm-8") == nil {
				t.Error("the template whose layer is not there is")
			}
			p.remove("vm-1")
			p.await(20*time.Second, "the deletion", func() error {
				if present(p.follower.Data, "vm-1") == nil {
					return fmt.Errorf("vm-1 is there")
				}
				return nil
			})
			p.must(p.follower.Stop())
			p.follower.Extra = ""
			p.must(p.follower.Start())
			p.awaitEqual(20 * time.Second)
		})
	}
}

// present is an error where one of the templates is not there.
func present(data string, templates ...string) error {
	for _, template := range templates {
		if _, err := os.Stat(filepath.Join(data, "vm_dir", template)); err != nil {
			return err
		}
	}
	return nil
}

// What is no file and stands in a layer's place is left alone and reported, and keeps nothing else from coming.
func TestDamage_linkInALayersPlace(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 2, nil)
	p.must(p.follower.Stop())
	layer := layersOf(t, p.follower.Data)[0]
	link := filepath.Join(p.follower.Data, layer)
	moved := filepath.Join(t.TempDir(), "moved")
	content, err := os.ReadFile(link)
	p.must(err)
	p.must(os.WriteFile(moved, content, 0o600))
	p.must(os.Remove(link))
	p.must(os.Symlink(moved, link))
	p.push("vm-5", 0, 2000)
	p.must(p.follower.Start())
	s := p.awaitError("left alone")
	if !slices.Contains(s.Ahead, layer) {
		t.Errorf("status %+v", s)
	}
	p.await(20*time.Second, "the other template", func() error { return present(p.follower.Data, "vm-5") })
	if target, err := os.Readlink(link); err != nil || target != moved {
		t.Errorf("the link is %q, %v", target, err)
	}
	p.must(os.Remove(link))
	p.awaitEqual(40 * time.Second)
}

// Names may have what means something to awk.
func TestDamage_backslashInALayersName(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 1, nil)
	p.must(os.WriteFile(filepath.Join(p.source.Data, "images_dir", `a\b.ank`), []byte("layer"), 0o644))
	p.awaitEqual(20 * time.Second)
}
