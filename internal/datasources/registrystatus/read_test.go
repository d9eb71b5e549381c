package registrystatus_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
	"github.com/anka-ha/terraform-provider-anka/internal/datasources/registrystatus"
	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/inprocess"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/dockerstub"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// token is that of the registries; it may be nowhere in the state.
const token = "canary-root-token"

// runs adds a registry named anka and its replication to a host.
func runs(t *testing.T, d *dockerstub.Daemon, host, url, status string) {
	t.Helper()
	d.Clock = time.Now().UTC()
	d.Runs(container.Identity{Owner: "anka", Role: container.Registry, Instance: host}, 8089, url, nil)
	id := container.Identity{Owner: "anka", Role: container.Replication, Instance: host}
	d.Runs(id, 0, "", nil)
	d.Writes(id.Name(), registry.SettingsPath, replication.Settings{}.FollowerSettings(replication.Places{}, "https://10.0.1.4:8443"))
	d.Writes(id.Name(), replication.StatusPath, strings.ReplaceAll(status, "NOW", d.Clock.Format(time.RFC3339)))
}

// checkFigures compares values by their path, separated by dots.
func checkFigures(t *testing.T, read func(path.Path) string, want map[string]string) {
	t.Helper()
	for name, value := range want {
		parts := strings.Split(name, ".")
		at := path.Root(parts[0])
		for i, part := range parts[1:] {
			if i == 0 {
				at = at.AtMapKey(part)
			} else {
				at = at.AtName(part)
			}
		}
		if got := read(at); got != value {
			t.Errorf("%s: got %s, want %s", name, got, value)
		}
	}
}

func TestRead(t *testing.T) {
	env := inprocess.Env{"ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": token}
	open := inprocess.Registry(t, nil)
	inprocess.Push(t, open, "a", "v1")
	inprocess.Push(t, open, "a", "v2")
	var h1, h2 dockerstub.Daemon
	runs(t, &h1, "h1", open, `{"role":"source","state":"ok","generation":5,"last_attempt":"NOW"}`)
	runs(t, &h2, "h2", inprocess.Registry(t, env), `{"role":"follower","in_sync":false,"generation":4,"seen_generation":5,"last_attempt":"NOW",`+
		`"last_success":"2020-01-01T00:00:00Z","last_error":"too many deletions","lag_bytes":77,"ahead":["vm_dir/x"],"ahead_count":9,"blocked_deletion":"del"}`)
	fleet := dockerhost.NewFleet()
	fleet.Add(h1.Host(t, "h1"))
	fleet.Add(h2.Host(t, "h2"))
	data := &providerdata.Data{Hosts: fleet, Credentials: ankaapi.Credentials{RootToken: token}}
	resp := protocol.Read(t, registrystatus.New(), data, protocol.Object{})
	if len(resp.Diagnostics) > 0 {
		t.Fatal(resp.Diagnostics)
	}
	value := func(at path.Path) string {
		t.Helper()
		switch name := at.String(); {
		case strings.HasSuffix(name, "ahead"):
			return fmt.Sprint(protocol.Get[[]string](t, resp, at))
		case strings.Contains(name, "bytes") || strings.Contains(name, "count") || strings.Contains(name, "lag") ||
			strings.HasSuffix(name, "templates") || strings.HasSuffix(name, "tags"):
			return fmt.Sprint(protocol.Get[int64](t, resp, at))
		case strings.Contains(name, "reach") || strings.Contains(name, "in_sync") || name == "replicated" || strings.HasSuffix(name, ".primary"):
			return fmt.Sprint(protocol.Get[bool](t, resp, at))
		}
		return protocol.Get[string](t, resp, at)
	}
	checkFigures(t, value, map[string]string{
		"name": "anka", "primary": "h1", "replicated": "true", "all_reachable": "true", "all_in_sync": "false",
		"replicas.h1.url": open, "replicas.h1.reachable": "true", "replicas.h1.error": "", "replicas.h1.status": "Running", "replicas.h1.primary": "true",
		"replicas.h1.templates": "1", "replicas.h1.tags": "2",
		"replicas.h1.replication.in_sync": "true", "replicas.h1.replication.lag_seconds": "0", "replicas.h1.replication.last_error": "",
		"replicas.h1.replication.ahead": "[]", "replicas.h1.replication.blocked_deletion": "",
		"replicas.h2.reachable": "true", "replicas.h2.error": "", "replicas.h2.primary": "false", "replicas.h2.templates": "0", "replicas.h2.tags": "0",
		"replicas.h2.replication.in_sync": "false", "replicas.h2.replication.lag_bytes": "77", "replicas.h2.replication.last_error": "too many deletions",
		"replicas.h2.replication.last_success": "2020-01-01T00:00:00Z", "replicas.h2.replication.last_attempt": h2.Clock.Format(time.RFC3339),
		"replicas.h2.replication.ahead": "[vm_dir/x]", "replicas.h2.replication.ahead_count": "9", "replicas.h2.replication.blocked_deletion": "del",
	})
	at := path.Root("replicas").AtMapKey("h1")
	total, free, used := protocol.Get[int64](t, resp, at.AtName("bytes_total")), protocol.Get[int64](t, resp, at.AtName("bytes_free")), protocol.Get[int64](t, resp, at.AtName("bytes_used"))
	if free <= 0 || used <= 0 || free+used != total {
		t.Errorf("bytes: %d of %d free, %d used", free, total, used)
	}
	if lag := protocol.Get[int64](t, resp, path.Root("replicas").AtMapKey("h2").AtName("replication").AtName("lag_seconds")); lag < 365*24*3600 {
		t.Errorf("a lag of years is %d s", lag)
	}
	if strings.Contains(resp.State.Raw.String(), "canary") {
		t.Error("the token is in the state")
	}
	if !resp.State.Raw.IsFullyKnown() {
		t.Error("something is unknown")
	}
}

func TestRead_silenceIsData(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.Add(dockerstub.Silent(t, "h1"))
	fleet.AddUnknown("h2")
	resp := protocol.Read(t, registrystatus.New(), &providerdata.Data{Hosts: fleet}, protocol.Object{"hosts": []string{"h2", "h1"}, "name": "other"})
	if resp.Diagnostics.HasError() || resp.Diagnostics.WarningsCount() != 1 || !strings.Contains(resp.Diagnostics[0].Detail(), "know h2 yet") {
		t.Fatalf("diagnostics: %v", resp.Diagnostics)
	}
	for host, text := range map[string]string{"h1": "refused", "h2": "not known yet"} {
		at := path.Root("replicas").AtMapKey(host)
		if got := protocol.Get[string](t, resp, at.AtName("error")); !strings.Contains(got, text) || protocol.Get[bool](t, resp, at.AtName("reachable")) {
			t.Errorf("%s: %s", host, got)
		}
		if got := protocol.Get[string](t, resp, at.AtName("replication").AtName("last_error")); !strings.Contains(got, text) {
			t.Errorf("%s: %s", host, got)
		}
	}
	if protocol.Get[bool](t, resp, path.Root("all_reachable")) || protocol.Get[bool](t, resp, path.Root("all_in_sync")) || protocol.Get[string](t, resp, path.Root("name")) != "other" {
		t.Errorf("state: %s", resp.State.Raw)
	}
}

// TestRead_nothing: before the first apply there is nothing, which is not all
// well.
func TestRead_nothing(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.Add((&dockerstub.Daemon{}).Host(t, "h1"))
	resp := protocol.Read(t, registrystatus.New(), &providerdata.Data{Hosts: fleet}, protocol.Object{})
	if len(resp.Diagnostics) > 0 || protocol.Get[bool](t, resp, path.Root("all_reachable")) || protocol.Get[bool](t, resp, path.Root("all_in_sync")) {
		t.Errorf("got %v\n%s", resp.Diagnostics, resp.State.Raw)
	}
}

func TestRead_wrongConfiguration(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.AddUnknown("h1")
	for want, config := range map[string]protocol.Object{
		"hosts[1]":   {"hosts": []string{"h1", "h9"}},
		`urls["h9"]`: {"urls": protocol.Object{"h9": "http://10.0.1.4:8089"}},
	} {
		resp := protocol.Read(t, registrystatus.New(), &providerdata.Data{Hosts: fleet}, config)
		if resp.Diagnostics.ErrorsCount() != 1 {
			t.Fatalf("diagnostics: %v", resp.Diagnostics)
		}
		d, located := resp.Diagnostics[0].(diag.DiagnosticWithPath)
		if !located || d.Path().String() != want || d.Summary() != "Unknown host" || !strings.Contains(d.Detail(), "h1") {
			t.Errorf("got %v", resp.Diagnostics)
		}
	}
	resp := protocol.Read(t, registrystatus.New(), &providerdata.Data{Hosts: fleet, Credentials: ankaapi.Credentials{CA: "x"}}, protocol.Object{})
	if resp.Diagnostics.ErrorsCount() != 1 || resp.Diagnostics[0].Summary() != "Unable to ask the registries" {
		t.Errorf("got %v", resp.Diagnostics)
	}
}
