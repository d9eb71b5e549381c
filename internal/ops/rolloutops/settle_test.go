package rolloutops

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestApply_flappingSuccessor: one that has answered three times and then no more is
// taken back, and no other host is touched.
func TestApply_flappingSuccessor(t *testing.T) {
	hosts := []string{"h1", "h2"}
	w := servingWorld(t, "good1", hosts...)
	w.settle = time.Second
	h1 := w.hosts["h1"]
	service := h1.service.Config.Handler
	var answers atomic.Int32
	h1.service.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.runs("h1", "good2") && answers.Add(1) > 3 {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		service.ServeHTTP(rw, r)
	})
	_, err := w.apply(t, t.Context(), w.wanted("good2", hosts...))
	if err == nil || !strings.Contains(err.Error(), "HTTP 503") || !strings.Contains(err.Error(), "has been put back and started; it answers as ready") {
		t.Errorf("got %v", err)
	}
	w.settled(t, w.wanted("good1", hosts...))
}

// runs reports whether a host runs a container of an image.
func (w *world) runs(host, image string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.hosts[host].containers {
		if c.State == "running" && c.Image == image {
			return true
		}
	}
	return false
}

// TestApply_settles: the next host is touched only when the last one has been
// ready for as long as it has to.
func TestApply_settles(t *testing.T) {
	hosts := []string{"h1", "h2"}
	w := servingWorld(t, "good1", hosts...)
	w.settle = time.Second
	var ready, next atomic.Int64
	service, daemon := w.hosts["h1"].service.Config.Handler, w.hosts["h2"].daemon.Config.Handler
	w.hosts["h1"].service.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.runs("h1", "good2") {
			ready.CompareAndSwap(0, time.Now().UnixNano())
		}
		service.ServeHTTP(rw, r)
	})
	w.hosts["h2"].daemon.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/stop") {
			next.Store(time.Now().UnixNano())
		}
		daemon.ServeHTTP(rw, r)
	})
	if _, err := w.apply(t, t.Context(), w.wanted("good2", hosts...)); err != nil {
		t.Fatal(err)
	}
	if after := time.Duration(next.Load() - ready.Load()); after < w.settle || after > 3*w.settle {
		t.Errorf("h2 was touched %s after h1 had been ready, want at least %s", after, w.settle)
	}
}

// TestApply_readyAtTheLastMoment: one that is ready in time is not taken back
// because the time is over before it has settled.
func TestApply_readyAtTheLastMoment(t *testing.T) {
	w := servingWorld(t, "good1", "h1")
	w.patience, w.settle = 2*time.Second, 20*time.Second
	w.hosts["h1"].becomes(t, func(c *kept) { c.Image = "good by now" })
	began := time.Now()
	if _, err := w.apply(t, t.Context(), w.wanted("bad2", "h1")); err != nil || time.Since(began) > w.settle/2 {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

// mute makes the daemon of a host take connections and never answer from the
// moment on at which the service of another has been asked while nothing good
// runs there. Then something else is done.
func (w *world) mute(host, once string, then func()) {
	var on atomic.Bool
	service, daemon := w.hosts[once].service.Config.Handler, w.hosts[host].daemon.Config.Handler
	var asked atomic.Int32
	w.hosts[once].service.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		// The first question is part of looking at all hosts.
		if !w.serves(once) && asked.Add(1) > 2 && !on.Swap(true) {
			then()
		}
		service.ServeHTTP(rw, r)
	})
	w.hosts[host].daemon.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if on.Load() {
			<-r.Context().Done()
			return
		}
		daemon.ServeHTTP(rw, r)
	})
}

// TestApply_anotherHostHangs: putting back an old container does not wait for
// the daemons of other hosts.
func TestApply_anotherHostHangs(t *testing.T) {
	t.Parallel() // it waits for long
	w := servingWorld(t, "good1", "h1", "h2")
	w.mute("h2", "h1", func() {})
	began := time.Now()
	_, err := w.apply(t, t.Context(), w.wanted("bad2", "h1", "h2"))
	if err == nil || !strings.Contains(err.Error(), "on h1 has been put back and started; it answers as ready") || time.Since(began) > w.patience+5*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

// TestApply_interruptedWhileAnotherHostHangs: the same for an apply that is
// told to end.
func TestApply_interruptedWhileAnotherHostHangs(t *testing.T) {
	t.Parallel() // it waits for long
	w := servingWorld(t, "good1", "h1", "h2")
	w.patience = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.mute("h2", "h1", cancel)
	_, err := w.apply(t, ctx, w.wanted("bad2", "h1", "h2"))
	if err == nil || !strings.Contains(err.Error(), "on h1 has been put back") || !w.serves("h1") {
		t.Errorf("got %v", err)
	}
}
