package replication_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	lab "github.com/anka-ha/terraform-provider-anka/internal/testlab/replication"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// 540 versions of 60 templates are pushed, and some templates deleted, while a reader verifies all that the replica
// shows.
func TestReplication_readersSeeOnlyWholeVersions(t *testing.T) {
	const interval = 6
	p := startedPair(t, func(s *replication.Settings) { s.MaxDeletePercent, s.Interval = 100, interval })
	pace := time.NewTicker(60 * time.Millisecond)
	defer pace.Stop()
	r := read(t, p.follower.Data)
	ids, pushed := 60, 0
	for number := range 9 {
		for i := range ids {
			<-pace.C
			p.push(fmt.Sprintf("vm-%03d", i), number, 20_000)
			pushed++
		}
		if number%3 == 1 {
			ids--
			p.remove(fmt.Sprintf("vm-%03d", ids))
		}
	}
	took := p.awaitEqual(2 * interval * time.Second)
	r.end()
	t.Logf("%d versions pushed, %d lists and %d versions read, equal %v after the last push", pushed, r.lists.Load(), r.versions.Load(), took)
	if fault := r.fault.Load(); fault != nil {
		t.Errorf("the reader saw %v", fault)
	}
	if r.versions.Load() < 500 {
		t.Errorf("the reader saw %d versions only", r.versions.Load())
	}
}

func TestReplication_deletesWhatThePrimaryDeleted(t *testing.T) {
	p := startedPair(t, nil)
	for i := range 4 {
		p.push(fmt.Sprintf("vm-%d", i), 0, 1000)
	}
	p.awaitEqual(10 * time.Second)
	p.remove("vm-2")
	p.awaitEqual(5 * time.Second)
	if _, err := os.Stat(filepath.Join(p.follower.Data, "vm_dir", "vm-2")); err == nil {
		t.Error("the replica still has the directory of the deleted template")
	}
	// What the follower says it is in sync with is never the deletion.
	p.passes(2)
}

func TestReplication_leavesUploadsInProgressAndOtherFilesAlone(t *testing.T) {
	p := newPair(t, func(s *replication.Settings) { s.Exclude = []string{"*.bak", "vm_dir/private"} })
	p.push("vm-0", 0, 1000)
	mine := []string{"images_dir/half.ank.upload", "vm_dir/vm-0/tag-9.json.upload", "files/central-logs/h1.log", "images_dir/x.bak", "vm_dir/private/template.json", "notes.txt"}
	for _, path := range mine {
		p.must(os.MkdirAll(filepath.Dir(filepath.Join(p.source.Data, path)), 0o755))
		p.must(os.WriteFile(filepath.Join(p.source.Data, path), []byte("x"), 0o600))
	}
	theirs := filepath.Join(p.follower.Data, "images_dir", "own.bak")
	p.must(os.WriteFile(theirs, []byte("x"), 0o600))
	p.must(p.source.Start())
	p.must(p.follower.Start())
	p.await(10*time.Second, "the template", func() error {
		_, err := os.Stat(filepath.Join(p.follower.Data, "vm_dir", "vm-0", "template.json"))
		return err
	})
	p.passes(2)
	for _, path := range mine {
		if _, err := os.Stat(filepath.Join(p.follower.Data, path)); err == nil {
			t.Errorf("%s was copied", path)
		}
	}
	if _, err := os.Stat(theirs); err != nil {
		t.Error("an excluded file of the replica was deleted")
	}
	if s, err := p.follower.Status(); err != nil || !s.InSync || s.AheadCount != 0 {
		t.Errorf("status %+v, %v", s, err)
	}
}

// Only holders of a certificate of the same authority are served, and only what they need.
func TestSource_servesFollowersOnly(t *testing.T) {
	p := startedPair(t, nil)
	p.push("vm-0", 0, 1000)
	p.awaitEqual(10 * time.Second)
	stranger, err := lab.NewSite(t.TempDir(), "", p.site.Address, p.site.Settings)
	p.must(err)
	outsider, err := stranger.Follower("stranger", p.site.Address)
	p.must(err)
	for name, want := range map[string]struct {
		tls  string
		path string
		ok   bool
	}{
		"announcement":         {p.follower.Dir, "snapshot/head", true},
		"marker":               {p.follower.Dir, "data/.anka-registry", false},
		"metadata in place":    {p.follower.Dir, "data/vm_dir/vm-0/template.json", false},
		"other authority":      {outsider.Dir, "snapshot/head", false},
		"server's certificate": {p.source.Dir, "snapshot/head", false},
	} {
		output, err := p.get(want.tls, want.path)
		if (err == nil) != want.ok {
			t.Errorf("%s: got error %v %s, want served = %v", name, err, output, want.ok)
		}
	}
}

func TestPrograms_endAtOnceAndSayLittle(t *testing.T) {
	p := startedPair(t, nil)
	p.push("vm-0", 0, 1000)
	p.awaitEqual(10 * time.Second)
	lines := strings.Count(p.follower.Log()+p.source.Log(), "\n")
	p.passes(4)
	if now := strings.Count(p.follower.Log()+p.source.Log(), "\n"); now != lines {
		t.Errorf("passes without a change wrote %d lines", now-lines)
	}
	begun := time.Now()
	p.must(p.follower.Stop())
	p.must(p.source.Stop())
	// As process 1 of a container they would not end at all without handling the signal.
	for _, side := range []*lab.Side{p.source, p.follower} {
		if !strings.HasSuffix(strings.TrimSpace(side.Log()), "stopped") {
			t.Errorf("a program did not handle SIGTERM:\n%s", side.Log())
		}
	}
	if took := time.Since(begun); took > 8*time.Second { // Docker would kill them after 10
		t.Errorf("both ended after %v", took)
	}
	if _, err := p.get(p.follower.Dir, "snapshot/head"); err == nil {
		t.Error("the source still serves after its end")
	}
}
