package rolloutops

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

const canary = "canary-secret"

// wanted is an image on all hosts of the world, with a file and a secret.
func (w *world) wanted(image string, hosts ...string) rollout.Desired {
	d := rollout.Desired{Owner: "anka", Role: container.Controller}
	for _, host := range hosts {
		spec := container.Spec{Image: image, Ports: []container.Port{{HostPort: w.hosts[host].port(), ContainerPort: 80}}}.Owned(d.Identity(host))
		spec.Files = []container.File{{Path: "/etc/anka/a.pem", Content: []byte(canary), Mode: 0o600, Secret: true}}
		spec.SecretEnv = map[string]string{"TOKEN": canary}
		d.Replicas = append(d.Replicas, rollout.Replica{Host: host, Spec: spec})
	}
	return d
}

// apply is a process of its own that applies d.
func (w *world) apply(t *testing.T, ctx context.Context, d rollout.Desired) (Result, error) {
	t.Helper()
	s := &Service{Desired: d, Fleet: w.fleet(t), ReadyTimeout: w.patience, Settle: w.settle, Secrets: []string{canary}}
	for host := range w.hosts {
		s.Known = append(s.Known, host)
	}
	defer s.Close()
	result, err := s.Apply(ctx)
	if err != nil && strings.Contains(err.Error(), canary) {
		t.Errorf("a secret is in %v", err)
	}
	return result, err
}

// killedApply is a process that applies d and is killed by the change of this
// number, which is carried out before or not. It reports whether it came to
// that.
func (w *world) killedApply(t *testing.T, d rollout.Desired, cut int, carriedOut bool) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.mu.Lock()
	w.changes, w.cut, w.lost, w.killed = 0, cut, carriedOut, cancel
	w.mu.Unlock()
	_, _ = w.apply(t, ctx, d) // it may fail before, too
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = 0
	return ctx.Err() != nil
}

// settled fails unless exactly the replicas of d are there, complete, and serve.
func (w *world) settled(t *testing.T, d rollout.Desired) {
	t.Helper()
	for _, r := range d.Replicas {
		containers := w.hosts[r.Host].containers
		if len(containers) != 1 {
			t.Errorf("%s has %d containers", r.Host, len(containers))
			continue
		}
		c := containers[0]
		if c.Name != r.Spec.Name || c.Labels[container.LabelHash] != r.Spec.Labels[container.LabelHash] || !c.serves() || c.Files != 1 || !slices.Contains(c.Env, "TOKEN="+canary) {
			t.Errorf("%s has %+v", r.Host, c)
		}
	}
}

// TestApply_killedAnywhere: whatever the last thing is that a killed apply did,
// applying again converges, and never do two hosts not serve at a time.
func TestApply_killedAnywhere(t *testing.T) {
	hosts := []string{"h1", "h2", "h3"}
	for name, c := range map[string]struct {
		before, during, after string
		least                 int // services that serve at every moment
	}{
		"creation":            {"", "good1", "good1", 0},
		"creation, changed":   {"", "good1", "good2", 0},
		"update":              {"good1", "good2", "good2", 2},
		"update, taken back":  {"good1", "good2", "good1", 2},
		"update, changed":     {"good1", "good2", "good3", 2},
		"bad update":          {"good1", "bad2", "good3", 2},
		"bad, taken back":     {"good1", "bad2", "good1", 2},
		"crash, then changed": {"good1", "crash2", "good3", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cut, killed := 1, true
			for ; killed; cut++ {
				for _, carriedOut := range []bool{false, true} {
					w := newWorld(t, hosts...)
					if c.before != "" {
						if _, err := w.apply(t, t.Context(), w.wanted(c.before, hosts...)); err != nil {
							t.Fatal(err)
						}
					}
					w.least = c.least
					w.trace = nil
					killed = w.killedApply(t, w.wanted(c.during, hosts...), cut, carriedOut)
					result, again := w.apply(t, t.Context(), w.wanted(c.after, hosts...))
					if again != nil || result.Waiting != nil {
						t.Fatalf("killed by change %d: applying again gave %v, %v after %v", cut, again, result.Waiting, w.trace)
					}
					w.settled(t, w.wanted(c.after, hosts...))
					if w.least < c.least {
						t.Errorf("killed by change %d: only %d served", cut, w.least)
					}
					if t.Failed() {
						t.Fatalf("killed by change %d (carried out: %t):\n%s", cut, carriedOut, strings.Join(w.trace, "\n"))
					}
				}
			}
			if cut < 12 {
				t.Errorf("only %d changes were made", cut-2)
			}
		})
	}
}

// TestApply_failedUpdate: one host is touched, its old container serves again,
// and what is said names host, reason and log.
func TestApply_failedUpdate(t *testing.T) {
	hosts := []string{"h1", "h2", "h3"}
	for image, want := range map[string]string{"bad2": "not ready within", "crash2": "given up after"} {
		w := newWorld(t, hosts...)
		w.patience = 2 * time.Second
		old := w.wanted("good1", hosts...)
		if _, err := w.apply(t, t.Context(), old); err != nil {
			t.Fatal(err)
		}
		w.least = 2
		w.trace = nil
		_, err := w.apply(t, t.Context(), w.wanted(image, hosts...))
		for _, part := range []string{want, "host h1", "has been put back and started; it answers as ready", "no other host was touched"} {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("got %v, want %q in it", err, part)
			}
		}
		w.settled(t, old)
		if touched := strings.Join(w.trace, "\n"); w.least < 2 || strings.Contains(touched, "h2") || strings.Contains(touched, "h3") {
			t.Errorf("%d served; %s", w.least, touched)
		}
	}
}
