package registry_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/dockerstub"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// private is a private state of which the companion knows this.
func private(t *testing.T, content string) []byte {
	t.Helper()
	all, err := json.Marshal(map[string][]byte{"replication": []byte(content)})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestReplication_leftBehind: a replication that ended while a host was silent
// is not forgotten: the host is named as long as it is, and the container is
// removed once it is back.
func TestReplication_leftBehind(t *testing.T) {
	fleet, urls, daemons := twoRegistries(t)
	daemons["h2"].Runs(container.Identity{Owner: "anka", Role: container.Replication, Instance: "h2"}, 0, "", nil)
	both := object{"h1": object{}, "h2": object{"address": "127.0.0.2"}}
	state := object{"name": "anka", "id": "anka", "replicas": both, "primary": "h1", "urls": urls, "primary_url": urls["h1"], "ready": true}
	var config object
	ends := object{"name": "anka", "replicas": both, "primary": "h1", "replication": nil, "memory": protocol.Unknown{}}
	plan := func(fleet *dockerhost.Fleet, state object, private []byte) string {
		s := protocol.Serve(t, "anka_registry", fleet, registry.New)
		s.Private = private
		_, got := s.Plan(state, config)
		return got
	}
	silent := dockerhost.NewFleet()
	silent.Add(daemons["h1"].Host(t, "h1"))
	silent.Add(dockerstub.Silent(t, "h2"))
	goesOn := maps.Clone(ends)
	goesOn["replication"] = object{}
	replicated := maps.Clone(state)
	replicated["replication"] = object{}
	config = goesOn
	if got := plan(silent, replicated, nil); !strings.Contains(got, "h2 is left out") || strings.Contains(got, "are left") {
		t.Errorf("it goes on, and h2 is silent: got %s", got)
	}
	config = ends
	left := private(t, `{"tenure":{"id":"r1","term":1,"primary":"h1"},"marked":{},"left":["h2"]}`)
	for name, c := range map[string]struct {
		got, want string
		not       bool
	}{
		"it ends, and h2 is silent": {plan(silent, replicated, nil), "Containers of the replication are left: The replication has ended, and h2 did not answer", false},
		"still silent":              {plan(silent, state, left), "and h2 did not answer", false},
		"it is back":                {plan(fleet, state, left), "remove registry-replication on h2", false},
		"back, and nothing silent":  {plan(fleet, state, left), "are left", true},
		"nothing is remembered":     {plan(fleet, state, nil), "registry-replication", true},
	} {
		if strings.Contains(c.got, c.want) == c.not {
			t.Errorf("%s: got %s", name, c.got)
		}
	}
}
