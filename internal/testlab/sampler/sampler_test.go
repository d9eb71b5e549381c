package sampler

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// timeline reads one character per 100 ms: + is ready, - is not.
func timeline(text string, offset time.Duration) []sample {
	var samples []sample
	for i, c := range text {
		begin := offset + time.Duration(i)*100*time.Millisecond
		samples = append(samples, sample{begin: begin, end: begin + 10*time.Millisecond, ready: c == '+'})
	}
	return samples
}

func TestJudge(t *testing.T) {
	for name, test := range map[string]struct {
		hosts   [3]string
		minimum int
		longest time.Duration // of the first host
	}{
		"all ready":          {[3]string{"+++++", "+++++", "+++++"}, 3, 0},
		"one after another":  {[3]string{"+--++++", "++++-++", "+++++++"}, 2, 310 * time.Millisecond},
		"at once":            {[3]string{"+---+++", "++--+++", "+++++++"}, 1, 410 * time.Millisecond},
		"the other began":    {[3]string{"+++-+++", "+---+++", "+++++++"}, 1, 210 * time.Millisecond},
		"all":                {[3]string{"+--", "+--", "+--"}, 0, 200 * time.Millisecond},
		"hand over":          {[3]string{"+-+", "++-", "+++"}, 2, 210 * time.Millisecond},
		"from the beginning": {[3]string{"--+", "+++", "+++"}, 2, 210 * time.Millisecond},
		"twice":              {[3]string{"+-+--+", "++++++", "++++++"}, 2, 310 * time.Millisecond},
	} {
		hosts := map[string][]sample{}
		// Answers come in any order.
		for i, host := range []string{"h1", "h2", "h3"} {
			hosts[host] = timeline(test.hosts[i], time.Duration(i)*time.Millisecond)
		}
		slices.Reverse(hosts["h2"])
		got := judge(hosts)
		if got.Minimum != test.minimum || got.Hosts["h1"].Longest != test.longest || (len(got.Together) > 0) != (test.minimum < 2) {
			t.Errorf("%s: %s, together %q", name, got, got.Together)
		}
	}
}

// replica is a service that can be broken.
func replica(t *testing.T) (url string, code *atomic.Int32, close func()) {
	t.Helper()
	code = &atomic.Int32{}
	code.Store(http.StatusOK)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(code.Load())) }))
	t.Cleanup(server.Close)
	return server.URL, code, server.Close
}

// TestWatch: a node goes on to the next URL when one is broken or does not
// listen, and fails when none is left, or with an answer about itself.
func TestWatch(t *testing.T) {
	first, broken, _ := replica(t)
	second, refusing, stop := replica(t)
	watch := func() Report {
		w := Start(Options{URLs: map[string]string{"h1": first, "h2": second}, Path: "/any"})
		<-time.After(4 * sampleInterval)
		report := w.Stop()
		if again := w.Stop(); again.String() != report.String() {
			t.Errorf("stopped again: %s, was %s", again, report)
		}
		if report.Samples < 4 || report.Nodes.Requests < 4 {
			t.Errorf("too few: %s", report)
		}
		return report
	}
	if r := watch(); r.Minimum != 2 || r.Nodes.Elsewhere != 0 || len(r.Nodes.Failed) != 0 {
		t.Errorf("all ready: %s", r)
	}
	broken.Store(http.StatusServiceUnavailable)
	if r := watch(); r.Minimum != 1 || r.Nodes.Elsewhere != r.Nodes.Requests || len(r.Nodes.Failed) != 0 || r.Longest() == 0 {
		t.Errorf("one broken: %s", r)
	}
	refusing.Store(http.StatusUnauthorized)
	if r := watch(); r.Minimum != 0 || len(r.Nodes.Failed) != r.Nodes.Requests || !strings.Contains(r.Nodes.Failed[0], "401") {
		t.Errorf("one broken, one refuses: %s", r)
	}
	stop()
	if r := watch(); r.Minimum != 0 || len(r.Nodes.Failed) != r.Nodes.Requests || !strings.Contains(r.Nodes.Failed[0], "refused") {
		t.Errorf("one broken, one gone: %s", r)
	}
}
