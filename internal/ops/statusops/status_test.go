package statusops_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
)

const running = `{"status":"OK","message":"","body":{"status":"Running","version":"1.50.1-5e3c3f5b",` +
	`"registry_address":"http://10.0.1.4:8089","registry_status":"FAIL","license":"basic"}}`

// controller answers its status with code and body, and whether it is ready.
func controller(t *testing.T, code int, body string, ready int) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/readyz":
			w.WriteHeader(ready)
		case "/api/v1/status":
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestAsk(t *testing.T) {
	closed := freeport.ClosedURL(t)
	const refused = `{"status":"FAIL","message":"Authentication Required"}`
	for name, c := range map[string]struct {
		url              string
		reachable, ready bool   // the answer with AllowUnreachable
		failure          string // a part of it
		summary          string // of the error without AllowUnreachable, "" when there is none
		always           bool   // an error with AllowUnreachable too
	}{
		"running":      {url: controller(t, 200, running, 200), reachable: true, ready: true},
		"not ready":    {url: controller(t, 200, running, 503), reachable: true},
		"unauthorized": {url: controller(t, 401, refused, 200), reachable: true, ready: true, failure: "HTTP 401", summary: "Controller refuses the credentials"},
		"failing":      {url: controller(t, 500, `{"status":"FAIL","message":"no etcd"}`, 503), reachable: true, failure: "no etcd", summary: "Controller failed"},
		"closed":       {url: closed, failure: "connection was refused", summary: "Controller is unreachable"},
		"a web page":   {url: controller(t, 200, "<html>", 200), summary: "Not a controller", always: true},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := statusops.Ask(t.Context(), statusops.Question{URL: c.url, AllowUnreachable: true})
			if c.always != (err != nil) || answer.Reachable != c.reachable || answer.Ready != c.ready ||
				!strings.Contains(answer.Failure, c.failure) || (answer.Status == nil) != (answer.Failure != "" || c.always) {
				t.Errorf("got %+v, %v", answer, err)
			}
			_, err = statusops.Ask(t.Context(), statusops.Question{URL: c.url})
			if (err != nil) != (c.summary != "") {
				t.Fatalf("got %v", err)
			}
			if err == nil {
				return
			}
			if summary, allowable := statusops.Explain(err); summary != c.summary || allowable == c.always {
				t.Errorf("got %q, %t", summary, allowable)
			}
		})
	}
}

func TestAsk_unknownHost(t *testing.T) {
	_, err := statusops.Ask(t.Context(), statusops.Question{URL: "http://10.0.1.4", Host: "h9", Fleet: dockerhost.NewFleet(), AllowUnreachable: true})
	if err == nil || !strings.Contains(err.Error(), `"h9"`) {
		t.Errorf("got %v", err)
	}
}
