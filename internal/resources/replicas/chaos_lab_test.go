package replicas_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// envChaos, set to 1, makes tests go through chaosRounds interruptions
	// instead of a handful. envSeed chooses their moments.
	envChaos    = "ANKA_CHAOS"
	envSeed     = "ANKA_CHAOS_SEED"
	chaosRounds = 20
	handful     = 3
)

// chaos draws when applies are killed.
type chaos struct {
	seed   uint64
	rounds int
	random *rand.Rand
}

func newChaos(t *testing.T) *chaos {
	t.Helper()
	c := &chaos{seed: 4, rounds: handful}
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

// draw takes a moment of an apply that takes about whole, one from each part of
// it, as there are rounds, and tells whether the provider is killed, too.
func (c *chaos) draw(round int, whole time.Duration) (after time.Duration, group bool) {
	part := (float64(round) + c.random.Float64()) / float64(c.rounds)
	// Before a tenth of it terraform has not begun.
	return time.Duration((0.1 + 0.9*part) * float64(whole)), round%2 == 0
}

// kill starts an apply in a process group of its own and kills terraform, or
// the whole group, after a while, unless it has ended before. The returned
// function ends what is left of the group: a provider can outlive a terraform
// that was killed.
func (r *rolling) kill(after time.Duration, group bool) (finish func(), inTime bool) {
	r.t.Helper()
	command := r.workspace.Command(context.Background(), "apply", "-auto-approve", "-input=false", "-no-color")
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(r.t, command.Start())
	victim := command.Process.Pid
	all := -victim
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case <-time.After(after):
	case err := <-ended:
		r.t.Logf("the apply had ended by itself: %v", err)
		return func() {}, false
	}
	if group {
		victim = all
	}
	must(r.t, syscall.Kill(victim, syscall.SIGKILL))
	err := <-ended
	return func() { _ = syscall.Kill(all, syscall.SIGKILL) }, err != nil // it may have ended by itself
}

// leftovers are the containers of controllers beside those that serve.
func (r *rolling) leftovers() string {
	r.t.Helper()
	var left []string
	for _, host := range r.lab.Hosts {
		states := docker(r.t, r.lab, host.Name, "ps", "-a", "--format", "{{.Names}} {{.State}}", "--filter", "name=controller")
		for line := range strings.SplitSeq(states, "\n") {
			if line != "anka-acc-controller-"+host.Name+" running" {
				left = append(left, line)
			}
		}
	}
	if len(left) == 0 {
		return "nothing"
	}
	return strings.Join(left, ", ")
}
