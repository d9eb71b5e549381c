package replication_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// burst pushes versions of each of some templates, as fast as 4 clients can.
func (p *pair) burst(templates, from, to int) {
	p.t.Helper()
	queue := make(chan [2]int)
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for next := range queue {
				if err := push(p.registry, fmt.Sprintf("vm-%02d", next[0]), next[1], 20_000); err != nil {
					p.t.Error(err)
				}
			}
		})
	}
	for number := from; number < to; number++ {
		for template := range templates {
			queue <- [2]int{template, number}
		}
	}
	close(queue)
	clients.Wait()
}

// files of a storage, without reading any.
func (p *pair) files(data string) int {
	n := 0
	for _, dir := range []string{"vm_dir/*", "images_dir", "state_file_dir"} {
		found, err := filepath.Glob(filepath.Join(data, dir, "*"))
		p.must(err)
		n += len(found)
	}
	return n
}

// awaitFiles waits until the replica has as many files as the primary, which costs little while it is waited for.
func (p *pair) awaitFiles(within time.Duration) {
	p.t.Helper()
	want := p.files(p.source.Data)
	p.await(within, "as many files", func() error {
		if n := p.files(p.follower.Data); n != want {
			return fmt.Errorf("%d of %d", n, want)
		}
		return nil
	})
	p.awaitEqual(within)
}

// 500 versions that are pushed at once are there soon after. The time is told and not judged, since it is that of the
// machine.
func TestBurst_isCaughtUpWith(t *testing.T) {
	p := startedPair(t, func(s *replication.Settings) { s.Interval = 2 })
	r := read(t, p.follower.Data)
	begun := time.Now()
	p.burst(50, 0, 10)
	pushed := time.Now()
	p.awaitFiles(20 * time.Second)
	t.Logf("pushed in %v, equal %v after the last push", pushed.Sub(begun).Round(10*time.Millisecond), time.Since(pushed).Round(10*time.Millisecond))
	r.end()
	if fault := r.fault.Load(); fault != nil {
		t.Errorf("the reader saw %v", fault)
	}
	passes := strings.Count(p.follower.Log(), "in sync with generation")
	if passes > 8 {
		t.Errorf("%d passes had something to do", passes)
	}
}

// What a pass costs must not be processes for every file: on a busy machine they are what takes the time.
func TestBurst_processesDoNotGrowWithFiles(t *testing.T) {
	p := newPair(t, func(s *replication.Settings) { s.Interval = 2 })
	p.follower.Counted = true
	p.must(p.source.Start())
	started := func(versions int) int {
		t.Helper()
		p.awaitGeneration()
		p.must(p.follower.Start())
		p.awaitFiles(20 * time.Second)
		n, err := p.follower.Processes()
		p.must(err)
		p.must(p.follower.Stop())
		t.Logf("%d processes for %d versions", n, versions)
		return n
	}
	p.burst(10, 0, 2)
	few := started(20)
	p.burst(10, 2, 22)
	many := started(200)
	// 1 200 more files, of ten templates.
	if many-few > 300 {
		t.Errorf("%d processes for 200 versions, %d for 20", many, few)
	}
}

// awaitGeneration waits until the source lists all of what is there.
func (p *pair) awaitGeneration() {
	p.t.Helper()
	want := p.files(p.source.Data)
	p.await(20*time.Second, "a generation with all", func() error {
		s, err := p.source.SourceStatus()
		if err != nil {
			return err
		}
		list, err := os.ReadFile(filepath.Join(p.source.Dir, "snapshot", "m", s.Manifest))
		if n := strings.Count(string(list), "\nL\t") + strings.Count(string(list), "\nF\t"); err == nil && n != want {
			err = fmt.Errorf("it lists %d files of %d", n, want)
		}
		return err
	})
}
