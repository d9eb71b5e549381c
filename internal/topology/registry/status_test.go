package registry

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) string { return noon.Add(-d).Format(time.RFC3339) }

// encode gives a status file of a role.
func encode(t *testing.T, role string, status any) []byte {
	t.Helper()
	text, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(`{"role":"` + role + `",` + string(text[1:]))
}

func running(name string, file []byte) Replicator {
	settings := replication.Settings{Interval: 10}.FollowerSettings(replication.Places{}, "https://10.0.1.4:8443")
	return Replicator{Container: name, Status: container.Running, Detail: "Up", File: file, Settings: []byte(settings), Clock: noon}
}

// inSync is a follower that has all.
func inSync() replication.Status {
	return replication.Status{
		InSync: true, Generation: 7, SeenGeneration: 7, LastAttempt: ago(4 * time.Second), LastSuccess: ago(4 * time.Second), Passes: 3,
	}
}

func good() replication.SourceStatus {
	return replication.SourceStatus{State: "ok", Generation: 7, LastAttempt: ago(3 * time.Second)}
}

// TestAssessReplication_follower: h1 has the source, h2 the follower that is
// judged.
func TestAssessReplication_follower(t *testing.T) {
	for name, c := range map[string]struct {
		follower  func(*replication.Status)
		source    func(*replication.SourceStatus)
		container func(*Replicator)
		alone     bool // nothing is seen of the source
		reason    []string
		lag       int64
	}{
		"in sync":          {},
		"one pass missing": {follower: func(f *replication.Status) { f.LastAttempt = ago(140 * time.Second) }},
		"hangs": {
			follower: func(f *replication.Status) { f.LastAttempt, f.LastSuccess = ago(3*time.Minute), ago(3*time.Minute) },
			reason:   []string{"the container r2 hangs", ago(3 * time.Minute), ago(0), "restart it"}, lag: 180,
		},
		"hangs after an error": {
			follower: func(f *replication.Status) { f.LastAttempt, f.LastError = ago(time.Hour), "no route" },
			reason:   []string{"hangs", "before that: no route"}, lag: 4,
		},
		"clock was set back": {
			follower: func(f *replication.Status) { f.LastAttempt, f.LastSuccess = ago(-time.Minute), ago(-time.Minute) },
			reason:   []string{"its clock was changed"}, lag: -1,
		},
		"a second ahead, by rounding": {follower: func(f *replication.Status) { f.LastAttempt, f.LastSuccess = ago(-time.Second), ago(-time.Second) }},
		"failed": {
			follower: func(f *replication.Status) {
				f.InSync, f.LastError, f.LastSuccess, f.LagBytes = false, "the replica's disk is full", ago(20*time.Minute), 5
			},
			reason: []string{"the replica's disk is full"}, lag: 1200,
		},
		"never": {
			follower: func(f *replication.Status) { f.InSync, f.LastError, f.LastSuccess = false, "cannot reach", "" },
			reason:   []string{"cannot reach"}, lag: -1,
		},
		// During the first transfer after a success in_sync is still that of the last pass.
		"transfers for long": {
			follower: func(f *replication.Status) {
				f.SeenGeneration, f.LagBytes, f.LastAttempt, f.LastSuccess = 8, 1<<30, ago(time.Hour), ago(time.Hour)
			},
			reason: []string{"transferring: at " + ago(time.Hour), "1073741824 bytes"}, lag: 3600,
		},
		"just started": {
			follower: func(f *replication.Status) { f.InSync, f.Passes, f.SeenGeneration = false, 0, 0 },
			reason:   []string{"the container r2 was just started, at " + ago(4*time.Second) + ", and has not made a pass yet; before that it held all"}, lag: 4,
		},
		"just started for the first time": {
			follower: func(f *replication.Status) { *f = replication.Status{LastAttempt: ago(time.Second), LagSeconds: -1} },
			reason:   []string{"r2 was just started, at " + ago(time.Second) + ", and has not made a pass yet"}, lag: -1,
		},
		"just started, and waits": {
			follower: func(f *replication.Status) {
				*f = replication.Status{LastAttempt: ago(time.Second), LastError: "another follower works"}
			},
			reason: []string{"another follower works"}, lag: -1,
		},
		"in its first pass":                             {follower: func(f *replication.Status) { f.InSync = false }, reason: []string{"does not hold all"}, lag: 4},
		"saw more than it has":                          {follower: func(f *replication.Status) { f.SeenGeneration = 8 }, reason: []string{"does not hold all"}, lag: 4},
		"has not looked since":                          {source: func(s *replication.SourceStatus) { s.Generation = 8 }, reason: []string{"the primary has changed since"}, lag: 4},
		"is newer than the look":                        {source: func(s *replication.SourceStatus) { s.Generation = 6 }},
		"source is stopped, follower does not know yet": {source: func(s *replication.SourceStatus) { s.State = "error" }},
		"source is not seen":                            {alone: true},
		"source is not seen, last look long ago": {
			alone:     true,
			container: func(r *Replicator) { r.Settings = []byte("MODE='every'\nINTERVAL='10800'\n") },
			follower:  func(f *replication.Status) { f.LastAttempt, f.LastSuccess = ago(time.Hour), ago(time.Hour) },
			reason:    []string{"cannot be asked what came since"}, lag: 3600,
		},
		"last look long ago, nothing came since": {
			container: func(r *Replicator) { r.Settings = []byte("MODE='every'\nINTERVAL='10800'\n") },
			follower:  func(f *replication.Status) { f.LastAttempt, f.LastSuccess = ago(time.Hour), ago(time.Hour) },
		},
		"stopped": {
			container: func(r *Replicator) { r.Status, r.Detail = container.Exited, "Exited (137)" },
			reason:    []string{"the container r2 does not run: it is exited (Exited (137))"}, lag: 4,
		},
		"stopped after an error": {
			container: func(r *Replicator) { r.Status = container.Exited },
			follower:  func(f *replication.Status) { f.LastError = "no route" },
			reason:    []string{"does not run", "before that: no route"}, lag: 4,
		},
		"restarting, and tells": {container: func(r *Replicator) { r.Status = container.Restarting }},
		"settings are strange":  {container: func(r *Replicator) { r.Settings = nil }, reason: []string{"hangs is not known", `mode ""`}, lag: 4},
		"host is silent":        {container: func(r *Replicator) { *r = Replicator{Failure: "no route to host"} }, reason: []string{"no route to host"}, lag: -1},
		"no container":          {container: func(r *Replicator) { *r = Replicator{} }, reason: []string{"no replication container", "while others have"}, lag: -1},
		"no file yet":           {container: func(r *Replicator) { r.File = nil }, reason: []string{"r2 has not made a pass yet (Up)"}, lag: -1},
		"file is something":     {container: func(r *Replicator) { r.File = []byte("x") }, reason: []string{"cannot be read"}, lag: -1},
	} {
		t.Run(name, func(t *testing.T) {
			follower, source := inSync(), good()
			if c.follower != nil {
				c.follower(&follower)
			}
			if c.source != nil {
				c.source(&source)
			}
			r := running("r2", encode(t, "follower", follower))
			if c.container != nil {
				c.container(&r)
			}
			all := map[string]Replicator{"h1": running("r1", encode(t, "source", source)), "h2": r}
			if c.alone {
				all["h1"] = Replicator{Failure: "no route to host"}
			}
			got := AssessReplication(ReplicationQuestion{Replicators: all, Primary: "h1"})
			status := got.Replicas["h2"]
			if got.Primary != "h1" || !got.Replicated || status.InSync != (c.reason == nil) || status.LagSeconds != c.lag {
				t.Errorf("got %+v", got)
			}
			for _, text := range c.reason {
				if !strings.Contains(status.Reason, text) {
					t.Errorf("%q does not say %q", status.Reason, text)
				}
			}
			if status.InSync != (status.Reason == "") {
				t.Errorf("in sync is %t, and why not is %q", status.InSync, status.Reason)
			}
		})
	}
}

// TestAssessReplication_carries: figures are handed on as the follower told them.
func TestAssessReplication_carries(t *testing.T) {
	f := inSync()
	f.InSync, f.LastError, f.LagBytes, f.Ahead, f.AheadCount, f.BlockedDeletion = false, "blocked", 9, []string{"vm_dir/a"}, 60, "id"
	got := AssessReplication(ReplicationQuestion{Replicators: map[string]Replicator{"h2": running("r2", encode(t, "follower", f))}}).Replicas["h2"]
	if got.LagBytes != 9 || len(got.Ahead) != 1 || got.AheadCount != 60 || got.BlockedDeletion != "id" ||
		got.LastAttempt != f.LastAttempt || got.LastSuccess != f.LastSuccess {
		t.Errorf("got %+v", got)
	}
	// What was missing at the last transfer is not missing in sync.
	got = AssessReplication(ReplicationQuestion{Replicators: map[string]Replicator{"h2": running("r2", encode(t, "follower", inSync()))}}).Replicas["h2"]
	if !got.InSync || got.LagBytes != 0 || got.LagSeconds != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestAssessReplication_source(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*replication.SourceStatus)
		reason string
	}{
		"works":              {func(*replication.SourceStatus) {}, ""},
		"stopped":            {func(s *replication.SourceStatus) { s.State, s.LastError = "error", "the disk is not mounted" }, "the disk is not mounted"},
		"hangs":              {func(s *replication.SourceStatus) { s.LastAttempt = ago(3 * time.Minute) }, "hangs"},
		"clock was set back": {func(s *replication.SourceStatus) { s.LastAttempt = ago(-time.Minute) }, "clock was changed"},
	} {
		t.Run(name, func(t *testing.T) {
			source := good()
			c.change(&source)
			got := AssessReplication(ReplicationQuestion{Replicators: map[string]Replicator{
				"h1": running("r1", encode(t, "source", source)), "h2": running("r2", encode(t, "follower", inSync())),
			}})
			status := got.Replicas["h1"]
			if got.Primary != "h1" || status.InSync != (c.reason == "") || !strings.Contains(status.Reason, c.reason) || (status.LagSeconds == 0) != status.InSync {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestAssessReplication_primary(t *testing.T) {
	source, follower := running("r", encode(t, "source", good())), running("r", encode(t, "follower", inSync()))
	stopped := source
	stopped.Status = container.Exited
	for name, c := range map[string]struct {
		all       map[string]Replicator
		said      string
		want      string
		replaced  bool // replication runs
		inSync    string
		reasonAll string // a part of every reason
	}{
		"a source, whatever labels say": {map[string]Replicator{"h1": follower, "h2": source}, "h1", "h2", true, "h1 h2", ""},
		"a source that was stopped":     {map[string]Replicator{"h1": stopped, "h2": source}, "h1", "h2", true, "h2", "does not run"},
		"only a stopped one":            {map[string]Replicator{"h1": stopped, "h2": follower}, "", "h1", true, "h2", "does not run"},
		"two sources":                   {map[string]Replicator{"h1": source, "h2": source, "h3": follower}, "h1", "", true, "", "h1 and h2 are all sources"},
		"labels":                        {map[string]Replicator{"h1": {Failure: "no route"}, "h2": follower}, "h1", "h1", true, "h2", "no route"},
		"labels that are too old":       {map[string]Replicator{"h1": follower, "h2": {Failure: "no route"}}, "h1", "", true, "h1", "no route"},
		"no replication":                {map[string]Replicator{"h1": {}, "h2": {}}, "h1", "h1", false, "h1", "not known"},
		"no replication, no label":      {map[string]Replicator{"h1": {}, "h2": {}}, "", "", false, "", "not known"},
		"one replica":                   {map[string]Replicator{"h1": {}}, "", "h1", false, "h1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := AssessReplication(ReplicationQuestion{Replicators: maps.Clone(c.all), Primary: c.said})
			if got.Primary != c.want || got.Replicated != c.replaced || len(got.Replicas) != len(c.all) {
				t.Errorf("got %+v", got)
			}
			for host, status := range got.Replicas {
				if status.InSync != strings.Contains(c.inSync, host) || (!status.InSync && !strings.Contains(status.Reason, c.reasonAll)) {
					t.Errorf("%s: %+v", host, status)
				}
			}
		})
	}
}

// TestAssessReplication_common: there is nothing to replicate where all
// registries have the same data.
func TestAssessReplication_common(t *testing.T) {
	got := AssessReplication(ReplicationQuestion{Primary: "h1", Common: true, Replicators: map[string]Replicator{"h1": {}, "h2": {}, "h3": {Failure: "refused"}}})
	if !got.Replicas["h1"].InSync || !got.Replicas["h2"].InSync || got.Replicas["h3"].InSync {
		t.Errorf("got %+v", got)
	}
}

func TestSchedule(t *testing.T) {
	parse := func(s replication.Settings) Schedule {
		t.Helper()
		s.Exclude = []string{"*.tmp", "it's"}
		files := s.Follower(container.Mount{}, "10.0.1.4", replication.Credentials{}).Files
		at := slices.IndexFunc(files, func(f container.File) bool { return f.Path == SettingsPath })
		if at < 0 {
			t.Fatalf("there is no %s", SettingsPath)
		}
		schedule, err := ParseSchedule(files[at].Content)
		if err != nil {
			t.Fatal(err)
		}
		return schedule
	}
	at := func(text string) time.Time {
		t.Helper()
		parsed, err := time.Parse("2006-01-02 15:04:05", text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for name, c := range map[string]struct {
		settings   replication.Settings
		last, want string
	}{
		"interval":          {replication.Settings{Interval: 60}, "2026-03-01 12:00:00", "2026-03-01 12:05:00"},
		"default":           {replication.Settings{}, "2026-03-01 12:00:00", "2026-03-01 12:02:15"},
		"every":             {replication.Settings{Every: "3h"}, "2026-03-01 12:00:00", "2026-03-01 21:02:00"},
		"cron":              {replication.Settings{Cron: "30 */3 * * *"}, "2026-03-01 12:30:04", "2026-03-01 21:32:00"},
		"cron, over a day":  {replication.Settings{Cron: "0 4 * * *"}, "2026-03-01 12:00:00", "2026-03-04 04:02:00"},
		"cron, weekday":     {replication.Settings{Cron: "0 4 * * mon"}, "2026-03-01 12:00:00", "2026-03-16 04:02:00"},
		"cron, month":       {replication.Settings{Cron: "0 0 1 jan *"}, "2026-03-01 12:00:00", "2029-01-01 00:02:00"},
		"cron, either day":  {replication.Settings{Cron: "0 4 10 * mon"}, "2026-03-01 12:00:00", "2026-03-10 04:02:00"},
		"cron, leap day":    {replication.Settings{Cron: "0 0 29 feb *"}, "2026-03-01 12:00:00", "2036-02-29 00:02:00"},
		"cron, both days":   {replication.Settings{Cron: "0 4 */10 * mon"}, "2026-03-01 12:00:00", "2026-08-31 04:02:00"},
		"cron, last minute": {replication.Settings{Cron: "59 23 31 dec *"}, "2026-12-31 23:59:00", "2030-01-01 00:01:00"},
	} {
		t.Run(name, func(t *testing.T) {
			got, ends := parse(c.settings).overdue(at(c.last))
			if !ends || !got.Equal(at(c.want)) {
				t.Errorf("got %s, %t", got, ends)
			}
		})
	}
	for _, bad := range []string{"", "MODE='interval'\n", "MODE='interval'\nINTERVAL='0'", "MODE='cron'\nCRON_MINUTES=' 1 '", "MODE='cron'\nCRON_MINUTES=' x '"} {
		if got, err := ParseSchedule([]byte(bad)); err == nil {
			t.Errorf("%q: got %+v", bad, got)
		}
	}
	if _, ends := (Schedule{}).overdue(noon); ends {
		t.Error("a time that never comes came")
	}
}
