package replicas_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/inprocess"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
)

// changeable is a registry that becomes another one while its URL stays.
type changeable struct {
	url    string
	asked  atomic.Int32
	behind atomic.Pointer[httputil.ReverseProxy]
}

func newChangeable(t *testing.T, env inprocess.Env) *changeable {
	t.Helper()
	c := &changeable{}
	c.becomes(t, env)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.asked.Add(1)
		c.behind.Load().ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *changeable) becomes(t *testing.T, env inprocess.Env) {
	t.Helper()
	behind, err := url.Parse(inprocess.Registry(t, env))
	if err != nil {
		t.Fatal(err)
	}
	c.behind.Store(httputil.NewSingleHostReverseProxy(behind))
}

func portOf(t *testing.T, of string) int {
	t.Helper()
	_, port, _ := strings.Cut(strings.TrimPrefix(of, "http://"), ":")
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

// made1501 is the state of connected controllers that run and are ready at at.
func made1501(config object, at string) object {
	return with(config, object{
		"id": "anka", "name": "anka", "urls": object{"h1": at}, "join_urls": []string{at}, "ready": true,
		"image": "veertu/anka-build-cloud-controller:v1.50.1",
	})
}

// TestPlanCompatibility_asksNothingWithoutAChange: a plan that changes no
// controller sends no request for this check, and still sees a registry that
// is planned to be too old.
func TestPlanCompatibility_asksNothingWithoutAChange(t *testing.T) {
	registry := newChangeable(t, atVersion("1.50.1"))
	controller := inprocess.Controller(t, inprocess.NewStore(), nil)
	s, registries, daemon := pair(t)
	config := connected(object{"registry_urls": object{"h1": registry.url}, "port": portOf(t, controller), "ready_timeout": "5s"})
	planned, said := s.Plan(nil, config)
	if registry.asked.Load() == 0 || refusals(said) != "" {
		t.Fatalf("asked %d times, %s", registry.asked.Load(), said)
	}
	if _, told := s.Apply(nil, planned, config); refusals(told) != "" || len(daemon.made) != 1 {
		t.Fatal(told)
	}
	registry.asked.Store(0)
	state := made1501(config, controller)
	_, said = s.Plan(state, config)
	if registry.asked.Load() != 0 || said != "" {
		t.Fatalf("nothing changes; asked %d times, %s", registry.asked.Load(), said)
	}
	// An update that leaves the containers alone is not refused half-way.
	registry.becomes(t, atVersion("1.40.0"))
	if _, told := s.Apply(state, state, config); refusals(told) != "" || registry.asked.Load() != 0 {
		t.Errorf("asked %d times, %s", registry.asked.Load(), told)
	}
	registries.Plan(nil, object{"replicas": object{"h1": object{}}, "port": portOf(t, registry.url), "image": "r:1.40.0"})
	_, said = s.Plan(state, config)
	if got := refusals(said); registry.asked.Load() != 0 || !strings.HasPrefix(got, tooOld) || !strings.Contains(said, "terraform destroy -refresh=false") {
		t.Errorf("asked %d times, %s", registry.asked.Load(), said)
	}
}

// TestApplyCompatibility_onlyWhatRunsCounts: a registry that was planned to be
// upgraded and is not, because nothing says in what order, stops controllers
// before they are touched.
func TestApplyCompatibility_onlyWhatRunsCounts(t *testing.T) {
	registry := newChangeable(t, atVersion("1.40.0"))
	s, registries, daemon := pair(t)
	registries.Plan(nil, object{"replicas": object{"h1": object{}}, "port": portOf(t, registry.url), "image": "r:v1.50.1"})
	controller := inprocess.Controller(t, inprocess.NewStore(), nil)
	config := connected(object{"registry_urls": object{"h1": registry.url}, "port": portOf(t, controller), "ready_timeout": "5s"})
	planned, said := s.Plan(nil, config)
	if refusals(said) != "" {
		t.Fatal(said)
	}
	state, told := s.Apply(nil, planned, config)
	if !strings.HasPrefix(refusals(told), tooOld) || !strings.Contains(told, "No controller has been touched.") || state != nil || len(daemon.made) != 0 {
		t.Fatalf("%s, %v, %d containers", told, state, len(daemon.made))
	}
	registry.becomes(t, atVersion("1.50.1"))
	if _, told = s.Apply(nil, planned, config); refusals(told) != "" || len(daemon.made) != 1 {
		t.Fatal(told)
	}
	// The same for an update, which leaves the state as it was.
	before := made1501(config, controller)
	changed := with(config, object{"env": object{"ANKA_NUM_WORKERS": "4"}})
	planned, said = s.Plan(before, changed)
	if refusals(said) != "" || !strings.Contains(said, "replace") {
		t.Fatal(said)
	}
	registry.becomes(t, atVersion("1.40.0"))
	state, told = s.Apply(before, planned, changed)
	if !strings.HasPrefix(refusals(told), tooOld) || !strings.Contains(told, "No controller has been touched.") || !state["env"].IsNull() ||
		daemon.container("anka-anka-controller-h1").environment()["ANKA_NUM_WORKERS"] != "" {
		t.Errorf("%s, %v", told, state)
	}
}

// TestPlanCompatibility_plannedButSilent: a registry that stays as it is and
// does not answer is judged by what its resource says of it.
func TestPlanCompatibility_plannedButSilent(t *testing.T) {
	closed := freeport.ClosedURL(t)
	s, registries, _ := pair(t)
	config := object{"replicas": object{"h1": object{}}, "port": portOf(t, closed), "image": "r:v1.40.0", "ready_timeout": "1ms", "storage": object{"path": "/opt/templates"}}
	planned, _ := registries.Plan(nil, config)
	if _, told := registries.Apply(nil, planned, config); refusals(told) != "" {
		t.Fatal(told)
	}
	state := with(config, object{"id": "anka", "name": "anka", "urls": object{"h1": closed}, "ready": false})
	if _, said := registries.Plan(state, config); strings.Contains(said, "create") || strings.Contains(said, "replace") {
		t.Fatal(said)
	}
	_, said := s.Plan(nil, connected(object{"registry_urls": object{"h1": closed}}))
	if !strings.HasPrefix(refusals(said), tooOld) || !strings.Contains(said, "(tag of image r:v1.40.0, planned by") {
		t.Error(said)
	}
}

// TestPlanCompatibility_saysNothingOfControllersThatStay, whatever they have
// been made beside.
func TestPlanCompatibility_saysNothingOfControllersThatStay(t *testing.T) {
	registry := newChangeable(t, atVersion("1.40.0"))
	controller := inprocess.Controller(t, inprocess.NewStore(), nil)
	s, _, daemon := pair(t)
	config := connected(object{
		"registry_urls": object{"h1": registry.url}, "local_registry_urls": object{"h1": "http://127.0.0.1:8085"},
		"port": portOf(t, controller), "ready_timeout": "5s",
	})
	overruled := with(config, object{"skip_compatibility_check": true})
	planned, _ := s.Plan(nil, overruled)
	if _, told := s.Apply(nil, planned, overruled); refusals(told) != "" {
		t.Fatal(told)
	}
	config["skip_compatibility_check"] = false
	asked := registry.asked.Load()
	if _, said := s.Plan(made1501(overruled, controller), config); said != "" {
		t.Error(said)
	}
	// To start what has ended makes no controller anew.
	daemon.container("anka-anka-controller-h1").State = "exited"
	if _, said := s.Plan(made1501(overruled, controller), config); refusals(said) != "" || !strings.Contains(said, "start controller") || registry.asked.Load() != asked {
		t.Error(said)
	}
	// Another setting is a change.
	_, said := s.Plan(made1501(overruled, controller), with(config, object{"env": object{"ANKA_NUM_WORKERS": "4"}}))
	if !strings.HasPrefix(refusals(said), tooOld) || !strings.Contains(said, "no port 8085") {
		t.Error(said)
	}
}

// TestPlanCompatibility_asksControllersWithoutATag: where the tag does not tell
// and the image stays, those that run do.
func TestPlanCompatibility_asksControllersWithoutATag(t *testing.T) {
	controller := inprocess.Controller(t, inprocess.NewStore(), atVersion("1.49.0-c"))
	s, _, _ := pair(t)
	config := connected(object{
		"registry_urls": object{"h1": inprocess.Registry(t, atVersion("1.40.0"))}, "port": portOf(t, controller), "image": "anka-controller",
	})
	for image, want := range map[string]string{"anka-controller": "(it answers as 1.49.0-c at " + controller + ")", "other": ""} {
		_, said := s.Plan(with(made1501(config, controller), object{"image": image}), config)
		if got := refusals(said); want == "" && got != "" || want != "" && !strings.HasPrefix(got, tooOld) || !strings.Contains(said, want) {
			t.Errorf("%s: %s", image, said)
		}
	}
}
