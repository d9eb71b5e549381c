package rolloutops

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// servingWorld makes a world in which image serves on all hosts.
func servingWorld(t *testing.T, image string, hosts ...string) *world {
	t.Helper()
	w := newWorld(t, hosts...)
	w.patience = 2 * time.Second
	if result, err := w.apply(t, t.Context(), w.wanted(image, hosts...)); err != nil || result.Waiting != nil {
		t.Fatal(err, result.Waiting)
	}
	w.trace, w.graces = nil, nil
	return w
}

// refuse makes the daemon of a host answer requests of a method whose path
// contains part with an error, as long as on is true.
func (e *engine) refuse(method, part, message string, on *bool) {
	before := e.daemon.Config.Handler
	e.daemon.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		e.world.mu.Lock()
		refused := *on && r.Method == method && strings.Contains(r.URL.Path, part)
		e.world.mu.Unlock()
		if !refused {
			before.ServeHTTP(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusInternalServerError)
		_, _ = rw.Write([]byte(`{"message":"` + message + `"}`))
	})
}

const busy = "driver failed to remove root filesystem: device or resource busy"

// TestApply_oldContainerStays: that the old container cannot be removed costs
// nothing that serves. It is said, and the next apply removes it.
func TestApply_oldContainerStays(t *testing.T) {
	hosts := []string{"h1", "h2", "h3"}
	w := servingWorld(t, "good1", hosts...)
	w.least = 3
	broken := true
	w.hosts["h1"].refuse(http.MethodDelete, "h1-1", busy, &broken)
	d := w.wanted("good2", hosts...)
	result, err := w.apply(t, t.Context(), d)
	if err != nil || len(result.Left) != 1 || !strings.Contains(result.Left[0], "anka-anka-controller-h1.previous on h1: ") || !strings.Contains(result.Left[0], busy) {
		t.Fatalf("got %v, left %q after %v", err, result.Left, w.trace)
	}
	if w.least < 2 || !w.hosts["h1"].find("anka-anka-controller-h1").serves() {
		t.Errorf("%d served after %v", w.least, w.trace)
	}
	if got := result.View.Hashes(d)["h1"]; got != d.Replicas[0].Spec.Labels[container.LabelHash] {
		t.Errorf("recorded is %q", got)
	}
	// What changes next needs its name: that is an error, and h1 goes on serving.
	if _, err = w.apply(t, t.Context(), w.wanted("good3", hosts...)); err == nil || !strings.Contains(err.Error(), busy) {
		t.Errorf("changed once more: got %v", err)
	}
	if n := w.serving(); n != 3 {
		t.Errorf("%d serve after %v", n, w.trace)
	}
	broken = false
	if result, err = w.apply(t, t.Context(), d); err != nil || len(result.Left) > 0 {
		t.Errorf("got %v, left %q", err, result.Left)
	}
	w.settled(t, d)
}

// TestApply_unfinishedContainerStays: the same of one that was never finished,
// but not where a container has to be made.
func TestApply_unfinishedContainerStays(t *testing.T) {
	hosts := []string{"h1", "h2"}
	w := servingWorld(t, "good1", hosts...)
	d := w.wanted("good1", hosts...)
	spec := d.Replicas[0].Spec
	e := w.hosts["h1"]
	e.containers = append(e.containers, &kept{ID: "stuck", Name: container.IncompleteName(spec.Name), State: "created", Labels: spec.Labels})
	broken := true
	e.refuse(http.MethodDelete, "stuck", busy, &broken)
	if result, err := w.apply(t, t.Context(), d); err != nil || len(result.Left) != 1 {
		t.Errorf("got %v, left %q", err, result.Left)
	}
	if _, err := w.apply(t, t.Context(), w.wanted("good2", hosts...)); err == nil || !strings.Contains(err.Error(), busy) || w.serving() != 2 {
		t.Errorf("where one has to be made: got %v", err)
	}
	if _, err := w.apply(t, t.Context(), w.wanted("good1", "h2")); err == nil || len(e.containers) != 2 {
		t.Errorf("where the host is given up: got %v, has %v", err, e.containers)
	}
}

// hangs makes the service of a host take connections and never answer while
// nothing good runs there. It tells how long that was, once it is over.
func (e *engine) hangs() (out func() time.Duration) {
	w := e.world
	service, daemon := e.service.Config.Handler, e.daemon.Config.Handler
	good := func() bool { return w.serves(e.name) }
	e.service.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !good() {
			<-r.Context().Done()
			return
		}
		service.ServeHTTP(rw, r)
	})
	var from, to time.Time
	e.daemon.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		daemon.ServeHTTP(rw, r)
		serves := good()
		w.mu.Lock()
		defer w.mu.Unlock()
		switch {
		case !serves && from.IsZero():
			from = time.Now()
		case serves && !from.IsZero() && to.IsZero():
			to = time.Now()
		}
	})
	return func() time.Duration { return to.Sub(from) }
}

// TestApply_hangingSuccessor: one that takes connections and never answers is
// taken back when the time to get ready is over, not some requests later.
func TestApply_hangingSuccessor(t *testing.T) {
	hosts := []string{"h1", "h2", "h3"}
	w := servingWorld(t, "good1", hosts...)
	out := w.hosts["h1"].hangs()
	_, err := w.apply(t, t.Context(), w.wanted("bad2", hosts...))
	if err == nil || !strings.Contains(err.Error(), "not ready within") || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("got %v", err)
	}
	if took := out(); took < w.patience || took > w.patience+2*time.Second {
		t.Errorf("h1 did not serve for %s, which is given %s", took, w.patience)
	}
	w.settled(t, w.wanted("good1", hosts...))
}

// TestApply_interrupted: wherever in a replacement an apply is told to end, the
// old container serves again, soon, and no other host is touched.
func TestApply_interrupted(t *testing.T) {
	hosts := []string{"h1", "h2", "h3"}
	const started = 6 // set aside, created, written, named; the old one stopped; started
	for cut := 1; cut <= started; cut++ {
		w := servingWorld(t, "good1", hosts...)
		w.patience, w.asked = time.Minute, true
		if cut == started {
			w.hosts["h1"].hangs() // the longest it can take
		}
		began := time.Now()
		if !w.killedApply(t, w.wanted("bad2", hosts...), cut, true) || time.Since(began) > interruptedTimeout/2 {
			t.Errorf("change %d: it did not end within %s after %v", cut, time.Since(began), w.trace)
		}
		h1 := w.hosts["h1"]
		if c := h1.find("anka-anka-controller-h1"); c == nil || c.ID != "h1-1" || !c.serves() || h1.find("anka-anka-controller-h1.previous") != nil {
			t.Errorf("change %d: h1 has %+v after %v", cut, c, w.trace)
		}
		if touched := strings.Join(w.trace, "\n"); strings.Contains(touched, "h2 ") || strings.Contains(touched, "h3 ") {
			t.Errorf("change %d: there was %v", cut, w.trace)
		}
	}
}

// TestApply_interruptedWhenReady: a successor that serves is not taken back.
func TestApply_interruptedWhenReady(t *testing.T) {
	hosts := []string{"h1", "h2"}
	w := servingWorld(t, "good1", hosts...)
	w.asked = true
	const started = 6
	w.killedApply(t, w.wanted("good2", hosts...), started, true)
	if c := w.hosts["h1"].find("anka-anka-controller-h1"); c.Image != "good2" || !c.serves() || len(w.trace) != started {
		t.Errorf("h1 has %+v after %v", c, w.trace)
	}
}

// TestApply_timeIsOver: the old container is put back, too, when the time for
// the whole apply ends while its successor is waited for.
func TestApply_timeIsOver(t *testing.T) {
	hosts := []string{"h1", "h2"}
	w := servingWorld(t, "good1", hosts...)
	w.patience = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := w.apply(t, ctx, w.wanted("bad2", hosts...))
	if err == nil || !strings.Contains(err.Error(), "has been put back and started") {
		t.Errorf("got %v", err)
	}
	w.settled(t, w.wanted("good1", hosts...))
}

// TestApply_endedSuccessor: one that has ended and is not started again is not
// waited for.
func TestApply_endedSuccessor(t *testing.T) {
	w := servingWorld(t, "good1", "h1")
	w.patience = 30 * time.Second
	began := time.Now()
	_, err := w.apply(t, t.Context(), w.wanted("exit2", "h1"))
	if err == nil || !strings.Contains(err.Error(), "given up after") || time.Since(began) > w.patience/2 {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	w.settled(t, w.wanted("good1", "h1"))
}

// TestApply_masksWhatDaemonsSay: also beside what was done about it.
func TestApply_masksWhatDaemonsSay(t *testing.T) {
	w := servingWorld(t, "good1", "h1")
	broken := true
	w.hosts["h1"].refuse(http.MethodPost, "h1-2/start", "cannot start with TOKEN="+canary, &broken)
	_, err := w.apply(t, t.Context(), w.wanted("good2", "h1")) // which looks for the canary
	if err == nil || !strings.Contains(err.Error(), "TOKEN="+hidden) || !strings.Contains(err.Error(), "has been put back") {
		t.Errorf("got %v", err)
	}
}

// TestApply_oldContainersGrace: it is stopped with its own, whatever its
// successor's is.
func TestApply_oldContainersGrace(t *testing.T) {
	w := newWorld(t, "h1")
	w.patience = 2 * time.Second
	d := w.wanted("good1", "h1")
	d.Replicas[0].Spec.StopGrace = 40 * time.Second
	if _, err := w.apply(t, t.Context(), d); err != nil {
		t.Fatal(err)
	}
	d = w.wanted("good2", "h1")
	d.Replicas[0].Spec.StopGrace = 3 * time.Second
	if _, err := w.apply(t, t.Context(), d); err != nil || !slices.Equal(w.graces, []string{"40"}) {
		t.Errorf("it had %v s, %v", w.graces, err)
	}
}

// becomes changes the bad container of a host a moment after it was started.
func (e *engine) becomes(t *testing.T, change func(*kept)) {
	go func() {
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for seen := 0; seen < 5; {
			select {
			case <-t.Context().Done():
				return
			case <-ticker.C:
			}
			e.world.mu.Lock()
			for _, c := range e.containers {
				if c.State != "running" || !strings.HasPrefix(c.Image, "bad") {
					continue
				}
				if seen++; seen == 5 {
					change(c)
				}
			}
			e.world.mu.Unlock()
		}
	}()
}

// TestApply_recordsWhatIsReady: of a creation that not all replicas have got
// ready in, those that have are proven.
func TestApply_recordsWhatIsReady(t *testing.T) {
	w := newWorld(t, "h1", "h2")
	w.patience = 2 * time.Second
	d := w.wanted("bad1", "h1", "h2")
	w.hosts["h1"].becomes(t, func(c *kept) { c.Image = "good by now" })
	result, err := w.apply(t, t.Context(), d)
	hashes := result.View.Hashes(d)
	if err != nil || result.Waiting == nil || len(hashes) != 1 || hashes["h1"] != d.Replicas[0].Spec.Labels[container.LabelHash] {
		t.Errorf("got %v, waiting %v, recorded %v", err, result.Waiting, hashes)
	}
}

// TestApply_endsWhileWaitedFor: it is not waited for any longer.
func TestApply_endsWhileWaitedFor(t *testing.T) {
	w := servingWorld(t, "good1", "h1")
	w.patience = 20 * time.Second
	w.hosts["h1"].becomes(t, func(c *kept) { c.State = "exited" })
	began := time.Now()
	_, err := w.apply(t, t.Context(), w.wanted("bad2", "h1"))
	if err == nil || !strings.Contains(err.Error(), "given up after") || time.Since(began) > w.patience/2 {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	w.settled(t, w.wanted("good1", "h1"))
}

// TestApply_tellsTheLastAnswer: not that the time was over when it was asked
// once more.
func TestApply_tellsTheLastAnswer(t *testing.T) {
	w := servingWorld(t, "good1", "h1")
	service := w.hosts["h1"].service.Config.Handler
	var asked atomic.Int32
	w.hosts["h1"].service.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !w.serves("h1") && asked.Add(1) > 3 {
			<-r.Context().Done()
			return
		}
		service.ServeHTTP(rw, r)
	})
	_, err := w.apply(t, t.Context(), w.wanted("bad2", "h1"))
	if err == nil || !strings.Contains(err.Error(), "HTTP 503") || strings.Contains(err.Error(), "no answer") {
		t.Errorf("got %v", err)
	}
}

// TestApply_interruptedBetweenSteps: an apply that is told to end while it looks
// at what it has just started puts back the old container, too.
func TestApply_interruptedBetweenSteps(t *testing.T) {
	w := servingWorld(t, "good1", "h1", "h2")
	w.patience = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	service := w.hosts["h1"].service.Config.Handler
	w.hosts["h1"].service.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.serves("h1") {
			service.ServeHTTP(rw, r)
			return
		}
		cancel()
		<-r.Context().Done()
	})
	_, err := w.apply(t, ctx, w.wanted("bad2", "h1", "h2"))
	if err == nil || !strings.Contains(err.Error(), "on h1 has been put back") {
		t.Errorf("got %v", err)
	}
	w.settled(t, w.wanted("good1", "h1", "h2"))
}

// serves reports whether a good container runs on a host.
func (w *world) serves(host string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.hosts[host].containers, (*kept).serves)
}
