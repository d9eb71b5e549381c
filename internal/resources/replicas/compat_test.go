package replicas_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/inprocess"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
)

const (
	rightToken = "canary-correct-horse"
	wrongToken = "canary-battery-staple"
)

// atVersion is the environment of a stand-in of this version.
func atVersion(version string) inprocess.Env { return inprocess.Env{"ANKASIM_VERSION": version} }

func guarded(token string) inprocess.Env {
	return inprocess.Env{"ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": token}
}

// connected are controllers 1.50.1 on h1 with further attributes. Nothing
// listens at their etcd.
func connected(more object) object {
	return with(object{
		"replicas": object{"h1": object{}}, "etcd_endpoints": []string{"http://127.0.0.1:1"}, "ready_timeout": "1ms",
	}, more)
}

func token(value string) object {
	return object{"root_token_wo": value, "root_token_wo_version": 1}
}

// pair is a provider with one host, its daemon, and both resources.
func pair(t *testing.T) (controllers, registries *protocol.Server, daemon *recorder) {
	t.Helper()
	fleet := dockerhost.NewFleet()
	daemon = record(t, fleet, "h1")
	controllers = serve(t, "anka_controller", fleet)
	return controllers, controllers.Sibling("anka_registry"), daemon
}

// refusals are the errors among diagnostics.
func refusals(said string) string {
	var errors []string
	for line := range strings.SplitSeq(said, "\n") {
		if strings.HasPrefix(line, "error ") {
			errors = append(errors, line)
		}
	}
	return strings.Join(errors, "\n")
}

const (
	tooOld  = `error ("image"): Registry is too old for the controllers: `
	oneSide = `error ("root_token_wo"): Root token on one side only: `
	differ  = `error ("root_token_wo"): Root tokens differ: `
)

// TestPlanCompatibility_runningRegistry: what nobody plans is asked.
func TestPlanCompatibility_runningRegistry(t *testing.T) {
	closed := freeport.ClosedURL(t)
	for name, c := range map[string]struct {
		url  string
		more object
		want string // the beginning of the only error, "" for none
		text string // a part of it
	}{
		"too old":                  {inprocess.Registry(t, atVersion("1.40.0-abc")), object{}, tooOld, "(it answers as 1.40.0-abc)"},
		"overruled":                {inprocess.Registry(t, atVersion("1.40.0-abc")), object{"skip_compatibility_check": true}, "", ""},
		"not known yet if":         {inprocess.Registry(t, atVersion("1.40.0-abc")), object{"skip_compatibility_check": unknown{}}, "", ""},
		"old enough for old ones":  {inprocess.Registry(t, atVersion("1.40.0-abc")), object{"image": "x:1.47.0"}, "", ""},
		"no version in the tag":    {inprocess.Registry(t, atVersion("1.40.0-abc")), object{"image": "anka-controller"}, "", ""},
		"new enough":               {inprocess.Registry(t, atVersion("1.48.0-abc")), object{}, "", ""},
		"does not answer":          {closed, object{}, "", ""},
		"a controller":             {inprocess.Controller(t, inprocess.NewStore(), atVersion("1.40.0")), object{}, "", ""},
		"the same token":           {inprocess.Registry(t, guarded(rightToken)), token(rightToken), "", ""},
		"another token":            {inprocess.Registry(t, guarded(rightToken)), token(wrongToken), differ, "both root_token_wo_version"},
		"token perhaps only here":  {inprocess.Registry(t, nil), token(rightToken), "", `warning ("root_token_wo"): Registry may have no root token`},
		"no token on either":       {inprocess.Registry(t, nil), object{}, "", ""},
		"token only there":         {inprocess.Registry(t, guarded(rightToken)), object{}, oneSide, "this registry wants one"},
		"token not known":          {inprocess.Registry(t, guarded(rightToken)), with(token(""), object{"root_token_wo": unknown{}}), "", ""},
		"older than the rule":      {inprocess.Registry(t, guarded(rightToken)), object{"image": "x:v1.33.0"}, "", ""},
		"token and version":        {inprocess.Registry(t, inprocess.Env{"ANKASIM_VERSION": "1.40.0", "ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": rightToken}), token(rightToken), tooOld, "1.40.0"},
		"pushes to an old one":     {inprocess.Registry(t, nil), object{"push_registry_url": inprocess.Registry(t, atVersion("1.40.0-abc"))}, tooOld, "1.40.0"},
		"token overruled":          {inprocess.Registry(t, guarded(rightToken)), object{"skip_compatibility_check": true}, "", ""},
		"known though etcd is not": {inprocess.Registry(t, atVersion("1.40.0")), object{"etcd_endpoints": unknown{}}, tooOld, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, daemon := pair(t)
			config := connected(with(object{"registry_urls": object{"h1": c.url}}, c.more))
			planned, said := s.Plan(nil, config)
			got := refusals(said)
			if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) || !strings.Contains(said, c.text) || strings.Count(got, "error (") > 1 {
				t.Errorf("got %s\nwant %s", said, c.want)
			}
			if got != "" && !strings.Contains(said, "set skip_compatibility_check = true") {
				t.Errorf("the way to overrule is not in %s", said)
			}
			if strings.Contains(said, "canary") {
				t.Errorf("a token is in %s", said)
			}
			if c.want == "" || strings.Contains(name, "etcd is not") {
				return
			}
			// The apply looks once more, before it touches anything.
			state, told := s.Apply(nil, planned, config)
			if !strings.Contains(told, strings.TrimPrefix(c.want, "error ")) || !strings.Contains(told, "No controller has been touched") || state != nil || len(daemon.made) > 0 {
				t.Errorf("applied: got %s, %v, %d containers", told, state, len(daemon.made))
			}
		})
	}
}

// TestPlanCompatibility_registryPlannedBeside: a registry that the same apply
// upgrades is judged by what it is going to be.
func TestPlanCompatibility_registryPlannedBeside(t *testing.T) {
	old := inprocess.Registry(t, atVersion("1.40.0"))
	for name, c := range map[string]struct {
		registry, controllers object
		want, text            string
	}{
		"upgraded":                 {object{"image": "r:v1.50.1"}, object{}, "", ""},
		"not far enough":           {object{"image": "r:v1.47.0"}, object{}, tooOld, `(tag of image r:v1.47.0, planned by anka_registry "anka")`},
		"to what nobody knows":     {object{"image": "registry:local"}, object{}, "", ""},
		"url not known":            {object{"image": "r:v1.47.0"}, object{"registry_urls": object{"h1": unknown{}}}, tooOld, "r:v1.47.0"},
		"urls not known":           {object{"image": "r:v1.47.0"}, object{"registry_urls": unknown{}}, tooOld, "r:v1.47.0"},
		"one url, not known":       {object{"image": "r:v1.47.0"}, object{"registry_urls": nil, "registry_url": unknown{}}, tooOld, "r:v1.47.0"},
		"url not known, another":   {object{"image": "r:v1.47.0", "name": "other"}, object{"registry_urls": object{"h1": unknown{}}}, "", ""},
		"old, of another place":    {object{"image": "r:v1.50.1", "replicas": object{"h1": object{"port": 1}}}, object{}, tooOld, "it answers as 1.40.0"},
		"token on both":            {with(token(rightToken), object{"image": "r:v1.50.1"}), token(rightToken), "", ""},
		"another token":            {with(token(wrongToken), object{"image": "r:v1.50.1"}), token(rightToken), differ, "planned by"},
		"token there":              {with(token(rightToken), object{"image": "r:v1.50.1"}), object{}, oneSide, "planned by"},
		"token here":               {object{"image": "r:v1.50.1"}, token(rightToken), oneSide, "planned by"},
		"token there is not known": {with(token(""), object{"image": "r:v1.50.1", "root_token_wo": unknown{}}), token(rightToken), "", ""},
		"overruled":                {object{"image": "r:v1.47.0"}, object{"skip_compatibility_check": true}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, registries, _ := pair(t)
			port := portOf(t, old)
			before := object{"name": "anka", "replicas": object{"h1": object{}}, "port": port, "image": "r:v1.40.0", "urls": object{"h1": old}, "ready": true}
			if _, said := registries.Plan(before, with(object{"replicas": object{"h1": object{}}, "port": port}, c.registry)); c.registry["name"] == nil && refusals(said) != "" {
				t.Fatal(said)
			}
			if c.registry["name"] != nil {
				registries.Plan(nil, with(object{"replicas": object{"h1": object{}}, "port": port}, c.registry))
			}
			_, said := s.Plan(nil, connected(with(object{"registry_urls": object{"h1": old}}, c.controllers)))
			got := refusals(said)
			if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) || !strings.Contains(said, c.text) || strings.Contains(said, "canary") {
				t.Errorf("got %s\nwant %s", said, c.want)
			}
		})
	}
}

// TestPlanCompatibility_isBounded: a registry that takes connections and never
// answers does not hold the plan up for long, and is not judged.
func TestPlanCompatibility_isBounded(t *testing.T) {
	t.Parallel() // it waits for the time to be over
	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}))
	defer silent.Close()
	defer close(release)
	s, _, _ := pair(t)
	start := time.Now()
	_, said := s.Plan(nil, connected(object{"registry_urls": object{"h1": silent.URL}}))
	if took := time.Since(start); took > 8*time.Second || refusals(said) != "" {
		t.Errorf("took %s: %s", took, said)
	}
}

// TestPlanCompatibility_localRegistryPort needs no answer of anything.
func TestPlanCompatibility_localRegistryPort(t *testing.T) {
	for image, want := range map[string]string{
		"c:1.36.0":       `error ("local_registry_urls").("h1"): Registry has no port 8085 any more: The local registry URL is http://127.0.0.1:8085`,
		"c:1.35.0":       "",
		"anka-ctrl:mine": "",
	} {
		s, _, _ := pair(t)
		_, said := s.Plan(nil, connected(object{
			"image": image, "registry_urls": object{"h1": "http://127.0.0.1:1"}, "local_registry_urls": object{"h1": "http://127.0.0.1:8085"},
		}))
		if got := refusals(said); want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s\nwant %s", image, said, want)
		}
	}
}
