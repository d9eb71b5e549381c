package replicas_test

import (
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/inprocess"
)

// TestPlanCompatibility_answersWithoutALicense: a registry asks for its root
// token only from when a licensed node has joined, so that one of a new cloud
// answers to everybody proves nothing against what its resource says.
func TestPlanCompatibility_answersWithoutALicense(t *testing.T) {
	url := inprocess.Registry(t, nil)
	for name, c := range map[string]struct {
		registry, controllers object
		want                  string
	}{
		"the same token":          {token(rightToken), token(rightToken), ""},
		"another":                 {token(wrongToken), token(rightToken), differ},
		"not known there":         {with(token(""), object{"root_token_wo": unknown{}}), token(rightToken), ""},
		"only there":              {token(rightToken), object{}, oneSide},
		"only here":               {object{}, token(rightToken), oneSide},
		"on neither":              {object{}, object{}, ""},
		"whether is not known":    {object{"root_token_wo": unknown{}, "root_token_wo_version": unknown{}}, token(rightToken), ""},
		"elsewhere, nobody knows": {with(token(wrongToken), object{"replicas": object{"h1": object{"port": 1}}}), token(rightToken), ""},
	} {
		t.Run(name, func(t *testing.T) {
			fleet := dockerhost.NewFleet()
			daemon := record(t, fleet, "h1")
			registries := serve(t, "anka_registry", fleet)
			controllers := registries.Sibling("anka_controller")
			config := with(object{"replicas": object{"h1": object{}}, "port": portOf(t, url), "image": "r:v1.50.1", "ready_timeout": "1ms", "storage": object{"path": "/data"}}, c.registry)
			connected := connected(with(c.controllers, object{"registry_urls": object{"h1": url}}))
			made, _ := registries.Plan(nil, config)
			planned, said := controllers.Plan(nil, connected)
			expect(t, "planned beside", said, c.want)
			if doubt := strings.Contains(said, "Registry may have no root token"); doubt != strings.Contains(name, "nobody knows") {
				t.Errorf("in doubt: %t", doubt)
			}
			if c.want == "" {
				_, told := controllers.Apply(nil, planned, connected)
				expect(t, "applied beside", told, "")
				if strings.Contains(told, "Registry may have") {
					t.Errorf("told twice: %s", told)
				}
				removeAll(daemon)
			}
			if strings.Contains(name, "not known") {
				return
			}
			// Another run, in which the registry has nothing to do. A plan hears
			// from its resource again, an apply does not; and a configuration
			// without the resource never does.
			if _, told := registries.Apply(nil, made, config); refusals(told) != "" {
				t.Fatal(told)
			}
			want := c.want
			if name == "another" { // the token of a container is in no label
				want = ""
			}
			later := serve(t, "anka_controller", fleet)
			planned, said = later.Plan(nil, connected)
			expect(t, "planned later", said, want)
			if doubt := strings.Contains(said, "Registry may have no root token"); doubt != strings.Contains(name, "nobody knows") {
				t.Errorf("in doubt: %t", doubt)
			}
			_, told := serve(t, "anka_controller", fleet).Apply(nil, planned, connected)
			expect(t, "applied later", told, want)
		})
	}
}

// TestApplyCompatibility_tokenThatIsAnnounced: at apply a registry that was to
// get a token and has not got it yet, because nothing says in what order, has
// none. Which token it got only the announcement tells.
func TestApplyCompatibility_tokenThatIsAnnounced(t *testing.T) {
	url := inprocess.Registry(t, nil)
	// The URL is that of an address which only the replica has.
	registry := object{
		"replicas": object{"h1": object{"address": "localhost"}}, "port": portOf(t, url),
		"image": "r:v1.50.1", "ready_timeout": "1ms", "storage": object{"path": "/data"},
	}
	for name, c := range map[string]struct{ was, becomes, want string }{
		"not got yet": {"", rightToken, oneSide},
		"got":         {rightToken, rightToken, ""},
		"got another": {wrongToken, wrongToken, differ},
	} {
		t.Run(name, func(t *testing.T) {
			fleet := dockerhost.NewFleet()
			record(t, fleet, "h1")
			was := registry
			if c.was != "" {
				was = with(registry, token(c.was))
			}
			before := serve(t, "anka_registry", fleet)
			made, _ := before.Plan(nil, was)
			if _, told := before.Apply(nil, made, was); refusals(told) != "" {
				t.Fatal(told)
			}
			controllers := serve(t, "anka_controller", fleet)
			config := connected(with(token(rightToken), object{"registry_urls": object{"h1": strings.Replace(url, "127.0.0.1", "localhost", 1)}}))
			planned, _ := controllers.Plan(nil, config)
			controllers.Sibling("anka_registry").Plan(nil, with(registry, token(c.becomes)))
			_, told := controllers.Apply(nil, planned, config)
			expect(t, "applied", told, c.want)
		})
	}
}

// expect checks the beginning of the only error, "" for none. What Terraform
// shows after an apply has other words before it.
func expect(t *testing.T, when, said, want string) {
	t.Helper()
	if got := refusals(said); want == "" && got != "" || !strings.HasPrefix(got, want) || strings.Count(got, "error (") > 1 || strings.Contains(said, "canary-") {
		t.Errorf("%s: got %s\nwant %s", when, said, want)
	}
}

func removeAll(d *recorder) {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.made)
}

// TestPlan_portsOfSeveralServices: metrics have the same port by default, and
// only the second of two services on a host would find it taken.
func TestPlan_portsOfSeveralServices(t *testing.T) {
	monitoring := object{"monitoring": object{"enabled": true}}
	const twice, replica = `error ("monitoring").("port"): Port is planned twice: `, `error ("replicas").("h1"): Port is planned twice: `
	for name, c := range map[string]struct {
		registry, controllers object
		want                  string
	}{
		"metrics of both":          {monitoring, monitoring, twice + `Port 2112 of host "h1" is asked for by monitoring.port of anka_controller "anka" and by monitoring.port of anka_registry "anka"`},
		"metrics of one":           {monitoring, object{}, ""},
		"another port":             {monitoring, object{"monitoring": object{"enabled": true, "port": 2113}}, ""},
		"port not known":           {monitoring, object{"monitoring": object{"enabled": true, "port": unknown{}}}, ""},
		"whether is not known":     {monitoring, object{"monitoring": object{"enabled": unknown{}}}, ""},
		"group not known":          {monitoring, object{"monitoring": unknown{}}, ""},
		"environment not known":    {monitoring, object{"env": unknown{}}, ""},
		"address not known":        {monitoring, with(monitoring, object{"bind_ip": unknown{}}), ""},
		"addresses of their own":   {with(monitoring, object{"bind_ip": "10.0.1.4"}), with(monitoring, object{"bind_ip": "127.0.0.1"}), ""},
		"switched on in env":       {monitoring, object{"env": object{"ANKA_ENABLE_METRICS": "true"}}, twice},
		"queue":                    {object{}, object{"queue": object{"address": ":8089"}}, `error ("queue").("address"): Port is planned twice: `},
		"the services' own":        {object{}, object{"port": 8089}, replica},
		"not known of the replica": {object{}, object{"replicas": object{"h1": object{"port": unknown{}}}}, ""},
		"its own":                  {object{}, with(monitoring, object{"port": 2112}), twice},
	} {
		t.Run(name, func(t *testing.T) {
			s, registries, _ := pair(t)
			if _, said := registries.Plan(nil, with(object{"replicas": object{"h1": object{}}, "image": "r:v1.50.1"}, c.registry)); refusals(said) != "" {
				t.Fatal(said)
			}
			_, said := s.Plan(nil, connected(with(object{"registry_urls": object{"h1": "http://127.0.0.1:8089"}}, c.controllers)))
			expect(t, "planned", said, c.want)
		})
	}
}
