package replication_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	lab "github.com/anka-ha/terraform-provider-anka/internal/testlab/replication"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

const megabyte = 1 << 20

// part is the size of what has arrived of a layer that is still being fetched, 0 for none.
func (p *pair) part() (size int64) {
	p.t.Helper()
	parts, err := os.ReadDir(filepath.Join(p.follower.Data, replication.StateDir, "parts"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.t.Fatal(err)
	}
	for _, entry := range parts {
		if info, err := entry.Info(); err == nil {
			size += info.Size()
		}
	}
	return size
}

// A layer of 160 MB, over a link that breaks while its bytes flow, goes on where it was.
func TestFault_linkCutInMidTransfer(t *testing.T) {
	p := newPair(t, nil)
	r := read(t, p.follower.Data)
	p.must(bigLayer(p, "vm-big", 160*megabyte))
	p.must(p.source.Start())
	p.link.CutAfter(60 * megabyte)
	p.must(p.follower.Start())
	for cut := range int64(2) {
		p.await(30*time.Second, "the cut", func() error {
			if !p.link.Down() {
				return errors.New("the link holds")
			}
			return nil
		})
		s := p.awaitError("")
		if s.LagBytes == 0 {
			t.Error("nothing is said of the bytes that are missing")
		}
		// Some of what went over the link was not written any more, and some was not the layer.
		if least, most := (cut*60+40)*megabyte, (cut+1)*61*megabyte; p.part() < least || p.part() > most {
			t.Errorf("cut %d: %d bytes of the layer have arrived, want %d to %d", cut+1, p.part(), least, most)
		}
		if found := tree(t, p.follower.Data); len(found) > 0 {
			t.Errorf("files are there before they are whole: %v", found)
		}
		p.link.CutAfter(60 * megabyte)
		p.link.SetDown(false)
	}
	p.link.CutAfter(-1)
	p.link.SetDown(false)
	p.awaitEqual(20 * time.Second)
	r.end()
	if fault := r.fault.Load(); fault != nil {
		t.Errorf("the reader saw %v", fault)
	}
	if carried := p.link.Carried(); carried > 160*megabyte*5/4 {
		t.Errorf("%d MB went over the link for a layer of 160 MB", carried/megabyte)
	}
	if left, _ := os.ReadDir(filepath.Join(p.follower.Data, replication.StateDir, "parts")); len(left) > 0 {
		t.Errorf("parts are left: %v", left)
	}
}

func bigLayer(p *pair, id string, size int64) error {
	name, err := uploadLarge(p, size)
	if err != nil {
		return err
	}
	return call(p.registry, "POST", "/registry/v2/vm", strings.NewReader(fmt.Sprintf(`{"id":%q,"name":%q,"version":{"tag":"v0","images":[%q]}}`, id, id, name)))
}

// The program, or all of it as at the end of a container, is killed at random moments while versions are pushed.
func TestFault_killedFollower(t *testing.T) {
	p := startedPair(t, func(s *replication.Settings) { s.MaxDeletePercent = 100 })
	r := read(t, p.follower.Data)
	for i := range 40 {
		p.push(fmt.Sprintf("vm-%d", i%15), i/15, 300_000)
		if i%15 == 14 && i > 20 {
			p.remove("vm-14")
		}
		ctx, cancel := contextFor(t, time.Duration(rand.IntN(600))*time.Millisecond)
		<-ctx.Done()
		cancel()
		if i%2 == 0 {
			p.follower.Kill()
		} else {
			p.follower.KillProgram() // what it started goes on, and holds the lock
		}
		p.must(p.follower.Start())
	}
	took := p.awaitEqual(30 * time.Second)
	r.end()
	t.Logf("equal %v after the last of 40 kills; %d versions read", took, r.versions.Load())
	if fault := r.fault.Load(); fault != nil {
		t.Errorf("the reader saw %v", fault)
	}
	if s, err := p.follower.Status(); err != nil || s.AheadCount != 0 {
		t.Errorf("what replication itself had put there counts as ahead: %+v, %v", s, err)
	}
}

func TestFault_killedSource(t *testing.T) {
	p := filledPair(t, 4, nil)
	before := tree(t, p.follower.Data)
	for i := range 5 {
		p.source.Kill()
		p.push("vm-0", i+1, 50_000)
		p.must(p.source.Start())
		p.awaitEqual(10 * time.Second)
	}
	unchanged(t, before, p.follower.Data)
}

func TestFault_followerDownForAWhile(t *testing.T) {
	p := filledPair(t, 4, nil)
	p.must(p.follower.Stop())
	for i := range 30 {
		p.push(fmt.Sprintf("vm-%d", i), 1, 2000)
	}
	p.remove("vm-3")
	p.passed(3 * time.Second)
	p.must(p.follower.Start())
	p.awaitEqual(10 * time.Second)
}

// On a full disk nothing half is published, and what the primary deletes makes room.
func TestFault_fullDisk(t *testing.T) {
	p := newPair(t, func(s *replication.Settings) { s.MaxDeletePercent = 100 })
	p.must(syscall.Mount("tmpfs", p.follower.Data, "tmpfs", 0, "size=200m"))
	t.Cleanup(func() { _ = syscall.Unmount(p.follower.Data, syscall.MNT_DETACH) })
	for _, dir := range []string{"vm_dir", "images_dir", "state_file_dir"} {
		p.must(os.Mkdir(filepath.Join(p.follower.Data, dir), 0o755))
	}
	p.must(os.WriteFile(filepath.Join(p.follower.Data, replication.Sentinel), []byte(p.site.Settings.RegistryID+"\n"), 0o600))
	r := read(t, p.follower.Data)
	p.must(bigLayer(p, "vm-0", 90*megabyte))
	p.must(p.source.Start())
	p.must(p.follower.Start())
	p.awaitEqual(20 * time.Second)
	before := tree(t, p.follower.Data)

	p.must(bigLayer(p, "vm-1", 100*megabyte))
	p.awaitError("disk is full")
	unchanged(t, before, p.follower.Data)
	// Another writer takes what is left while a layer is coming.
	p.must(bigLayer(p, "vm-2", 2*megabyte))
	p.must(os.WriteFile(filepath.Join(p.follower.Data, "other"), make([]byte, 100*megabyte), 0o600))
	p.passes(2)
	unchanged(t, before, p.follower.Data)
	p.must(os.Remove(filepath.Join(p.follower.Data, "other")))
	p.remove("vm-0")
	p.awaitEqual(30 * time.Second)
	r.end()
	if fault := r.fault.Load(); fault != nil {
		t.Errorf("the reader saw %v", fault)
	}
}

// Two programs on one storage: the second waits.
func TestFault_twoFollowers(t *testing.T) {
	p := filledPair(t, 2, nil)
	second, err := p.site.Follower("second", p.link.Address)
	p.must(err)
	p.must(os.RemoveAll(second.Data))
	p.must(os.Symlink(p.follower.Data, second.Data))
	p.must(second.Start())
	t.Cleanup(second.Kill)
	p.await(5*time.Second, "the second to say so", func() error {
		s, err := second.Status()
		if err == nil && !strings.Contains(s.LastError, "another follower") {
			err = fmt.Errorf("status %+v", s)
		}
		return err
	})
	p.must(p.follower.Stop())
	p.push("vm-5", 0, 2000)
	p.await(10*time.Second, "the second to take over", func() error { return lab.Equal(p.source.Data, p.follower.Data) })
}

// Clocks that differ by hours change nothing: times are only compared with those of the same host.
func TestFault_clocksDiffer(t *testing.T) {
	p := newPair(t, nil)
	for i := range 3 {
		p.push(fmt.Sprintf("vm-%d", i), 0, 2000)
	}
	for _, shift := range []time.Duration{-1000 * time.Hour, 1000 * time.Hour} {
		for path := range tree(t, p.source.Data) {
			at := time.Now().Add(shift)
			p.must(os.Chtimes(filepath.Join(p.source.Data, path), at, at))
		}
		if shift < 0 {
			p.must(p.source.Start())
			p.must(p.follower.Start())
		}
		p.awaitEqual(10 * time.Second)
		p.push("vm-0", int(shift.Hours())+2000, 2000)
		p.awaitEqual(10 * time.Second)
	}
}

// A layer whose upload is replaced, or that vanishes, while it is fetched never shows.
func TestFault_layerGoesWhileItIsFetched(t *testing.T) {
	p := newPair(t, func(s *replication.Settings) { s.BandwidthLimit, s.MaxDeletePercent = 20*megabyte, 100 })
	r := read(t, p.follower.Data)
	p.push("vm-0", 0, 2000)
	p.must(bigLayer(p, "vm-big", 80*megabyte))
	p.must(p.source.Start())
	p.must(p.follower.Start())
	p.await(20*time.Second, "the transfer", func() error {
		parts, err := os.ReadDir(filepath.Join(p.follower.Data, replication.StateDir, "parts"))
		if err == nil && len(parts) == 0 {
			err = fs.ErrNotExist
		}
		return err
	})
	p.remove("vm-big")
	p.awaitEqual(20 * time.Second)
	r.end()
	if fault := r.fault.Load(); fault != nil {
		t.Errorf("the reader saw %v", fault)
	}
}

// Small layers that are deleted while others are fetched end no transfer.
func TestFault_smallLayersGoWhileTheyAreFetched(t *testing.T) {
	p := newPair(t, func(s *replication.Settings) { s.BandwidthLimit, s.MaxDeletePercent = 300_000, 100 })
	for i := range 20 {
		p.push(fmt.Sprintf("vm-%02d", i), 0, 20_000)
	}
	p.must(p.source.Start())
	p.awaitGeneration()
	p.must(p.follower.Start())
	p.await(10*time.Second, "the transfer", func() error {
		found, err := filepath.Glob(filepath.Join(p.follower.Data, replication.StateDir, "incoming", "*", "*"))
		if err == nil && len(found) == 0 {
			err = fs.ErrNotExist
		}
		return err
	})
	for i := range 4 {
		p.remove(fmt.Sprintf("vm-%02d", 5*i+2))
	}
	p.awaitEqual(20 * time.Second)
	if strings.Contains(p.follower.Log(), "cannot fetch layers") {
		t.Error("the pass ended early")
	}
}

// A source that hangs is not taken for one that has nothing new.
func TestFault_sourceHangs(t *testing.T) {
	p := newPair(t, nil)
	p.push("vm-0", 0, 1000)
	p.follower.Extra = "SILENCE=3\n"
	p.must(p.source.Start())
	p.must(p.follower.Start())
	p.awaitEqual(10 * time.Second)
	// Its server goes on.
	p.must(syscall.Kill(p.source.PID(), syscall.SIGSTOP))
	p.awaitError("has not looked at the primary's data for")
	p.must(syscall.Kill(p.source.PID(), syscall.SIGCONT))
	p.awaitEqual(10 * time.Second)
}

func TestBandwidthLimit(t *testing.T) {
	const limit = 8 * megabyte
	p := newPair(t, func(s *replication.Settings) { s.BandwidthLimit = limit })
	for i := range 2 {
		p.must(bigLayer(p, fmt.Sprintf("vm-%d", i), 66*megabyte/4))
	}
	p.follower.Extra = "RESUME_BYTES=1000000\n" // both ways of fetching are limited alike
	p.must(p.source.Start())
	p.await(5*time.Second, "the source", func() error {
		s, err := p.source.SourceStatus()
		if err == nil && s.Generation == 0 {
			err = errors.New("no generation")
		}
		return err
	})
	p.must(p.follower.Start())
	took := p.awaitEqual(30 * time.Second)
	if least := 33 * time.Second / 8 * 3 / 4; took < least {
		t.Errorf("33 MB at 8 MB/s took %v, want at least %v", took, least)
	}
}

// Layers of an hour's transfer arrive piece by piece; what is missing is in the status meanwhile.
func TestStatus_tellsProgress(t *testing.T) {
	p := newPair(t, func(s *replication.Settings) { s.BandwidthLimit = 5 * megabyte })
	p.must(bigLayer(p, "vm-0", 70*megabyte))
	p.must(p.source.Start())
	p.must(p.follower.Start())
	p.await(30*time.Second, "progress", func() error {
		s, err := p.follower.Status()
		if err == nil && (s.InSync || s.LagBytes == 0 || s.LagBytes >= 69*megabyte) {
			err = fmt.Errorf("status %+v", s)
		}
		return err
	})
}

// shellcheck knows the mistakes that tests do not find.
func TestScripts_lint(t *testing.T) {
	path, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Log("no shellcheck on this machine: apt-get install shellcheck")
		return
	}
	for name, script := range map[string]string{"source": replication.SourceScript(), "follower": replication.FollowerScript()} {
		cmd := exec.Command(path, "-s", "dash", "-")
		cmd.Stdin = strings.NewReader(script)
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, output)
		}
	}
}
