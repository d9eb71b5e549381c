package etcdcluster_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

const (
	// envChaos, set to 1, makes the tests of this file go through chaosRounds
	// interruptions each, half of them by either signal, instead of a handful.
	// envSeed chooses their moments.
	envChaos    = "ANKA_CHAOS"
	envSeed     = "ANKA_CHAOS_SEED"
	chaosRounds = 40
	// stopsWithin is how long terraform may take to end when interrupted.
	stopsWithin = 90 * time.Second
)

// chaos draws how and when applies are interrupted.
type chaos struct {
	seed   uint64
	rounds int
	random *rand.Rand
}

func newChaos(t *testing.T, handful int) *chaos {
	t.Helper()
	c := &chaos{seed: 3, rounds: handful}
	if os.Getenv(envChaos) == "1" {
		c.rounds = chaosRounds
	}
	if given := os.Getenv(envSeed); given != "" {
		seed, err := strconv.ParseUint(given, 10, 64)
		must(t, err)
		c.seed = seed
	}
	c.random = rand.New(rand.NewPCG(c.seed, c.seed))
	return c
}

// interruption is a signal that an apply gets at some moment.
type interruption struct {
	after  time.Duration
	signal syscall.Signal
	// when, if there is one, tells the moment instead of after.
	when func(context.Context) bool
	// group: the provider gets it, too.
	group bool
}

func (i interruption) String() string {
	whom := "terraform"
	if i.group {
		whom = "terraform and the provider"
	}
	return fmt.Sprintf("%s to %s after %s", i.signal, whom, i.after.Round(time.Millisecond))
}

// due is the moment of the signal. It never comes once the context has ended.
func (i interruption) due(ctx context.Context) <-chan time.Time {
	if i.when == nil {
		return time.After(i.after)
	}
	due := make(chan time.Time)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if i.when(ctx) {
					close(due)
					return
				}
			}
		}
	}()
	return due
}

// draw takes a moment of an apply that takes about whole. The signals take
// turns, the other way round every four rounds, so that what changes in each
// round meets both.
func (c *chaos) draw(round int, whole time.Duration) interruption {
	signals := []syscall.Signal{syscall.SIGKILL, syscall.SIGINT}
	return interruption{
		after: time.Duration(c.random.Float64() * float64(whole)), signal: signals[(round+round/4)%2], group: c.random.IntN(2) == 1,
	}
}

// TestAccEtcdCluster_interruptedCreate interrupts terraform, with the provider
// or without, at moments all over a create, whose end varies. The next apply
// must converge on one cluster, whose second plan is empty, and destroy must
// leave no container.
func TestAccEtcdCluster_interruptedCreate(t *testing.T) {
	lab := testlab.LabForTest(t, 3)
	c := newChaos(t, 3)
	p := &proof{t: t, lab: lab, workspace: newWorkspace(t), image: images.Etcd35, transport: "ssh", members: three(), attributes: []string{"purge_data_on_destroy = true"}}
	p.write()
	for round := range c.rounds {
		i := c.draw(round, 0)
		i.after = time.Duration((float64(round) + c.random.Float64()) / float64(c.rounds) * float64(2500*time.Millisecond))
		i.group = round/2%2 == 0
		p.interrupted(c, round, i)
		oneCluster(t, lab)
		p.nothingLeft("after the interruption")
		_, err := p.workspace.Destroy(t.Context())
		must(t, err)
		for _, host := range lab.Hosts {
			if left := docker(t, lab, host.Name, "ps", "-aq"); left != "" {
				t.Fatalf("containers on %s after destroy: %s", host.Name, left)
			}
		}
	}
}

// TestAccEtcdCluster_interruptedScale goes between three and five members, and
// every time the first apply is interrupted.
func TestAccEtcdCluster_interruptedScale(t *testing.T) {
	lab := testlab.LabForTest(t, 5)
	c := newChaos(t, 2)
	p := newProof(t, lab, proof{image: images.Etcd35, transport: "ssh", members: three()})
	for round := range c.rounds {
		if round%2 == 0 {
			p.members["etcd-4"], p.members["etcd-5"] = "h4", "h5"
		} else {
			delete(p.members, "etcd-4")
			delete(p.members, "etcd-5")
		}
		p.write()
		p.interrupted(c, round, c.draw(round, 16*time.Second))
		must(t, p.writer.SetEndpoints(p.endpoints()...))
		p.proven(fmt.Sprintf("round %d", round))
	}
	t.Log(p.writer.Stop())
}

// TestAccEtcdCluster_interruptedUpgrade goes up from 3.5 to 3.7 and down again,
// and every time the first apply is interrupted.
func TestAccEtcdCluster_interruptedUpgrade(t *testing.T) {
	lab := testlab.LabForTest(t, 3)
	must(t, lab.LoadImages(t.Context(), images.Etcd36, images.Etcd37))
	c := newChaos(t, 2)
	p := newProof(t, lab, proof{image: images.Etcd35, transport: "tls", members: three()})
	way := []struct {
		image string
		takes time.Duration
	}{
		{images.Etcd36, 16 * time.Second},
		{images.Etcd37, 36 * time.Second},
		{images.Etcd36, 18 * time.Second},
		{images.Etcd35, 18 * time.Second},
	}
	for round := range c.rounds {
		next := way[round%len(way)]
		p.image = next.image
		p.write()
		p.interrupted(c, round, c.draw(round, next.takes))
		p.proven(fmt.Sprintf("round %d", round))
		p.runs(next.image[strings.LastIndex(next.image, ":v")+2:])
	}
	t.Log(p.writer.Stop())
}

// interrupted starts an apply, interrupts it, and applies again, which has to
// converge: on the cluster that there was, with all data that there was.
func (p *proof) interrupted(c *chaos, round int, i interruption) {
	p.t.Helper()
	p.t.Logf("round %d of seed %d: %s", round, c.seed, i)
	before := p.volumes()
	finish := p.interrupt(i)
	between := p.volumes()
	id := p.someClusterID()
	o := p.converge()
	finish()
	p.t.Logf("round %d: what was left took %s\n  %s", round, o.took.Round(100*time.Millisecond), strings.Join(o.done, "\n  "))
	after := p.volumes()
	for _, volume := range append(before, between...) {
		if !slices.Contains(after, volume) {
			p.t.Errorf("round %d: the data in %s is gone", round, volume)
		}
	}
	if now := p.state().ClusterID; id != "" && id != now {
		p.t.Errorf("round %d: cluster %s was there after the interruption, now it is %s", round, id, now)
	}
}

// interrupt sends the signal and waits until terraform has ended. The returned
// function ends what is left of its process group: a provider outlives a
// terraform that was killed.
func (p *proof) interrupt(i interruption) func() {
	p.t.Helper()
	command := p.workspace.Command(context.Background(), "apply", "-auto-approve", "-input=false", "-no-color")
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var output strings.Builder
	command.Stdout, command.Stderr = &output, &output
	// A killed terraform leaves the pipe to its provider.
	command.WaitDelay = time.Second
	must(p.t, command.Start())
	process := command.Process.Pid
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	ctx, cancel := context.WithCancel(p.t.Context())
	defer cancel()
	select {
	case <-i.due(ctx):
	case err := <-ended:
		p.t.Logf("the apply had ended by itself: %v\n%s", err, output.String())
		return func() {}
	}
	victim := process
	if i.group {
		victim = -process
	}
	must(p.t, syscall.Kill(victim, i.signal))
	select {
	case err := <-ended:
		p.t.Logf("%s ended the apply: %v", i.signal, err)
	case <-time.After(stopsWithin):
		_ = syscall.Kill(-process, syscall.SIGKILL) // it may end at this very moment
		p.t.Fatalf("terraform did not end within %s of %s", stopsWithin, i)
	}
	if i.signal == syscall.SIGINT && strings.Contains(output.String(), "panic") {
		p.t.Errorf("the interrupted apply said:\n%s", output.String())
	}
	return func() { _ = syscall.Kill(-process, syscall.SIGKILL) } // it may have ended by itself
}

// converge applies. What is left of a killed apply may hold the lock for a
// moment, of which the error has to tell.
func (p *proof) converge() outcome {
	p.t.Helper()
	var o outcome
	await(p.t, "the next apply converges", func(context.Context) error {
		o = p.apply()
		if o.err != nil && !strings.Contains(o.text(), "another apply is changing cluster acc") {
			p.t.Fatalf("the next apply: %v", o.err)
		}
		return o.err
	})
	return o
}

// volumes are all volumes of all hosts.
func (p *proof) volumes() []string {
	p.t.Helper()
	var all []string
	for _, host := range p.lab.Hosts {
		for _, name := range strings.Fields(docker(p.t, p.lab, host.Name, "volume", "ls", "-q")) {
			all = append(all, host.Name+"/"+name)
		}
	}
	return all
}

// someClusterID is the ID of the cluster that a member with a leader belongs
// to, "" when there is none.
func (p *proof) someClusterID() string {
	p.t.Helper()
	for _, endpoint := range p.endpoints() {
		ctx, cancel := context.WithTimeout(p.t.Context(), time.Second)
		status, err := statusWithin(ctx, endpoint)
		cancel()
		if err == nil && status.Leader != 0 {
			return fmt.Sprintf("%x", status.ClusterID)
		}
	}
	return ""
}

// TestAccEtcdCluster_oneApplyAtATime: while somebody else holds the cluster's
// lock an apply fails at once, says who it is, and changes nothing. Once the
// lock is given back it goes on.
func TestAccEtcdCluster_oneApplyAtATime(t *testing.T) {
	lab := testlab.LabForTest(t, 4)
	p := newProof(t, lab, proof{image: images.Etcd35, transport: "ssh", members: three()})
	client, err := etcdclient.New(url(lab, "h2"), dialer.DialContext)
	must(t, err)
	defer client.Close() //nolint:errcheck // nothing waits for it
	lock, err := client.AcquireLock(t.Context(), etcdclient.LockRequest{
		Name: "acc", TTL: 20 * time.Second,
		Holder: etcdclient.Holder{Who: "ci", Host: "runner-7", PID: 42, Since: time.Now()},
	})
	must(t, err)
	p.members = three()
	p.members["etcd-4"] = "h4"
	p.write()
	before := p.containerIDs()
	o := p.apply()
	p.says("an apply beside another", o, "another apply is changing cluster acc", "this one has changed nothing", "ci on runner-7 (process 42)")
	if o.took > 20*time.Second {
		t.Errorf("it took %s to fail", o.took)
	}
	if after := p.containerIDs(); !maps.Equal(before, after) {
		t.Errorf("it has changed containers: %v, were %v", after, before)
	}
	must(t, lock.Release(t.Context()))
	if o := p.apply(); o.err != nil {
		t.Fatalf("once the lock was given back: %v", o.err)
	}
	must(t, p.writer.SetEndpoints(p.endpoints()...))
	p.proven("once the lock was given back")
}
