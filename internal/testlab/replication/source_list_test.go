package replication_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A source that was made anew knows no former version of what is just being written again, and does not leave it out
// of its first list: the replicas would delete it.
func TestSource_firstListWhileMetadataChanges(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 2, nil)
	p.must(p.source.Stop())
	for _, dir := range []string{"run", "snapshot"} {
		p.must(os.RemoveAll(filepath.Join(p.source.Dir, dir)))
	}
	p.must(os.Mkdir(filepath.Join(p.source.Dir, "run"), 0o755))

	var busy sync.WaitGroup
	calm := make(chan struct{})
	missed := make(chan string, 1)
	tag := filepath.Join("vm_dir", "vm-0", "tag-0.json")
	content, err := os.ReadFile(filepath.Join(p.source.Data, tag))
	p.must(err)
	busy.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-calm:
				return
			case <-time.After(20 * time.Millisecond):
			}
			path := filepath.Join(p.source.Data, tag)
			noted := strings.Replace(string(content), `"last_pull":"`, fmt.Sprintf(`"last_pull":"%d`, n), 1)
			if os.WriteFile(path+".upload", []byte(noted), 0o600) != nil || os.Rename(path+".upload", path) != nil {
				return
			}
			if _, err := os.Stat(filepath.Join(p.follower.Data, tag)); err != nil {
				select {
				case missed <- err.Error():
				default:
				}
			}
		}
	})
	stop := sync.OnceFunc(func() {
		close(calm)
		busy.Wait()
	})
	t.Cleanup(stop)
	p.must(p.source.Start())
	p.sourceError("no consistent copy")
	p.passes(2)
	stop()
	select {
	case err := <-missed:
		t.Errorf("the replica lost what the primary has: %s", err)
	default:
	}
	p.awaitEqual(20 * time.Second)
}

// A list of which the end could not be written is not announced, and made again when there is room.
func TestSource_listThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 2, nil)
	before := tree(t, p.follower.Data)
	full := t.TempDir()
	p.must(syscall.Mount("tmpfs", full, "tmpfs", 0, "size=4k"))
	t.Cleanup(func() { _ = syscall.Unmount(full, syscall.MNT_DETACH) })
	p.must(os.WriteFile(filepath.Join(full, "other"), make([]byte, 4096), 0o600))
	manifest := filepath.Join(p.source.Dir, "run", "work", "manifest")
	p.must(os.Symlink(filepath.Join(full, "manifest"), manifest))
	p.push("vm-2", 0, 2000)
	p.sourceError("cannot write a list of the files")
	p.awaitError("cannot write a list of the files")
	unchanged(t, before, p.follower.Data)
	p.must(os.Remove(manifest))
	p.awaitEqual(20 * time.Second)
}
