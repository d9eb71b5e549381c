package etcdops

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

func memberOn(host, name string) etcd.Member {
	return etcd.Member{Name: name, Host: host, Address: "127.0.0.1", ClientPort: 1, PeerPort: 2, Incarnation: "old"}
}

// fleetOf declares a host for every daemon.
func fleetOf(t *testing.T, daemons map[string]http.Handler) *dockerhost.Fleet {
	t.Helper()
	fleet := dockerhost.NewFleet()
	for name, daemon := range daemons {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Api-Version", dockerhost.MinAPIVersion)
			w.Header().Set("Content-Type", "application/json")
			if !strings.HasSuffix(r.URL.Path, "/_ping") {
				daemon.ServeHTTP(w, r)
			}
		}))
		t.Cleanup(server.Close)
		host, err := dockerhost.New(dockerhost.Config{
			Name: name, Address: "127.0.0.1", DockerHost: "tcp://" + strings.TrimPrefix(server.URL, "http://"), Insecure: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		fleet.Add(host)
	}
	t.Cleanup(func() { _ = fleet.Close() })
	return fleet
}

// TestApply_interruptedLookForgetsNobody: what a look that was cancelled did
// not see is not gone.
func TestApply_interruptedLookForgetsNobody(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	interrupts := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	c := Cluster{
		Desired: etcd.Desired{
			Cluster: "anka", Image: "etcd:v3.5.35", Version: "3.5.35", Born: true,
			Members: []etcd.Member{memberOn("h1", "etcd-1")}, Former: []etcd.Member{memberOn("h2", "etcd-2")},
		},
		Fleet: fleetOf(t, map[string]http.Handler{"h1": interrupts, "h2": interrupts}),
	}
	defer c.Close()
	result, err := c.Apply(ctx)
	if err == nil {
		t.Fatal("the interrupted apply has no error")
	}
	if len(result.Left) != 1 || result.Left[0].Name != "etcd-2" || result.Left[0].Out {
		t.Errorf("left are %v; want etcd-2, of which nothing is known", result.Left)
	}
}

// TestLeft: a former member is forgotten when its host answers, has nothing of
// it, and the cluster says that it is none, and not before.
func TestLeft(t *testing.T) {
	answers := survey.Survey{Reach: map[string]topology.Reach{"h2": topology.Reachable}}
	for name, c := range map[string]struct {
		survey survey.Survey
		out    bool
		known  bool
		left   bool
	}{
		"gone for good":                     {answers, false, true, false},
		"its host was not asked":            {survey.Survey{}, false, true, true},
		"its host was not asked, it is out": {survey.Survey{}, true, false, true},
		"nobody speaks for the cluster":     {answers, false, false, true},
		"nobody speaks, but it was out":     {answers, true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := memberOn("h2", "etcd-2")
			m.Out = c.out
			cluster := Cluster{Desired: etcd.Desired{Cluster: "anka", Former: []etcd.Member{m}}}
			left := cluster.left(c.survey, etcd.Observed{Membership: etcd.Membership{Known: c.known}})
			if (len(left) == 1) != c.left {
				t.Errorf("left are %v", left)
			}
		})
	}
}
