package replication_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	lab "github.com/anka-ha/terraform-provider-anka/internal/testlab/replication"
)

// sourceError waits until the source gives a reason that contains text.
func (p *pair) sourceError(text string) {
	p.t.Helper()
	p.await(20*time.Second, fmt.Sprintf("error %q of the source", text), func() error {
		s, err := p.source.SourceStatus()
		if err == nil && (s.State != "error" || !strings.Contains(s.LastError, text)) {
			err = fmt.Errorf("status %+v", s)
		}
		return err
	})
}

// looks waits until the source has looked n more times.
func (p *pair) looks(n int) {
	p.t.Helper()
	first, err := heartbeat(p.source)
	p.must(err)
	p.await(30*time.Second, "looks", func() error {
		beat, err := heartbeat(p.source)
		if err == nil && beat < first+n {
			err = fmt.Errorf("%d looks", beat-first)
		}
		return err
	})
}

func heartbeat(source *lab.Side) (int, error) {
	head, err := os.ReadFile(filepath.Join(source.Dir, "snapshot", "head"))
	if err != nil {
		return 0, err
	}
	fields := strings.Split(string(head), "\t")
	if len(fields) < 7 {
		return 0, fmt.Errorf("the announcement is %q", head)
	}
	return strconv.Atoi(fields[6])
}

// copied is what the source's copies of metadata take up, bytes in how many files, and the number of batches that it
// ever began, which a function in its settings has to count.
func copied(t *testing.T, source *lab.Side) (size int64, files, batches int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(source.Dir, "snapshot"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Base(path) == "head" || filepath.Base(filepath.Dir(path)) == "m" {
			return ignoreGone(err)
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
			files++
		}
		return ignoreGone(err)
	})
	if err != nil {
		t.Fatal(err)
	}
	made, err := os.ReadFile(filepath.Join(source.Dir, "batches"))
	if err != nil {
		t.Fatal(err)
	}
	return size, files, strings.Count(string(made), "\n")
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// countBatches is a part of settings that writes a line to the file batches for each batch of copies.
func countBatches(source *lab.Side) string {
	return fmt.Sprintf("mkdir() { case $1 in */snapshot/o/*) echo >>'%s/batches' ;; esac; command mkdir \"$@\"; }\n", source.Dir)
}

// Metadata that cannot be read is not replicated as far as it could be, and the copies of all others are made once.
func TestSource_metadataThatCannotBeRead(t *testing.T) {
	t.Parallel()
	p := filledPair(t, 3, nil)
	before := tree(t, p.follower.Data)
	p.source.Kill()
	bad := filepath.Join(p.source.Data, "vm_dir", "vm-0", "tag-0.json")
	p.must(syscall.Mount("/proc/self/mem", bad, "", syscall.MS_BIND, "")) // reading it is an I/O error
	t.Cleanup(func() { _ = syscall.Unmount(bad, syscall.MNT_DETACH) })
	p.source.Extra = countBatches(p.source)
	p.must(p.source.Start())
	p.sourceError("vm_dir/vm-0/tag-0.json")
	const files = 11 // of 12, which is one too few
	_, _, batches := copied(t, p.source)
	first, err := heartbeat(p.source)
	p.must(err)
	p.looks(4)
	p.passes(3)
	unchanged(t, before, p.follower.Data)
	_, _, begun := copied(t, p.source)
	beat, err := heartbeat(p.source)
	p.must(err)
	if begun < batches+3 || begun > batches+beat-first+1 {
		t.Errorf("%d batches before, %d after %d looks, want one more for each look", batches, begun, beat-first)
	}
	// While it looks there is a batch under way.
	p.await(5*time.Second, "as many copies as before", func() error {
		if _, now, _ := copied(t, p.source); now != files {
			return fmt.Errorf("%d, were %d", now, files)
		}
		return nil
	})
	p.must(syscall.Unmount(bad, syscall.MNT_DETACH))
	p.push("vm-3", 0, 2000)
	p.awaitEqual(10 * time.Second)
}

// What is missing in a list since a directory could be read in part only is no deletion, nor is it after a restart.
func TestSource_directoryThatCannotBeRead(t *testing.T) {
	t.Parallel()
	p := newPair(t, nil)
	for i := range 8 {
		p.push(fmt.Sprintf("vm-%d", i), 0, 2000)
	}
	damage := filepath.Join(p.source.Dir, "damage")
	// As busybox has it: no message, exit status 0.
	p.source.Extra = fmt.Sprintf("find() { if [ -e '%s' ]; then command find \"$@\" | grep -v -F -f '%s'; else command find \"$@\"; fi; }\n", damage, damage)
	p.must(p.source.Start())
	p.must(p.follower.Start())
	p.awaitEqual(20 * time.Second)
	before := tree(t, p.follower.Data)
	layer := strings.TrimPrefix(layerOf(t, before), "images_dir/")
	for _, missing := range []string{layer, "vm_dir/vm-1/"} {
		p.must(os.WriteFile(damage, []byte(missing+"\n"), 0o600))
		p.sourceError("its directory does not list it")
		p.passes(2)
		p.must(p.source.Stop())
		p.must(p.source.Start())
		p.sourceError("its directory does not list it")
		p.passes(2)
		unchanged(t, before, p.follower.Data)
		p.must(os.Remove(damage))
		p.awaitEqual(10 * time.Second)
	}
	// What is really gone goes.
	p.must(p.source.Stop())
	p.remove("vm-1")
	p.must(p.source.Start())
	p.awaitEqual(10 * time.Second)
	p.remove("vm-2")
	p.awaitEqual(10 * time.Second)
}

func layerOf(t *testing.T, files map[string]string) string {
	t.Helper()
	for path := range files {
		if strings.HasPrefix(path, "images_dir/") {
			return path
		}
	}
	t.Fatal("there is no layer")
	return ""
}

// A file of a list that cannot be asked for is no deletion either, and no error of find passes for an empty directory.
func TestSource_errorOfTheDisk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ broken, why string }{
		"find says so": {`find() { if [ -e DAMAGE ]; then command find "$@" | head -n 3; return 1; fi; command find "$@"; }`, "find ended with an error"},
		// 137 is what is left of a process that the kernel has killed.
		"sort is killed": {`sort() { if [ $# = 0 ] && [ -e DAMAGE ]; then command sort | head -n 3; return 137; fi; command sort "$@"; }`, "the list cannot be written"},
		"a file cannot be asked for": {`find() { if [ -e DAMAGE ]; then command find "$@" | head -n 3; else command find "$@"; fi; }
xargs() { if [ "$2" = stat ] && [ -e DAMAGE ]; then command xargs "$@" >/dev/null; echo "stat: can't stat 'x': I/O error" >&2; else command xargs "$@"; fi; }`, "cannot tell whether files were deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, nil)
			for i := range 3 {
				p.push(fmt.Sprintf("vm-%d", i), 0, 2000)
			}
			damage := filepath.Join(p.source.Dir, "damage")
			p.source.Extra = strings.ReplaceAll(c.broken, "DAMAGE", "'"+damage+"'") + "\n"
			p.must(p.source.Start())
			p.must(p.follower.Start())
			p.awaitEqual(20 * time.Second)
			before := tree(t, p.follower.Data)
			p.must(os.WriteFile(damage, nil, 0o600))
			p.sourceError(c.why)
			p.passes(2)
			unchanged(t, before, p.follower.Data)
			p.must(os.Remove(damage))
			p.remove("vm-0")
			p.awaitEqual(10 * time.Second)
		})
	}
}

// Where the clock is behind the files, as after it was set back, they are not copied at every look, and what was copied
// does not pile up. The disk is Docker's.
func TestSource_clockBehindTheFiles(t *testing.T) {
	t.Parallel()
	p := newPair(t, nil)
	for i := range 10 {
		p.push(fmt.Sprintf("vm-%d", i), 0, 2000)
	}
	p.source.Extra = countBatches(p.source) +
		"date() { if [ $# = 1 ] && [ \"$1\" = +%s ]; then echo $(($(command date +%s) - 3600)); else command date \"$@\"; fi; }\n"
	p.must(p.source.Start())
	p.must(p.follower.Start())
	p.awaitEqual(20 * time.Second)
	size, files, _ := copied(t, p.source)
	p.looks(8) // 4 s at least
	if now, count, _ := copied(t, p.source); now > size || count > files {
		t.Errorf("%d copies of %d bytes were %d of %d bytes some looks later", files, size, count, now)
	}
	_, _, batches := copied(t, p.source)
	p.looks(3)
	if _, _, now := copied(t, p.source); now != batches {
		t.Errorf("nothing changed, and metadata was copied %d times", now-batches)
	}
	for i := range 2 {
		p.push("vm-0", i+1, 2000)
		p.awaitEqual(10 * time.Second)
	}
}

// Copies that no generation names any more go, and the newest list never does, whatever the times of files are.
func TestSource_collectsByGeneration(t *testing.T) {
	t.Parallel()
	p := newPair(t, nil)
	p.source.Extra = "GENERATIONS=2\n"
	p.push("vm-0", 0, 2000)
	p.must(p.source.Start())
	p.must(p.follower.Start())
	p.awaitEqual(20 * time.Second)
	lists := filepath.Join(p.source.Dir, "snapshot", "m")
	for i := range 4 {
		later := time.Now().Add(time.Hour)
		entries, err := os.ReadDir(lists)
		p.must(err)
		for _, entry := range entries {
			p.must(ignoreGone(os.Chtimes(filepath.Join(lists, entry.Name()), later, later)))
		}
		p.push("vm-0", i+1, 2000)
		p.awaitEqual(10 * time.Second)
		p.looks(2)
		s, err := p.source.SourceStatus()
		p.must(err)
		if _, err := os.Stat(filepath.Join(lists, s.Manifest)); err != nil {
			t.Errorf("the newest list of files is gone: %v", err)
		}
	}
	for _, kind := range []string{"m", "o"} {
		entries, err := os.ReadDir(filepath.Join(p.source.Dir, "snapshot", kind))
		p.must(err)
		// A file of metadata of each of the pushes may still be as it was copied then.
		if most := map[string]int{"m": 2, "o": 6}[kind]; len(entries) > most {
			t.Errorf("%d entries in %s, want %d at most", len(entries), kind, most)
		}
	}
}

// A source that cannot serve says so, and so does one whose server ended meanwhile.
func TestSource_serverThatEnds(t *testing.T) {
	t.Parallel()
	p := newPair(t, nil)
	p.push("vm-0", 0, 2000)
	path := filepath.Join(p.source.Dir, "tls", "key.pem")
	key, err := os.ReadFile(path)
	p.must(err)
	p.must(os.WriteFile(path, []byte("no key\n"), 0o600))
	p.must(p.source.Start())
	p.await(20*time.Second, "a status", func() error {
		_, err := p.source.SourceStatus()
		return err
	})
	for range 3 {
		if s, err := p.source.SourceStatus(); err != nil || s.State != "error" || !strings.Contains(s.LastError, "rclone, which serves the replicas, ended") || !strings.Contains(s.LastError, "panic: ") {
			t.Errorf("without a key the source says %+v, %v", s, err)
		}
		p.looks(1)
	}
	p.must(os.WriteFile(path, key, 0o600))
	p.must(p.follower.Start())
	p.awaitEqual(20 * time.Second)

	server, err := childOf(p.source.PID(), "rclone")
	p.must(err)
	p.must(syscall.Kill(server, syscall.SIGKILL))
	p.sourceError("rclone, which serves the replicas, ended")
	p.push("vm-1", 0, 2000)
	p.awaitEqual(20 * time.Second)
}

// childOf is the process of that name which was started by another.
func childOf(parent int, name string) (int, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	for _, path := range paths {
		stat, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(stat), fmt.Sprintf("(%s) S %d ", name, parent)) {
			return strconv.Atoi(filepath.Base(filepath.Dir(path)))
		}
	}
	return 0, fmt.Errorf("process %d has no child %s", parent, name)
}

// However long a look takes, the source shows a sign of life in time.
func TestSource_slowLooks(t *testing.T) {
	t.Parallel()
	p := newPair(t, nil)
	p.push("vm-0", 0, 2000)
	log := filepath.Join(p.source.Dir, "sleeps")
	p.source.Extra = fmt.Sprintf("find() { command sleep 1.7; command find \"$@\"; }\nsleep() { echo \"$1\" >>'%s'; command sleep 0.1; }\n", log)
	p.must(p.source.Start())
	p.await(20*time.Second, "a long rest", func() error {
		sleeps, err := os.ReadFile(log)
		if err != nil {
			return err
		}
		longest := 0.0
		for line := range strings.Lines(string(sleeps)) {
			seconds, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
			p.must(err)
			longest = max(longest, seconds)
		}
		if longest > 20 {
			t.Fatalf("the source rested %v s, and replicas take it for dead after 60", longest)
		}
		if longest < 20 {
			return fmt.Errorf("it rested %v s at most", longest)
		}
		return nil
	})
}

// A change of the primary asks for a pass and waits half a minute for it, whatever the interval is. A first pass that
// came too early is tried again long before the next is due.
func TestFollower_passOnDemand(t *testing.T) {
	t.Parallel()
	p := newPair(t, nil)
	p.site.Settings.Interval = 60
	p.push("vm-0", 0, 2000)
	p.must(p.follower.Start())
	p.awaitError("cannot reach the primary's source")
	p.must(p.source.Start())
	begun := time.Now()
	p.await(10*time.Second, "an equal replica", func() error { return lab.Equal(p.source.Data, p.follower.Data) })
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("the pass that had failed was tried again after %v", took)
	}
	p.awaitEqual(time.Second)
	first, err := p.follower.Status()
	p.must(err)
	p.must(os.WriteFile(filepath.Join(p.follower.Dir, "run", "pass-now"), nil, 0o600))
	took := p.await(10*time.Second, "a pass", func() error {
		s, err := p.follower.Status()
		if err == nil && s.Passes == first.Passes {
			err = errors.New("none yet")
		}
		return err
	})
	if took > 20*time.Second {
		t.Errorf("the pass that was asked for came after %v", took)
	}
}
