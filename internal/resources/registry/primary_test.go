package registry_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/inprocess"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/dockerstub"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// twoRegistries are hosts h1 and h2 with a registry each.
func twoRegistries(t *testing.T) (fleet *dockerhost.Fleet, urls object, daemons map[string]*dockerstub.Daemon) {
	t.Helper()
	fleet, urls, daemons = dockerhost.NewFleet(), object{}, map[string]*dockerstub.Daemon{}
	for _, host := range []string{"h1", "h2"} {
		daemon, url := &dockerstub.Daemon{}, inprocess.Registry(t, inprocess.Env{})
		fleet.Add(daemon.Host(t, host))
		daemon.Runs(container.Identity{Owner: "anka", Role: container.Registry, Instance: host}, 8089, url, nil)
		urls[host], daemons[host] = url, daemon
	}
	return fleet, urls, daemons
}

// TestReplication_primaryMovesWithItsBeginning: nothing has compared the
// registries yet when the primary changes together with the first replication,
// or with the second replica. The new one would be empty, and take pushes.
func TestReplication_primaryMovesWithItsBeginning(t *testing.T) {
	fleet, urls, _ := twoRegistries(t)
	one, both := object{"h1": object{}}, object{"h1": object{}, "h2": object{"address": "127.0.0.2"}}
	base := object{"name": "anka", "id": "anka", "replicas": both, "primary": "h1", "urls": urls, "primary_url": urls["h1"], "ready": true}
	config := object{"name": "anka", "replicas": both, "primary": "h2", "replication": object{}, "memory": protocol.Unknown{}}
	const refused = `error ("primary"): Primary cannot change: nothing has been replicated yet`
	for name, c := range map[string]struct {
		state, config object
		want          string // the beginning, "" for no error
	}{
		"first replication":        {nil, nil, refused},
		"second replica":           {object{"replicas": one, "replication": object{}}, nil, refused},
		"second without its name":  {object{"replicas": one, "primary": nil, "replication": object{}}, nil, refused},
		"both at once":             {object{"replicas": one, "primary": nil}, nil, refused},
		"interrupted":              {object{"primary": nil}, nil, refused},
		"replication never worked": {object{"replication": object{}}, nil, refused},
		"same primary":             {nil, object{"primary": "h1"}, ""},
		"accepted":                 {nil, object{"accept_data_loss": true}, ""},
		"perhaps accepted":         {nil, object{"accept_data_loss": protocol.Unknown{}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			state, config := maps.Clone(base), maps.Clone(config)
			maps.Copy(state, c.state)
			maps.Copy(config, c.config)
			_, got := protocol.Serve(t, "anka_registry", fleet, registry.New).Plan(state, config)
			if !strings.HasPrefix(strings.ToLower(got), strings.ToLower(c.want)) || c.want == "" && strings.Contains(got, "error ") {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
			if c.want != "" && !strings.Contains(got, `first with primary = "h1"`) {
				t.Errorf("the way is not told: %s", got)
			}
		})
	}
}
