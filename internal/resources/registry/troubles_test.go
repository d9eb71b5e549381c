package registry_test

import (
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/resources/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	topology "github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// TestReplication_troubles: what goes on by itself is told apart from what a
// person has to do something about.
func TestReplication_troubles(t *testing.T) {
	fleet, urls, daemons := twoRegistries(t)
	id := container.Identity{Owner: "anka", Role: container.Replication, Instance: "h2"}
	daemons["h2"].Runs(id, 0, "", nil)
	both := object{"h1": object{}, "h2": object{"address": "127.0.0.2"}}
	state := object{"name": "anka", "id": "anka", "replicas": both, "primary": "h1", "replication": object{}, "urls": urls, "primary_url": urls["h1"], "ready": true}
	daemons["h2"].Clock = time.Date(2020, 3, 1, 12, 0, 0, 0, time.UTC)
	daemons["h2"].Writes(id.Name(), topology.SettingsPath, replication.Settings{}.FollowerSettings(replication.Places{}, "https://10.0.1.4:8443"))
	for name, c := range map[string]struct{ status, want string }{
		"works":    {`"in_sync":true,"last_error":"","last_attempt":"2020-03-01T11:59:58Z","last_success":"2020-03-01T11:59:58Z"`, ""},
		"hangs":    {`"in_sync":true,"last_error":"","last_attempt":"2020-03-01T11:00:00Z","last_success":"2020-03-01T11:00:00Z"`, "It hangs, or cannot write what it does"},
		"in order": {`"in_sync":true,"last_error":""`, ""},
		"begins":   {`"passes":2,"last_error":"cannot reach the primary's source at https://h1:8443"`, ""},
		"network":  {`"passes":3,"last_error":"cannot reach the primary's source"`, "It goes on by itself once the cause is gone"},
		"no disk":  {`"last_error":"its marker file .anka-registry is missing"`, "It does not go on by itself: containers that run do not see"},
		"gone":     {`"last_error":"the storage is gone: there is no directory for it"`, "It does not go on by itself"},
		"deletion": {`"last_error":"nothing is replicated until deletion 12ab is allowed","blocked_deletion":"12ab"`, "set replication.allow_deletions to its ID"},
		"conflict": {`"last_error":"2 files differ from the primary's and were not put here by replication"`, "Files are in conflict"},
	} {
		daemons["h2"].Writes(id.Name(), replication.StatusPath, `{"role":"follower",`+c.status+`}`)
		got := protocol.Serve(t, "anka_registry", fleet, registry.New).Read(state)
		if !strings.Contains(got, c.want) || (c.want == "") == strings.Contains(got, "does not go on") || strings.Count(got, "by itself") > 1 {
			t.Errorf("%s: got %s", name, got)
		}
	}
}
