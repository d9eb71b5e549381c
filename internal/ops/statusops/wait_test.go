package statusops_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/inprocess"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
)

// starting is a controller that a load balancer hides for one question, whose
// registry runs from the third on, and which is ready from the fourth on.
func starting(t *testing.T) string {
	t.Helper()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/status" {
			if asked.Load() < 4 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return
		}
		switch asked.Add(1) {
		case 2:
			_, _ = w.Write([]byte(running))
		case 1:
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte("<html>no server is available</html>"))
		default:
			_, _ = w.Write([]byte(strings.Replace(running, "FAIL", "Running", 1)))
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestAsk_waits(t *testing.T) {
	for name, c := range map[string]struct {
		wait     statusops.Wait
		ready    bool
		registry string
	}{
		"to answer":           {statusops.Wait{}, false, "FAIL"},
		"for the registry":    {statusops.Wait{RegistryRunning: true}, false, "Running"},
		"for both":            {statusops.Wait{Ready: true, RegistryRunning: true}, true, "Running"},
		"until it is ready":   {statusops.Wait{Ready: true}, true, "Running"},
		"but with a deadline": {statusops.Wait{Ready: true, Timeout: time.Minute}, true, "Running"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, err := statusops.Ask(t.Context(), statusops.Question{URL: starting(t), Wait: &c.wait})
			if err != nil || answer.Ready != c.ready || answer.Status == nil || answer.Status.RegistryStatus != c.registry {
				t.Errorf("got %+v, %v", answer, err)
			}
		})
	}
}

// TestAsk_waitEnds: the error tells what was waited for and the last answer;
// where that is allowed it is data.
func TestAsk_waitEnds(t *testing.T) {
	closed := freeport.ClosedURL(t)
	never := func(t *testing.T) string {
		return inprocess.Controller(t, inprocess.NewStore(), inprocess.Env{
			"ANKASIM_NEVER_READY": "true", "ANKA_ANKA_REGISTRY": closed,
		})
	}
	wait := &statusops.Wait{Ready: true, RegistryRunning: true, Timeout: 1500 * time.Millisecond}
	for name, c := range map[string]struct {
		url       string
		text      []string
		reachable bool
	}{
		"never ready": {never(t), []string{
			"waited 1.5s for the controller to be ready and its registry to be running, and asked ",
			"its status was Running, it was not ready, and the status of its registry " + closed + " was FAIL", "wait_for.timeout", "HTTP 503",
		}, true},
		"not there": {closed, []string{"waited 1.5s", "there was no status", "connection was refused"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := statusops.Ask(t.Context(), statusops.Question{URL: c.url, Wait: wait})
			var late *statusops.WaitError
			if !errors.As(err, &late) {
				t.Fatalf("got %v", err)
			}
			if summary, allowable := statusops.Explain(err); summary != "Controller is not ready in time" || !allowable {
				t.Errorf("got %q, %t", summary, allowable)
			}
			answer, err := statusops.Ask(t.Context(), statusops.Question{URL: c.url, Wait: wait, AllowUnreachable: true})
			if err != nil || answer.Reachable != c.reachable || answer.Ready {
				t.Errorf("as data: %+v, %v", answer, err)
			}
			for _, text := range c.text {
				if !strings.Contains(late.Error(), text) || !strings.Contains(answer.Failure, text) {
					t.Errorf("%q is neither in %v\nnor in %s", text, late, answer.Failure)
				}
			}
		})
	}
}

// TestAsk_waitsNotForTheHopeless: what time does not cure ends the wait.
func TestAsk_waitsNotForTheHopeless(t *testing.T) {
	locked := inprocess.Controller(t, inprocess.NewStore(), inprocess.Env{"ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": "0123456789"})
	plain := inprocess.Controller(t, inprocess.NewStore(), nil)
	for name, c := range map[string]struct{ url, summary string }{
		"credentials": {locked, "Controller refuses the credentials"},
		"TLS":         {strings.Replace(plain, "http", "https", 1), "TLS with the controller failed"},
		"a registry":  {inprocess.Registry(t, nil), "Not a controller"},
	} {
		t.Run(name, func(t *testing.T) {
			started := time.Now()
			_, err := statusops.Ask(t.Context(), statusops.Question{URL: c.url, Wait: &statusops.Wait{Ready: true}})
			if summary, _ := statusops.Explain(err); err == nil || summary != c.summary {
				t.Errorf("got %v", err)
			}
			if took := time.Since(started); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := statusops.Ask(ctx, statusops.Question{URL: "http://127.0.0.1:1", Wait: &statusops.Wait{}, AllowUnreachable: true})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "was cancelled") {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestAskNodes(t *testing.T) {
	url := inprocess.Controller(t, inprocess.NewStore(), nil)
	for id, name := range map[string]string{"2": "mac-b", "1": "mac-c", "3": "mac-a"} {
		inprocess.Join(t, url, map[string]any{"node_id": id, "node_name": name})
	}
	answer, err := statusops.AskNodes(t.Context(), statusops.Question{URL: url})
	if err != nil || !answer.Reachable || len(answer.Nodes) != 3 || answer.Nodes[0].Name != "mac-a" || answer.Nodes[2].Name != "mac-c" {
		t.Errorf("got %+v, %v", answer, err)
	}
	for url, reachable := range map[string]bool{
		"http://127.0.0.1:1": false,
		inprocess.Controller(t, inprocess.NewStore(), inprocess.Env{"ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": "0123456789"}): true,
	} {
		if _, err := statusops.AskNodes(t.Context(), statusops.Question{URL: url}); err == nil {
			t.Errorf("%s: no error", url)
		}
		answer, err := statusops.AskNodes(t.Context(), statusops.Question{URL: url, AllowUnreachable: true})
		if err != nil || answer.Reachable != reachable || answer.Failure == "" {
			t.Errorf("%s: got %+v, %v", url, answer, err)
		}
	}
	if _, err := statusops.AskNodes(t.Context(), statusops.Question{URL: inprocess.Registry(t, nil), AllowUnreachable: true}); err == nil {
		t.Error("a registry has no nodes, and was taken for a controller without any")
	}
}
